import { readFileSync, readdirSync } from 'node:fs';

/** The command line of every process of this machine (Linux), words separated by spaces. */
export function commandLines(): Map<number, string> {
  const lines = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const line = commandLineOf(Number(entry));
    if (line !== '') lines.set(Number(entry), line);
  }
  return lines;
}

/** A zombie, which has no command line any more, does not count. */
export function isRunning(pid: number): boolean {
  return commandLineOf(pid) !== '';
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
