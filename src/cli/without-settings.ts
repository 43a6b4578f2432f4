/** What a verb needs that works on a file alone: nothing of it may depend on valid settings. */
import type { Command } from 'commander';
import { loadConfiguration } from '../config/load.js';
import { EXIT, ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { warnOfUnfinishedRecoveries } from '../operations/recovery/unfinished-recovery.js';
import { onStopWishes } from './signals.js';
import { TerminalOutput } from './terminal-output.js';
import type { GlobalOptions, VerbResult } from './with-context.js';

export interface FileContext extends Pick<Context, 'output' | 'signal'> {
  /** BACKUP_DIR; undefined where the settings are not valid. */
  readonly directory: string | undefined;
  /** BACKUP_TIMEZONE, or UTC where the settings are not valid. */
  readonly timeZone: string;
}

/** Runs the verb with its output and Ctrl-C wired up, and sets the exit code. */
export async function withoutSettings(
  command: Command,
  verb: (context: FileContext) => Promise<VerbResult>,
): Promise<void> {
  const { json, quiet } = command.optsWithGlobals<GlobalOptions>();
  const output = new TerminalOutput({
    quiet: quiet === true,
    stream: json === true ? process.stderr : process.stdout,
  });
  const interruption = new AbortController();
  const stopListening = onStopWishes((from, count) => {
    if (count > 1) process.exit(EXIT.interrupted);
    interruption.abort(new ReshelveError('INTERRUPTED', `the run was stopped by ${from}`));
  });
  const { signal } = interruption;
  try {
    const result = await verb({ output, signal, ...(await readPlace(output)) });
    if (json === true) process.stdout.write(`${JSON.stringify(result.document, null, 2)}\n`);
    process.exitCode = result.exitCode;
  } catch (error) {
    output.progress(null);
    throw signal.aborted ? signal.reason : error;
  } finally {
    stopListening();
  }
}

async function readPlace(
  output: TerminalOutput,
): Promise<Pick<FileContext, 'directory' | 'timeZone'>> {
  try {
    const configuration = loadConfiguration({ cwd: process.cwd(), environment: process.env });
    const { backup } = configuration;
    await warnOfUnfinishedRecoveries({ configuration, output });
    return { directory: backup.directory, timeZone: backup.timeZone };
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'CONFIG') throw error;
    const message = `the settings are left aside: ${error.message}`;
    output.warn({ code: error.code, message });
    return { directory: undefined, timeZone: 'UTC' };
  }
}
