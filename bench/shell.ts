/** Command lines of tools as text for bash. */
import type { CommandLine } from '../sandbox/index.js';

/** A tool with its arguments, and with what its environment has and ours has not. */
export function shellCommand(tool: CommandLine, args: readonly string[]): string {
  const settings = Object.entries(tool.env)
    .filter(([name, value]) => value !== undefined && process.env[name] !== value)
    .map(([name, value]) => `${name}=${value ?? ''}`);
  const words = [tool.command, ...tool.argsPrefix, ...args];
  return (settings.length === 0 ? words : ['env', ...settings, ...words]).map(quoteWord).join(' ');
}

export function quoteWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
