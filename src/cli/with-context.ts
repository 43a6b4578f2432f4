/** Everything that a verb needs before it can run its operation. */
import type { Command } from 'commander';
import { openCatalog } from '../catalog/store.js';
import { loadConfiguration } from '../config/load.js';
import type { ExitCode } from '../errors.js';
import { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { warnOfUnfinishedRecoveries } from '../operations/recovery/unfinished-recovery.js';
import { TerminalOutput } from './terminal-output.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface VerbResult {
  readonly exitCode: ExitCode;
  /** Printed on stdout where `--json` asks for it. */
  readonly document: unknown;
}

/** Runs one verb with its settings, its output and Ctrl-C wired up, and sets the exit code. */
export async function withContext(
  command: Command,
  verb: (context: Context) => Promise<VerbResult>,
  own: { readonly speaksOfRecoveries?: boolean } = {},
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const json = options.json === true;
  const configuration = loadConfiguration({ cwd: process.cwd(), environment: process.env });
  const output = new TerminalOutput({
    quiet: options.quiet === true,
    stream: json ? process.stderr : process.stdout,
  });
  for (const message of configuration.warnings) output.warn({ code: 'CONFIG', message });
  if (own.speaksOfRecoveries !== true) await warnOfUnfinishedRecoveries({ configuration, output });
  const interruption = new AbortController();
  const stopListening = abortOnSignals(interruption);
  try {
    const result = await verb({
      configuration,
      catalog: openCatalog(configuration.backup.directory),
      output,
      signal: interruption.signal,
      now: () => new Date(),
      trigger: 'manual',
    });
    if (json) process.stdout.write(`${JSON.stringify(result.document, null, 2)}\n`);
    process.exitCode = result.exitCode;
  } catch (error) {
    output.progress(null);
    throw interruption.signal.aborted && !saysWhatBecame(error)
      ? interruption.signal.reason
      : error;
  } finally {
    stopListening();
  }
}

/** How a recovery that was stopped ended matters more than that it was stopped. */
function saysWhatBecame(error: unknown): boolean {
  return (
    error instanceof ReshelveError &&
    (error.code === 'ROLLED_BACK' || error.code === 'ROLLBACK_FAILED')
  );
}

/** The first signal lets the run clean up behind itself; a second one ends the process at once. */
function abortOnSignals(controller: AbortController): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new ReshelveError('INTERRUPTED', `the run was stopped by ${signal}`));
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
