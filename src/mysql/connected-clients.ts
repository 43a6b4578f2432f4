/** Who else is connected to a database, as far as this user may see it. */
import { quoteString } from '../sql/quote.js';
import type { GrantSet } from './grants.js';
import type { ServerConnection } from './process-list.js';
import { readProcessList } from './process-list.js';
import { isServerError } from './server-error.js';
import type { Session } from './session.js';

export type ConnectedClient = Pick<
  ServerConnection,
  'id' | 'user' | 'host' | 'seconds' | 'command'
>;

export interface ConnectedClients {
  readonly clients: readonly ConnectedClient[];
  /** False where the server shows only the connections of this user. */
  readonly isComplete: boolean;
}

const TIMEOUT_MS = 60_000;
const SERVER_THREADS = new Set(['system user', 'event_scheduler']);

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
  const locking = new Set(await lockingConnections(session, database));
  const ours = new Set([session.threadId, ...own].map(String));
  const connections = await readProcessList(session);
  // Servers may show the name in lower case, whatever the settings say.
  const isIn = (name: string): boolean => name.toLowerCase() === database.toLowerCase();
  return {
    clients: connections.filter(
      ({ id, user, database: chosen }) =>
        !ours.has(id) && !SERVER_THREADS.has(user) && (isIn(chosen) || locking.has(id)),
    ),
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
