/** Tables that are about to be dropped are locked first: whoever uses them is named, not waited for. */
import { ReshelveError } from '../../errors.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { quoteIdentifier } from '../../sql/quote.js';

/** How long running transactions of others may hold a table. */
const TABLE_LOCK_WAIT_SECONDS = 30;

export interface TablesToLock {
  readonly database: string;
  readonly tables: readonly string[];
  /** Who else is there, for the message: ends a sentence. */
  readonly describeOthers: () => Promise<string>;
}

/**
 * Locks them against everybody until `UNLOCK TABLES`; from then on the session waits for no lock longer
 * than for these. Throws DATABASE_IN_USE where one cannot be had in time, and what else the server says.
 */
export async function lockForWriting(session: Session, wanted: TablesToLock): Promise<void> {
  const { database, tables } = wanted;
  await session.execute(`SET SESSION lock_wait_timeout = ${TABLE_LOCK_WAIT_SECONDS}`);
  if (tables.length === 0) return;
  const list = tables
    .map((name) => `${quoteIdentifier(database)}.${quoteIdentifier(name)} WRITE`)
    .join(', ');
  try {
    await session.execute(`LOCK TABLES ${list}`, {
      timeoutMs: (TABLE_LOCK_WAIT_SECONDS * tables.length + 60) * 1000,
    });
  } catch (error) {
    if (!isServerError(error, ERRNO.lockWaitTimeout)) throw error;
    throw await tableInUse(wanted, error);
  }
}

/**
 * Makes sure that nobody holds them now, so that what drops them next does not wait. Where the server
 * refuses such locks they are not looked at.
 */
export async function assertTablesFree(session: Session, wanted: TablesToLock): Promise<void> {
  try {
    await lockForWriting(session, wanted);
  } catch (error) {
    if (isServerError(error)) return;
    throw error;
  }
  await session.execute('UNLOCK TABLES');
}

/** The error for a table that could not be had in time. */
async function tableInUse(wanted: TablesToLock, cause: unknown): Promise<ReshelveError> {
  return new ReshelveError(
    'DATABASE_IN_USE',
    `a transaction of others has held a table of ${wanted.database} for more than ` +
      `${TABLE_LOCK_WAIT_SECONDS} s; nothing was changed${await wanted.describeOthers()}`,
    { cause, hint: 'Stop the application (`pm2 stop all`), then run the command again.' },
  );
}
