/** Finishes an online recovery that was interrupted, undoes one, and drops what is no longer needed. */
import { openArchive } from '../../archive/archive-reader.js';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { RecoveryJournal } from '../../catalog/store-journal.js';
import { reopenJournal } from '../../catalog/store-journal.js';
import { assert, ReshelveError } from '../../errors.js';
import type { Context } from '../context.js';
import { withSignals } from '../context.js';
import { findKept } from './online-journal.js';
import { bringBack } from './online-return.js';
import { swapOrReturn } from './online-outcome.js';
import type { OnlineOptions, OnlineResult } from './online-plan.js';
import { liveOf, noteOnline, proveDefinitions, swapRecord } from './online-recovery.js';
import type { Online } from './online-recovery.js';
import { dropStagings, proveStaging } from './online-staging.js';
import { isUnswapped } from './online-swap.js';
import { recoverOnlineFrom, recordOnline } from '../recover-online.js';
import { RecoveryLock } from '../recovery/recovery-lock.js';
import { assertSourceSound, lookAtSource } from '../recovery/recovery-source.js';
import type { Run } from '../run.js';
import { recordedRun } from '../run.js';

export interface ContinueOnlineOptions extends OnlineOptions {
  readonly direction: 'resume' | 'rollback';
}

export interface OnlineEnd {
  readonly outcome: 'recovered' | 'rolled-back' | 'abandoned';
  readonly database: string;
  readonly file: string;
  /** The database that keeps the new tables after a way back; null where there is none. */
  readonly aside: string | null;
  readonly heldMs: number;
  readonly warnings: readonly string[];
}

/** Goes on with the journal of an interrupted online recovery; under the lock of the directory. */
export async function continueOnline(
  run: Run,
  journal: RecoveryJournal,
  options: ContinueOnlineOptions,
): Promise<OnlineEnd | OnlineResult> {
  const { direction } = options;
  if (journal.state.phase === 'unchanged') return beginAgain(run, journal, options);
  return withOnline(run, journal, async (online) => {
    if (direction === 'resume' && journal.state.phase !== 'rolling-back') {
      return resumeSwap(online);
    }
    const asked = new ReshelveError(
      'INTERRUPTED',
      'it was interrupted, and the way back was asked for',
    );
    return comeBack(online, asked);
  });
}

async function withOnline<T>(
  run: Run,
  journal: RecoveryJournal,
  work: (online: Online) => Promise<T>,
): Promise<T> {
  const lock = await RecoveryLock.acquire(run.context);
  try {
    const context = withSignals(run.context, lock.lost);
    return await work({ run: { ...run, context }, context, lock, journal });
  } finally {
    await lock.release();
  }
}

async function beginAgain(
  run: Run,
  journal: RecoveryJournal,
  options: ContinueOnlineOptions,
): Promise<OnlineEnd | OnlineResult> {
  const { begin } = journal.state;
  await dropStagings({ context: run.context });
  await noteOnline({ journal }, { step: 'finish', detail: { outcome: 'abandoned' } });
  if (options.direction === 'resume') {
    const backup = { path: begin.backupFile, shown: begin.backupShown, entry: undefined };
    return recoverOnlineFrom(run, backup, { ...options, otherDatabase: true });
  }
  run.context.output.line('Nothing had been changed: there is nothing to roll back');
  await run.record({ file: begin.backupFile });
  return endOf(run, journal, { outcome: 'abandoned', aside: null, heldMs: 0 });
}

/** The copy had been proven before the swap was announced; what is still in it is proven again. */
async function resumeSwap(online: Online): Promise<OnlineResult> {
  const startedMs = performance.now();
  const { begin } = online.journal.state;
  const backup = { path: begin.backupFile, shown: begin.backupShown, entry: undefined };
  const source = await lookAtSource(online.context, backup, true);
  if (source.sha256 !== begin.backupSha256) {
    throw new ReshelveError(
      'DAMAGED',
      `${begin.backupShown} is not the file any more that the recovery began with`,
      {
        hint: 'Run `reshelve recover --rollback`, then `reshelve recover FILE` with the right file.',
      },
    );
  }
  await assertSourceSound(online.context, source);
  const record = swapRecord(online);
  assert(record !== undefined, 'the swap was announced');
  const reader = await openArchive(source.path);
  try {
    if (await isUnswapped(online, record)) {
      await proveStaging(online.context, reader, record.staging, false);
    }
    const tables = reader.index.tables.map(({ name, rows }) => ({ name, rows }));
    const { heldMs } = await swapOrReturn(online, reader, tables);
    return await recordOnline(online, source, tables, { startedMs, heldMs });
  } finally {
    await reader.close();
  }
}

async function comeBack(online: Online, reason: ReshelveError): Promise<OnlineEnd> {
  const returned = await bringBack(online, reason);
  online.context.output.line('[ROLLBACK] ✓ Database restored to pre-recovery state');
  const { emergencyFile } = online.journal.state;
  await online.run.record({
    file: online.journal.state.begin.backupFile,
    ...(emergencyFile === null ? {} : { emergencyFile }),
  });
  await noteOnline(online, { step: 'finish', detail: { outcome: 'rolled-back' } });
  return endOf(online.run, online.journal, { outcome: 'rolled-back', ...returned });
}

export interface UndoOptions {
  /** Undo although definitions were changed since, which nothing would keep. */
  readonly force: boolean;
  readonly confirm: (database: string, loss: string) => Promise<void>;
}

/** Takes the old tables back; the new ones stay in a database of their own. */
export async function runUndo(context: Context, options: UndoOptions): Promise<OnlineEnd> {
  return recordedRun(
    context,
    'recover',
    async (run) => {
      const journal = await reopenKept(run.context);
      try {
        return await withOnline(run, journal, async (online) => {
          await assertDefinitionsKept(online, options);
          const live = liveOf(online);
          const since = journal.records.findLast(({ step }) => step === 'proven')?.at ?? '';
          await options.confirm(
            live,
            `what is seen in ${live}, with all that was written since ${since}; the tables are kept in ${live}__undone_…`,
          );
          return comeBack(online, new ReshelveError('INTERRUPTED', 'an undo was asked for'));
        });
      } finally {
        await journal.close();
      }
    },
    { finishesRecovery: true },
  );
}

async function reopenKept(context: Context): Promise<RecoveryJournal> {
  const found = await findKept(context);
  if (found !== undefined) {
    const journal = await reopenJournal(found.path, context.now);
    if (!journal.records.some(({ step }) => step === 'remove-previous')) return journal;
    await journal.close();
  }
  throw new ReshelveError(
    'USAGE',
    `there is no online recovery of ${context.configuration.databaseName} whose old tables are kept`,
    { hint: 'Run `reshelve status`: it names what is set aside.' },
  );
}

/** Tables are kept whole; views, routines, triggers and events that changed since the swap are not. */
async function assertDefinitionsKept(online: Online, { force }: UndoOptions): Promise<void> {
  if (force) return;
  const reader = await openNew(online);
  if (reader === undefined) return;
  try {
    await proveDefinitions(online, reader);
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'VERIFY_FAILED') throw error;
    throw new ReshelveError(
      'CONFIRMATION',
      `definitions in ${liveOf(online)} were changed since the recovery, and the undo would lose them: ${error.message}`,
      {
        hint: 'Run `reshelve full` to keep them in a backup, then `reshelve recover --undo --force`.',
        cause: error,
      },
    );
  } finally {
    await reader.close();
  }
}

/** Undefined where the backup is gone, so that nobody can tell. */
async function openNew({ journal }: Online): Promise<ArchiveReader | undefined> {
  try {
    return await openArchive(journal.state.begin.backupFile);
  } catch (error) {
    if (error instanceof ReshelveError) return undefined;
    throw error;
  }
}

function endOf(
  run: Run,
  { state }: RecoveryJournal,
  end: Pick<OnlineEnd, 'outcome' | 'aside' | 'heldMs'>,
): OnlineEnd {
  return {
    ...end,
    heldMs: Math.round(end.heldMs),
    database: run.context.configuration.databaseName,
    file: state.begin.backupShown,
    warnings: run.warnings.map(({ message }) => message),
  };
}
