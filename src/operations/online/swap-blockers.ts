/** Who holds the tables that a swap waits for, as far as the server tells us. */
import type { ServerConnection } from '../../mysql/process-list.js';
import { readProcessList } from '../../mysql/process-list.js';
import { isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';

const NAMED_MAX = 3;

/** ` (connection 12 of app@10.0.0.3, for 300 s)`; empty where nobody is seen. */
export async function describeBlockers(session: Session, database: string): Promise<string> {
  const blockers = await readBlockers(session, database);
  const names = blockers
    .slice(0, NAMED_MAX)
    .map(
      ({ id, user, host, seconds }) =>
        `connection ${id} of ${user}@${host.replace(/:\d+$/, '')}, for ${seconds} s`,
    );
  return names.length === 0 ? '' : ` (${names.join('; ')})`;
}

type Blocker = Pick<ServerConnection, 'id' | 'user' | 'host' | 'seconds'>;

/** The best source that the privileges allow: metadata locks, open transactions, nothing. */
async function readBlockers(session: Session, database: string): Promise<Blocker[]> {
  const byLock = `SELECT t.PROCESSLIST_ID AS id, MAX(t.PROCESSLIST_TIME) AS seconds
    FROM performance_schema.metadata_locks l
    JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID
    WHERE l.OBJECT_TYPE = 'TABLE' AND l.OBJECT_SCHEMA = ${quoteString(database)}
      AND l.LOCK_STATUS = 'GRANTED' GROUP BY t.PROCESSLIST_ID`;
  const byTransaction = `SELECT trx_mysql_thread_id AS id,
    TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds FROM information_schema.INNODB_TRX`;
  const sources = session.facts.flavour === 'mysql' ? [byLock, byTransaction] : [byTransaction];
  for (const sql of sources) {
    try {
      const records = await session.records(sql);
      const since = new Map(records.map(({ id, seconds }) => [id, Number(seconds ?? 0)]));
      since.delete(String(session.threadId));
      const connections = await readProcessList(session);
      return connections
        .flatMap((one) => {
          const seconds = since.get(one.id);
          return seconds === undefined ? [] : [{ ...one, seconds }];
        })
        .sort((left, right) => right.seconds - left.seconds);
    } catch (error) {
      if (!isServerError(error)) throw error;
    }
  }
  return [];
}
