/** The steps of a recovery, each journalled before it is taken. */
import { basename, join } from 'node:path';
import type { RecoveryStep } from '../../catalog/recovery-journal.js';
import type { RecoveryJournal } from '../../catalog/store-journal.js';
import { ReshelveError } from '../../errors.js';
import type { Context } from '../context.js';
import { withSignals } from '../context.js';
import { makeEmergencyBackup, nameEmergencyBackup } from './emergency-backup.js';
import { othersIn } from './recovery-others.js';
import { dropProvenState } from './recovery-drop.js';
import type { ProvenTables } from './recovery-load.js';
import { loadInPlace, proveInPlace } from './recovery-load.js';
import type { RecoveryLock } from './recovery-lock.js';
import type { RecoverySource } from './recovery-source.js';
import { assertSourceSound } from './recovery-source.js';
import type { Run } from '../run.js';
import { dropDatabase, lookAtDatabase, prepareDatabase } from '../load/target-database.js';

/** What the steps of one recovery work on. */
export interface Recovery {
  readonly run: Run;
  readonly lock: RecoveryLock;
  readonly journal: RecoveryJournal;
  readonly source: RecoverySource;
  /** Whether LOCK TABLES is granted; see recovery-drop.ts. */
  readonly mayLock: boolean;
  readonly proveEmergency: (path: string, shown: string) => Promise<void>;
  /** Go on where the emergency backup may lack something that only an administrator sees. */
  readonly force: boolean;
}

/** The run's context, which ends with the lock on the database. */
export function contextOf({ run, lock }: Recovery): Context {
  return withSignals(run.context, lock.lost);
}

/** The name and the steps of one kind make appending short. */
export async function note(
  { journal }: Pick<Recovery, 'journal'>,
  step: RecoveryStep<'recover'>,
): Promise<void> {
  await journal.append(step);
}

/** Step 1: a verified backup of the present state. */
export async function saveOldState(recovery: Recovery): Promise<void> {
  const { run, journal } = recovery;
  const { output, configuration } = run.context;
  output.line('Step 1: Creating emergency backup of current database...');
  if (journal.state.begin.oldDefaults === null) {
    const text = `there is no database ${configuration.databaseName} yet, so there is nothing to go back to`;
    output.line(`✓ No emergency backup: ${text}`);
    await note(recovery, { kind: 'recover', step: 'emergency-ready', detail: NO_FILE });
    return;
  }
  const file = nameEmergencyBackup(run);
  await note(recovery, {
    kind: 'recover',
    step: 'emergency',
    detail: { file: file.relative },
  });
  const locked = { ...run, context: contextOf(recovery) };
  const made = await makeEmergencyBackup(locked, file);
  for (const warning of made.warnings) run.warn(warning);
  assertComplete(recovery, made.warnings);
  await recovery.proveEmergency(made.finalPath, made.shown);
  await note(recovery, {
    kind: 'recover',
    step: 'emergency-ready',
    detail: { file: made.relative, sha256: made.sha256 },
  });
  output.line(`✓ Emergency backup saved: ${made.shown}`);
}

const NO_FILE = { file: null, sha256: null } as const;

/** What the backup could not see would be dropped all the same. */
function assertComplete(
  recovery: Recovery,
  warnings: readonly { readonly code: string; readonly message: string }[],
): void {
  const hidden = warnings.find((warning) => warning.code === 'ROUTINES_HIDDEN');
  if (hidden === undefined || recovery.force) return;
  throw new ReshelveError(
    'PRIVILEGE',
    `the emergency backup would not be whole: ${hidden.message}`,
    {
      hint: 'Run the GRANT that the message names, or pass --force if the database has no routines.',
    },
  );
}

/** Step 2: every byte of the file to restore. */
export async function checkSource(recovery: Recovery): Promise<void> {
  const { output } = recovery.run.context;
  output.line('');
  output.line('Step 2: Verifying backup file integrity...');
  await assertSourceSound(contextOf(recovery), recovery.source);
  output.line('✓ Backup file integrity verified');
}

/** Step 3: the old state goes, proven to be what the emergency backup holds. */
export async function dropOldState(recovery: Recovery): Promise<void> {
  const { run, lock, journal } = recovery;
  const context = contextOf(recovery);
  context.output.line('');
  context.output.line('Step 3: Preparing database for restore...');
  const { directory } = context.configuration.backup;
  const { emergencyFile } = journal.state;
  const announce = async (): Promise<void> => {
    context.signal.throwIfAborted();
    await run.confirmLock();
    await note(recovery, { kind: 'recover', step: 'drop', detail: {} });
  };
  await lock.use(async (session) => {
    if (emergencyFile === null) {
      const state = await lookAtDatabase(session, context.configuration.databaseName);
      if (state.exists) throw appeared(context);
      await announce();
      return;
    }
    await dropProvenState(
      {
        context,
        session,
        emergencyPath: join(directory, emergencyFile),
        mayLock: recovery.mayLock,
        describeOthers: () => othersIn(context, session),
      },
      announce,
    );
  });
}

function appeared({ configuration }: Context): ReshelveError {
  return new ReshelveError(
    'DATABASE_IN_USE',
    `database ${configuration.databaseName} was made by somebody else meanwhile; it was not touched`,
    { hint: 'Run the command again: it will take an emergency backup of it.' },
  );
}

/** The rest of step 3 and step 4; gives the seconds of the load. */
export async function loadNewState(recovery: Recovery): Promise<number> {
  const { lock, source, journal } = recovery;
  const context = contextOf(recovery);
  const { output, configuration } = context;
  // What a backup does not say of its database stays as it was in the one it replaces.
  const { oldDefaults } = journal.state.begin;
  const defaults = source.defaults ? { ...oldDefaults, ...source.defaults } : oldDefaults;
  await note(recovery, { kind: 'recover', step: 'create', detail: { defaults } });
  await lock.use((session) =>
    prepareDatabase(session, configuration.databaseName, defaults ?? undefined),
  );
  output.line('✓ Database prepared');
  output.line('');
  output.line('Step 4: Restoring database from backup...');
  output.line('This may take several minutes for large databases...');
  const startedMs = performance.now();
  await note(recovery, { kind: 'recover', step: 'load', detail: {} });
  await loadInPlace(context, source);
  const seconds = (performance.now() - startedMs) / 1000;
  output.line('');
  output.line(`✓ Restore completed in ${seconds.toFixed(2)} seconds`);
  return seconds;
}

/** Step 5: compared in place with what the backup says. */
export async function proveNewState(recovery: Recovery): Promise<ProvenTables> {
  const { source } = recovery;
  const context = contextOf(recovery);
  context.output.line('');
  context.output.line('Step 5: Verifying database restoration...');
  await note(recovery, { kind: 'recover', step: 'verify', detail: {} });
  const tables = await proveInPlace(context, source).catch(async (error: unknown) => {
    throw await withOthers(recovery, error);
  });
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  await note(recovery, {
    kind: 'recover',
    step: 'proven',
    detail: { tables: tables.length, rows },
  });
  return tables;
}

/** Rows that are not the backup's may be those of an application that came back too early. */
async function withOthers({ lock, run }: Recovery, error: unknown): Promise<unknown> {
  if (!(error instanceof ReshelveError) || error.code !== 'VERIFY_FAILED') return error;
  const others = await lock.use((session) => othersIn(run.context, session)).catch(() => '');
  if (others === '') return error;
  return new ReshelveError('VERIFY_FAILED', `${error.message}${others}`, {
    hint: 'Stop the application before you recover: what it wrote meanwhile is not kept.',
    cause: error,
  });
}

/** The database as it stands, whatever is in it; only where that state is saved or worthless. */
export async function dropWhatIsThere({
  lock,
  run,
}: Pick<Recovery, 'lock' | 'run'>): Promise<void> {
  await lock.use(async (session) => {
    await session.execute('SET SESSION foreign_key_checks = 0');
    await dropDatabase(session, run.context.configuration.databaseName);
  });
}

/** The name of the backup's file alone, for the last lines. */
export function nameOf(source: Pick<RecoverySource, 'path'>): string {
  return basename(source.path);
}
