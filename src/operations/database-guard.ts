/** Keeps backups, test restores and recoveries of one database apart, wherever they are started. */
import { ReshelveError } from '../errors.js';
import { acquireDatabaseLock } from '../mysql/database-lock.js';
import type { Session } from '../mysql/session.js';
import type { Context } from './context.js';
import { withSignals } from './context.js';
import type { Run } from './run.js';
import { openDatabase, openServer } from './sessions.js';

/**
 * Runs `work` while nobody else backs up or restores this database, wherever they are. The lock is one
 * on the name: with another `open` the database need not be there.
 */
export async function withDatabaseLock<T>(
  run: Run,
  work: (run: Run) => Promise<T>,
  open: (context: Context) => Promise<Session> = openDatabase,
): Promise<T> {
  const { configuration } = run.context;
  const session = await open(run.context);
  try {
    const lock = await acquireDatabaseLock(
      session,
      configuration.databaseName,
      configuration.backup.lockWaitMs / 1000,
    );
    try {
      return await work({ ...run, context: withSignals(run.context, lock.lost) });
    } finally {
      await lock.release();
    }
  } finally {
    await session.close();
  }
}

/**
 * The same for a database that exists or not. Where test restores go to another server, the live one
 * may be gone, and then there is nothing to keep apart.
 */
export async function guardDatabase<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
  const session = await openGuard(run);
  if (session === undefined) return work(run);
  return withDatabaseLock(run, work, () => Promise.resolve(session));
}

async function openGuard({ context }: Run): Promise<Session | undefined> {
  const { server, verifiesElsewhere } = context.configuration;
  try {
    return await openServer(context, server);
  } catch (error) {
    if (!verifiesElsewhere || !(error instanceof ReshelveError)) throw error;
    if (error.code === 'INTERRUPTED') throw error;
    return undefined;
  }
}
