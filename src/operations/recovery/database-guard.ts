/** Keeps backups, test restores and recoveries of one database apart, wherever they are started. */
import { ReshelveError } from '../../errors.js';
import { acquireDatabaseLock } from '../../mysql/database-lock.js';
import type { Session } from '../../mysql/session.js';
import { withSignals } from '../context.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';

/**
 * Runs `work` under the lock of the database that the backups are of, whether it exists or not. Where
 * test restores go to another server, the live one may be gone, and then there is nothing to keep apart.
 */
export async function guardDatabase<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
  const session = await openGuard(run);
  if (session === undefined) return work(run);
  const { configuration } = run.context;
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
