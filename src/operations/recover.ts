/**
 * The full recovery: emergency backup, check, drop and recreate, restore, verify. Whatever happens,
 * the database ends in one of two states: the new one, proven, or exactly the one it was in.
 */
import { join } from 'node:path';
import type { RecoveryOutcome } from '../catalog/recovery-journal.js';
import { isInBetween } from '../catalog/recovery-journal.js';
import type { RecoveryJournal } from '../catalog/store-journal.js';
import { ReshelveError } from '../errors.js';
import type { Context } from './context.js';
import { beginJournal } from './recovery/begin-journal.js';
import { pruneEmergencies } from './recovery/emergency-retention.js';
import { removeLeftovers } from './leftovers.js';
import { preflight } from './recovery/recovery-preflight.js';
import type { Preflight } from './recovery/recovery-preflight.js';
import type { ProvenTables } from './recovery/recovery-load.js';
import { RecoveryLock } from './recovery/recovery-lock.js';
import { rollBack } from './recovery/recovery-rollback.js';
import { keepWhatOthersWrote } from './recovery/recovery-strangers.js';
import type { RecoverySource, SourceOptions } from './recovery/recovery-source.js';
import { chooseSource } from './recovery/recovery-source.js';
import type { Recovery } from './recovery/recovery-steps.js';
import {
  checkSource,
  dropOldState,
  loadNewState,
  nameOf,
  note,
  proveNewState,
  saveOldState,
} from './recovery/recovery-steps.js';
import { describeChain } from './recovery/recovery-target.js';
import { singlePoint } from './chains/restore-point.js';
import type { Run } from './run.js';
import { describeFailure, recordedRun } from './run.js';
import { abandonUntouched } from './recovery/unfinished-recovery.js';
import { Stopwatch } from './stopwatch.js';
import { testRestore } from './load/test-restore.js';

export interface RecoverOptions extends SourceOptions {
  readonly dryRun: boolean;
  /** Go on although others are connected; what they write meanwhile still stops it before the drop. */
  readonly force: boolean;
  /** How long to wait for others to disconnect. */
  readonly waitSeconds: number;
  /** Also load the emergency backup into the test database before anything is dropped. */
  readonly proveEmergency: boolean;
  /** Asks whether the named database may be overwritten; throws CONFIRMATION if not. */
  readonly confirm: (database: string, loss: string) => Promise<void>;
}

export interface RecoverResult {
  readonly outcome: RecoveryOutcome;
  /** As the user named it. */
  readonly file: string;
  /** The file's name alone. */
  readonly name: string;
  readonly database: string;
  readonly tables: ProvenTables;
  /** Of the whole recovery, and of the load alone. */
  readonly seconds: number;
  readonly loadSeconds: number;
  /** As the user knows BACKUP_DIR; null where there was nothing to save. */
  readonly emergencyFile: string | null;
  readonly dryRun: boolean;
  readonly warnings: readonly string[];
}

export async function runRecover(
  context: Context,
  options: RecoverOptions,
): Promise<RecoverResult> {
  if (options.dryRun) return showPlan(context, options);
  return recordedRun(context, 'recover', async (run) => {
    await removeLeftovers(run);
    await abandonUntouched(run.context);
    return recoverFrom(run, await chooseSource(run.context, options), options);
  });
}

async function showPlan(context: Context, options: RecoverOptions): Promise<RecoverResult> {
  const source = await chooseSource(context, options);
  const { plan } = await preflight(context, source, options);
  for (const line of plan) context.output.line(line);
  return {
    ...describeResult(context, source, null, [], { seconds: 0, loadSeconds: 0 }),
    outcome: 'abandoned',
    dryRun: true,
  };
}

/** The recovery itself, under the lock of the directory; also what `--resume` begins anew. */
export async function recoverFrom(
  run: Run,
  source: RecoverySource,
  options: RecoverOptions,
): Promise<RecoverResult> {
  const { context } = run;
  const { databaseName, backup } = context.configuration;
  const lock = await RecoveryLock.acquire(context);
  try {
    const found = await preflight(context, source, options);
    found.assertPassed();
    for (const warning of found.warnings) run.warn(warning);
    if (found.loss !== undefined) await options.confirm(databaseName, found.loss);
    const { output } = context;
    output.line('=== FULL DATABASE RECOVERY ===');
    output.line(`Target backup: ${source.shown}`);
    for (const line of describeChain(source.chain, backup.timeZone)) output.line(line);
    output.line(`Database: ${databaseName}`);
    output.line('');
    const journal = await beginJournal(run, lock, 'recover', source, found.oldDefaults);
    try {
      return await recover(newRecovery(run, lock, journal, source, found, options));
    } finally {
      await journal.close();
    }
  } finally {
    await lock.release();
  }
}

export function newRecovery(
  run: Run,
  lock: RecoveryLock,
  journal: RecoveryJournal,
  source: RecoverySource,
  found: Pick<Preflight, 'mayLock'>,
  options: Pick<RecoverOptions, 'force' | 'proveEmergency'>,
): Recovery {
  return {
    run,
    lock,
    journal,
    source,
    mayLock: found.mayLock,
    force: options.force,
    proveEmergency: async (path, shown) => {
      if (!options.proveEmergency) return;
      await testRestore(run, singlePoint({ path, shown, entry: undefined }), new Stopwatch());
    },
  };
}

async function recover(recovery: Recovery): Promise<RecoverResult> {
  const startedMs = performance.now();
  try {
    await saveOldState(recovery);
    await checkSource(recovery);
    await dropOldState(recovery);
  } catch (error) {
    throw await giveUp(recovery, error);
  }
  return replaceState(recovery, startedMs);
}

/** From the drop on: the new state, or back. Also what `--resume` goes on with. */
export async function replaceState(recovery: Recovery, startedMs: number): Promise<RecoverResult> {
  let loadSeconds: number;
  let tables: ProvenTables;
  try {
    loadSeconds = await loadNewState(recovery);
    tables = await proveNewState(recovery);
  } catch (error) {
    throw await goBack(recovery, error);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  return succeed(recovery, tables, { seconds, loadSeconds });
}

/** A failure before the drop has changed nothing; one in the middle of the drop has. */
async function giveUp(recovery: Recovery, error: unknown): Promise<unknown> {
  if (isInBetween(recovery.journal.state.phase)) return goBack(recovery, error);
  try {
    await note(recovery, { kind: 'recover', step: 'finish', detail: { outcome: 'abandoned' } });
  } catch {
    // An unfinished journal that changed nothing stops nobody.
  }
  return error;
}

/** Rolls back and gives the error that says so; throws ROLLBACK_FAILED. */
export async function goBack(recovery: Recovery, error: unknown): Promise<ReshelveError> {
  const { run } = recovery;
  const { output, configuration } = run.context;
  output.progress(null);
  const { code, message } = describeFailure(error);
  output.warn({ code, message: `the recovery failed: ${message}` });
  output.line('[FAILURE] → Automatic Rollback');
  const kept = await keepWhatOthersWrote(recovery, error);
  await rollBack(recovery, error);
  output.line('[ROLLBACK] ✓ Database restored to pre-recovery state');
  await finish(recovery, 'rolled-back');
  const { databaseName } = configuration;
  return new ReshelveError(
    'ROLLED_BACK',
    `the recovery of ${databaseName} failed and was rolled back: ${message}${kept}`,
    {
      ...(error instanceof ReshelveError ? { hint: error.hint } : {}),
      cause: error,
    },
  );
}

/** The state is proven by now; a journal that cannot be closed is said, and closed by the next run. */
export async function finish(
  recovery: Pick<Recovery, 'journal' | 'run'>,
  outcome: RecoveryOutcome,
): Promise<void> {
  try {
    await note(recovery, { kind: 'recover', step: 'finish', detail: { outcome } });
  } catch (error) {
    recovery.run.warn({
      code: 'JOURNAL_NOT_WRITTEN',
      message: `the journal could not be closed; run \`reshelve recover --resume\` or \`--rollback\` when it can be written: ${describeFailure(error).message}`,
    });
  }
}

async function succeed(
  recovery: Recovery,
  tables: ProvenTables,
  times: { readonly seconds: number; readonly loadSeconds: number },
): Promise<RecoverResult> {
  const { run, source, journal } = recovery;
  const { emergencyFile } = journal.state;
  await recordSuccess(recovery, tables).catch((error: unknown) => {
    throw unrecorded(run, error);
  });
  await finish(recovery, 'recovered');
  await pruneEmergencies(run);
  return describeResult(run.context, source, emergencyFile, tables, times, run);
}

function unrecorded({ context }: Run, error: unknown): unknown {
  if (!(error instanceof ReshelveError)) return error;
  const { databaseName } = context.configuration;
  return new ReshelveError(
    error.code,
    `the new state of ${databaseName} is in place and proven, but it could not be recorded: ${error.message}`,
    { hint: `${error.hint} \`reshelve recover --resume\` records it.`, cause: error },
  );
}

/** Whoever looks at the catalog finds the emergency backup; recorded before the journal is closed. */
export async function recordSuccess(
  { run, source, journal }: Pick<Recovery, 'run' | 'source' | 'journal'>,
  tables: ProvenTables,
): Promise<void> {
  const { emergencyFile } = journal.state;
  await run.record({
    file: source.file,
    tables: tables.length,
    rows: tables.reduce((sum, table) => sum + table.rows, 0),
    ...(emergencyFile === null ? {} : { emergencyFile }),
  });
}

function describeResult(
  { configuration }: Context,
  source: RecoverySource,
  emergencyFile: string | null,
  tables: ProvenTables,
  times: { readonly seconds: number; readonly loadSeconds: number },
  run?: Run,
): RecoverResult {
  return {
    outcome: 'recovered',
    file: source.shown,
    name: nameOf(source),
    database: configuration.databaseName,
    tables,
    ...times,
    emergencyFile:
      emergencyFile === null ? null : join(configuration.backup.directoryShown, emergencyFile),
    dryRun: false,
    warnings: run?.warnings.map((warning) => warning.message) ?? [],
  };
}
