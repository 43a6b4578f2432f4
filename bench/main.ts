/**
 * Backup and restore side by side with the tools that people use today: the same database, the same
 * run, taking turns. See `npm run bench -- --help`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { abortOnSignals } from '../demo/interruption.js';
import { benchBinlog } from './binlog.js';
import { measureMemory } from './memory.js';
import { benchOnline } from './online.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { runBench } from './rounds.js';
import { measureTransaction } from './transaction.js';

/** Measurements of their own, by the first word. */
const OTHERS = {
  memory: measureMemory,
  transaction: measureTransaction,
  binlog: benchBinlog,
  online: benchOnline,
} as const;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  let options: BenchOptions | undefined;
  try {
    options = args[0] !== undefined && args[0] in OTHERS ? undefined : parseOptions(args);
  } catch (error) {
    console.error(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  try {
    if (options === undefined) {
      const other = OTHERS[args[0] as keyof typeof OTHERS];
      return (await other(signal)) ? 0 : 1;
    }
    const report = await runBench(options, signal);
    await mkdir(dirname(options.output), { recursive: true });
    await writeFile(options.output, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`\nwritten to ${options.output}`);
    return report.results.some(({ name, failures }) => isOurs(name) && failures > 0) ? 1 : 0;
  } catch (error) {
    console.error(signal.aborted ? '\ninterrupted' : `\nbench failed: ${messageOf(error)}`);
    return signal.aborted ? 130 : 1;
  }
}

function isOurs(name: string): boolean {
  return name.startsWith('reshelve');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.exit(await main(process.argv.slice(2), abortOnSignals()));
