/** Drops what an online recovery has set aside: when somebody says so, or when it is old enough. */
import { reopenJournal } from '../../catalog/store-journal.js';
import type { SideRole } from '../../catalog/side-database.js';
import { ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import type { Context } from '../context.js';
import { findKept } from './online-journal.js';
import { noteOnline, swapRecord } from './online-recovery.js';
import type { Run } from '../run.js';
import { recordedRun } from '../run.js';
import { openServer } from '../sessions.js';
import { dropSideDatabase, listSideDatabases } from './side-database.js';

const DAY_MS = 24 * 3600 * 1000;
const ROLES: readonly SideRole[] = ['before', 'undone', 'staging'];

export interface FinishResult {
  readonly database: string;
  readonly dropped: readonly string[];
}

/** Drops the old tables, and whatever an undo or an interrupted run has left. */
export async function runFinish(
  context: Context,
  confirm: (database: string, loss: string) => Promise<void>,
): Promise<FinishResult> {
  return recordedRun(context, 'prune', async (run) => {
    const { databaseName, server } = run.context.configuration;
    const session = await openServer(run.context, server);
    try {
      const names = await allSideDatabases(session, databaseName);
      const kept = await findKept(run.context);
      if (names.length === 0 && kept === undefined) throw nothingToFinish(databaseName);
      if (names.length > 0) {
        await confirm(databaseName, `nothing in ${databaseName}, but drops ${names.join(', ')}`);
      }
      if (kept !== undefined) await finishJournal(run, session, kept.path);
      for (const name of await allSideDatabases(session, databaseName)) {
        await dropSideDatabase(session, name);
      }
      await run.record({});
      return { database: databaseName, dropped: names };
    } finally {
      await session.close();
    }
  });
}

function nothingToFinish(database: string): ReshelveError {
  return new ReshelveError('USAGE', `no online recovery of ${database} has set anything aside`, {
    hint: 'Run `reshelve status`; there is nothing to finish.',
  });
}

async function allSideDatabases(session: Session, database: string): Promise<string[]> {
  const names: string[] = [];
  for (const role of ROLES) names.push(...(await listSideDatabases(session, database, role)));
  return names;
}

/** From the record on, nothing can be undone any more. */
async function finishJournal(run: Run, session: Session, path: string): Promise<void> {
  const journal = await reopenJournal(path, run.context.now);
  try {
    await run.confirmLock();
    await noteOnline({ journal }, { step: 'remove-previous', detail: {} });
    const record = swapRecord({ journal });
    if (record !== undefined) await dropSideDatabase(session, record.previous);
    await noteOnline({ journal }, { step: 'finish', detail: { outcome: 'recovered' } });
  } finally {
    await journal.close();
  }
}

/**
 * After a backup that succeeded: the old tables go once they have been kept for
 * BACKUP_BEFORE_RETENTION_DAYS. Gives the database that was dropped.
 */
export async function finishExpired(run: Run): Promise<string | undefined> {
  const { configuration, now } = run.context;
  const { beforeRetentionDays } = configuration.backup;
  const kept = beforeRetentionDays === 0 ? undefined : await findKept(run.context);
  if (kept === undefined) return undefined;
  const journal = await reopenJournal(kept.path, now);
  const proven = journal.records.findLast(({ step }) => step === 'proven');
  const previous = swapRecord({ journal })?.previous;
  await journal.close();
  if (proven === undefined || previous === undefined) return undefined;
  if (now().getTime() - Date.parse(proven.at) < beforeRetentionDays * DAY_MS) return undefined;
  const session = await openServer(run.context, configuration.server);
  try {
    await finishJournal(run, session, kept.path);
  } finally {
    await session.close();
  }
  return previous;
}
