/** Finishes a recovery that was interrupted: forward to the new state, or back to the old one. */
import { join, relative } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { RecoveryState } from '../../catalog/recovery-journal.js';
import type { FoundJournal, RecoveryJournal } from '../../catalog/store-journal.js';
import { findUnfinishedJournals, reopenJournal } from '../../catalog/store-journal.js';
import { ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import { hashFile } from '../catalog-rebuild.js';
import type { Context } from '../context.js';
import type { RecoverOptions, RecoverResult } from '../recover.js';
import {
  finish,
  goBack,
  newRecovery,
  recordSuccess,
  recoverFrom,
  replaceState,
} from '../recover.js';
import { continueOnline } from '../online/online-continue.js';
import type { OnlineEnd } from '../online/online-continue.js';
import type { OnlineResult } from '../online/online-plan.js';
import { RecoveryLock } from './recovery-lock.js';
import { rollBack } from './recovery-rollback.js';
import { assertSourceSound, filesOf, lookAtSource } from './recovery-source.js';
import type { RecoverySource } from './recovery-source.js';
import { dropWhatIsThere, nameOf, note } from './recovery-steps.js';
import { recordedState } from './recovery-target.js';
import type { Run } from '../run.js';
import { recordedRun } from '../run.js';
import { assertNobodyElse } from './recovery-preflight.js';
import { contentOf, lookAtDatabase } from '../load/target-database.js';
import { journalShown } from './unfinished-recovery.js';

export interface ContinueOptions extends RecoverOptions {
  readonly direction: 'resume' | 'rollback';
}

export async function runContinue(
  context: Context,
  options: ContinueOptions,
): Promise<RecoverResult | OnlineEnd | OnlineResult> {
  return recordedRun(context, 'recover', (run) => continueRecovery(run, options), {
    finishesRecovery: true,
  });
}

async function continueRecovery(
  run: Run,
  options: ContinueOptions,
): Promise<RecoverResult | OnlineEnd | OnlineResult> {
  const { context } = run;
  const found = await findOurs(context);
  const journal = await reopenJournal(found.path, context.now);
  const { state } = journal;
  try {
    context.output.line(`Going on with ${journalShown(context, found.path)}`);
    if (state.kind === 'online') return await continueOnline(run, journal, options);
    if (state.phase === 'unchanged') return await beginAgain(run, journal, options);
    const lock = await RecoveryLock.acquire(context);
    let isUntouched: boolean;
    try {
      isUntouched = await lock.use((session) => wasNotDropped(context, session, journal));
      if (!isUntouched) return await finishChanged(run, lock, journal, options);
    } finally {
      await lock.release();
    }
    // What others wrote to the old state since then must not be lost: it is saved anew.
    return await beginAgain(run, journal, options);
  } finally {
    await journal.close();
  }
}

async function finishChanged(
  run: Run,
  lock: RecoveryLock,
  journal: RecoveryJournal,
  options: ContinueOptions,
): Promise<RecoverResult> {
  await assertNobodyElse(run.context, options);
  return options.direction === 'rollback'
    ? rollBackOnly(run, lock, journal)
    : resume(run, lock, journal, options);
}

/**
 * The drop is announced before it is begun: a run that ended in between has changed nothing. Only then
 * is all of it still there, and no other database was made in the place of the old one.
 */
async function wasNotDropped(
  { configuration }: Context,
  session: Session,
  journal: RecoveryJournal,
): Promise<boolean> {
  const later = ['create', 'rollback-drop'];
  if (journal.records.some((record) => later.includes(record.step))) return false;
  const present = await lookAtDatabase(session, configuration.databaseName);
  if (!present.exists) return false;
  const { emergencyFile } = journal.state;
  if (emergencyFile === null) return true;
  const content = new Set(await contentOf(session, configuration.databaseName));
  const reader = await openArchive(join(configuration.backup.directory, emergencyFile));
  try {
    const { tables, objects } = reader.index;
    // Triggers go with their tables; of views the first ones may be gone before anything else is.
    const others = objects.filter(({ type }) => STANDING.includes(type));
    return (
      tables.every(({ name }) => present.tables.includes(name)) &&
      others.every(({ type, name }) => content.has(`${type} ${name}`))
    );
  } finally {
    await reader.close();
  }
}

/** What is dropped one by one or with the database, and is there as long as nothing was dropped. */
const STANDING = ['procedure', 'function', 'event', 'view'];

async function findOurs(context: Context): Promise<FoundJournal> {
  const { configuration } = context;
  const journals = await findUnfinishedJournals(configuration.backup.directory);
  // One that only keeps old tables beside the database is done.
  const ours = journals.filter(
    ({ database, state }) => database === configuration.databaseName && state?.phase !== 'kept',
  );
  // Recoveries that changed nothing need no finishing where there is one that did.
  const found = ours.find((journal) => journal.state?.phase !== 'unchanged') ?? ours.at(-1);
  if (found === undefined) {
    throw new ReshelveError(
      'USAGE',
      `there is no unfinished recovery of ${configuration.databaseName} in ${configuration.backup.directoryShown}`,
      {
        hint: 'Run `reshelve status` or `reshelve list`; nothing needs to be resumed or rolled back.',
      },
    );
  }
  if (found.problem !== undefined) throw found.problem;
  return found;
}

/** Nothing was changed yet: there is nothing to roll back, and to resume is to begin. */
async function beginAgain(
  run: Run,
  journal: RecoveryJournal,
  options: ContinueOptions,
): Promise<RecoverResult> {
  const { begin } = journal.state;
  if (options.direction === 'rollback') {
    await finish({ run, journal }, 'abandoned');
    run.context.output.line('Nothing had been changed: there is nothing to roll back');
    await run.record({ file: begin.backupFile });
    return resultOf(run, journal.state, 'abandoned');
  }
  const source = await sameSource(run, journal.state);
  await finish({ run, journal }, 'abandoned');
  return recoverFrom(run, source, options);
}

async function rollBackOnly(
  run: Run,
  lock: RecoveryLock,
  journal: RecoveryJournal,
): Promise<RecoverResult> {
  const asked = new ReshelveError(
    'INTERRUPTED',
    'it was interrupted, and a rollback was asked for',
  );
  const tables = await rollBack({ run, lock, journal }, asked);
  run.context.output.line('[ROLLBACK] ✓ Database restored to pre-recovery state');
  const { emergencyFile } = journal.state;
  await run.record({ file: emergencyFile, ...(emergencyFile === null ? {} : { emergencyFile }) });
  await finish({ run, journal }, 'rolled-back');
  return { ...resultOf(run, journal.state, 'rolled-back'), tables };
}

async function resume(
  run: Run,
  lock: RecoveryLock,
  journal: RecoveryJournal,
  options: ContinueOptions,
): Promise<RecoverResult> {
  const startedMs = performance.now();
  const source = await sameSource(run, journal.state);
  const recovery = newRecovery(run, lock, journal, source, { mayLock: true }, options);
  if (journal.state.phase === 'new-proven') {
    await recordSuccess(recovery, []);
    await finish(recovery, 'recovered');
    run.context.output.line('The new state had been proven already; only its record was missing');
    return resultOf(run, journal.state, 'recovered');
  }
  await assertSourceSound(run.context, source);
  try {
    await note(recovery, { kind: 'recover', step: 'drop', detail: {} });
    await dropWhatIsThere(recovery);
  } catch (error) {
    throw await goBack(recovery, error);
  }
  return replaceState(recovery, startedMs);
}

/** The very files that the recovery began with; others would make a third state. */
async function sameSource(run: Run, { begin }: RecoveryState): Promise<RecoverySource> {
  const { directory } = run.context.configuration.backup;
  const wanted = recordedState(begin);
  const expected = begin.target?.files.map(({ sha256 }) => sha256) ?? [begin.backupSha256];
  let source: RecoverySource;
  try {
    source = await lookAtSource(run.context, wanted, true);
  } catch (error) {
    for (const [at, { path, shown }] of wanted.point.backups.entries()) {
      const hash = await hashFile(path).catch(() => expected[at]);
      if (hash !== expected[at]) throw anotherFile(shown, error);
    }
    throw error;
  }
  const changed = filesOf(source).find(({ sha256 }, at) => sha256 !== expected[at]);
  if (changed !== undefined) throw anotherFile(changed.shown);
  const inside = relative(directory, begin.backupFile);
  return inside.startsWith('..') ? source : { ...source, file: inside };
}

function anotherFile(shown: string, cause?: unknown): ReshelveError {
  return new ReshelveError(
    'DAMAGED',
    `${shown} is not the file any more that the recovery began with`,
    {
      cause,
      hint: 'Run `reshelve recover --rollback`, then `reshelve recover FILE` with the right file.',
    },
  );
}

function resultOf(
  run: Run,
  state: RecoveryState,
  outcome: RecoverResult['outcome'],
): RecoverResult {
  const { configuration } = run.context;
  const { begin, emergencyFile } = state;
  return {
    outcome,
    file: begin.backupShown,
    name: nameOf({ path: begin.backupFile }),
    database: configuration.databaseName,
    tables: [],
    seconds: 0,
    loadSeconds: 0,
    emergencyFile:
      emergencyFile === null ? null : `${configuration.backup.directoryShown}/${emergencyFile}`,
    dryRun: false,
    warnings: run.warnings.map((warning) => warning.message),
  };
}
