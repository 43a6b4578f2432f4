/** Who holds the tables that a swap waits for, as far as the server tells us. */
import { isServerError } from '../../mysql/server-error.js';
import type { Session, TextRecord } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';

const NAMED_MAX = 3;

/** ` (connection 12 of app@10.0.0.3, for 300 s)`; empty where nobody is seen. */
export async function describeBlockers(session: Session, database: string): Promise<string> {
  const records = await readBlockers(session, database);
  const names = records
    .slice(0, NAMED_MAX)
    .map(
      ({ id, user, host, seconds }) =>
        `connection ${id ?? ''} of ${user ?? ''}@${(host ?? '').replace(/:\d+$/, '')}, for ${seconds ?? '?'} s`,
    );
  return names.length === 0 ? '' : ` (${names.join('; ')})`;
}

/** The best source that the privileges allow: metadata locks, open transactions, nothing. */
async function readBlockers(session: Session, database: string): Promise<TextRecord[]> {
  const columns = 'p.ID AS id, p.USER AS user, p.HOST AS host';
  const byLock = `SELECT DISTINCT ${columns}, p.TIME AS seconds
    FROM performance_schema.metadata_locks l
    JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID
    JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID
    WHERE l.OBJECT_TYPE = 'TABLE' AND l.OBJECT_SCHEMA = ${quoteString(database)}
      AND l.LOCK_STATUS = 'GRANTED' AND p.ID <> CONNECTION_ID() ORDER BY p.TIME DESC`;
  const byTransaction = `SELECT ${columns}, TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS seconds
    FROM information_schema.INNODB_TRX x
    JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id
    WHERE p.ID <> CONNECTION_ID() ORDER BY x.trx_started`;
  const sources = session.facts.flavour === 'mysql' ? [byLock, byTransaction] : [byTransaction];
  for (const sql of sources) {
    try {
      return await session.records(sql);
    } catch (error) {
      if (!isServerError(error)) throw error;
    }
  }
  return [];
}
