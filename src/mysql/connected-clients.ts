/** Who else is connected to a database, as far as this user may see it. */
import { quoteString } from '../sql/quote.js';
import type { GrantSet } from './grants.js';
import { isServerError } from './server-error.js';
import type { Session } from './session.js';

export interface ConnectedClient {
  readonly id: string;
  readonly user: string;
  readonly host: string;
  readonly seconds: number;
  /** `Sleep`, `Query`, … */
  readonly command: string;
}

export interface ConnectedClients {
  readonly clients: readonly ConnectedClient[];
  /** False where the server shows only the connections of this user. */
  readonly isComplete: boolean;
}

const TIMEOUT_MS = 60_000;

/**
 * Connections whose default database it is, or that hold or wait for a lock on one of its tables
 * (MySQL). Ours are not counted, nor are the threads of the server itself.
 */
export async function readConnectedClients(
  session: Session,
  database: string,
  grants: GrantSet,
  own: readonly number[],
): Promise<ConnectedClients> {
  const users = await lockingConnections(session, database);
  const ids = [session.threadId, ...own].join(', ');
  const alsoLocking = users.length === 0 ? '' : ` OR ID IN (${users.join(', ')})`;
  const records = await session.records(
    `SELECT ID AS id, USER AS user, HOST AS host, TIME AS seconds, COMMAND AS command
     FROM information_schema.PROCESSLIST
     WHERE ID NOT IN (${ids}) AND USER NOT IN ('system user', 'event_scheduler')
       AND (DB = ${quoteString(database)}${alsoLocking}) ORDER BY ID`,
    { timeoutMs: TIMEOUT_MS },
  );
  return {
    clients: records.map((record) => ({
      id: record['id'] ?? '',
      user: record['user'] ?? '',
      host: record['host'] ?? '',
      seconds: Number(record['seconds'] ?? 0),
      command: record['command'] ?? '',
    })),
    isComplete: grants.holdsGlobally('PROCESS'),
  };
}

/** A connection may work in a database without having chosen it; needs SELECT on performance_schema. */
async function lockingConnections(session: Session, database: string): Promise<string[]> {
  if (session.facts.flavour !== 'mysql') return [];
  try {
    const records = await session.records(
      `SELECT DISTINCT t.PROCESSLIST_ID AS id FROM performance_schema.metadata_locks AS l
       JOIN performance_schema.threads AS t ON t.THREAD_ID = l.OWNER_THREAD_ID
       WHERE l.OBJECT_TYPE = 'TABLE' AND l.OBJECT_SCHEMA = ${quoteString(database)}
         AND t.PROCESSLIST_ID IS NOT NULL`,
      { timeoutMs: TIMEOUT_MS },
    );
    return records.map((record) => record['id'] ?? '').filter((id) => /^\d+$/.test(id));
  } catch (error) {
    if (!isServerError(error)) throw error;
    return [];
  }
}

/** `connection 17 (shop from 10.0.0.7:51234, Sleep for 3 s)`. */
export function describeClient({ id, user, host, command, seconds }: ConnectedClient): string {
  return `connection ${id} (${user} from ${host}, ${command} for ${seconds} s)`;
}
