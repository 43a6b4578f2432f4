/**
 * The connections of the server, as far as this user may see them. By SHOW PROCESSLIST: on MySQL a SELECT
 * from information_schema.PROCESSLIST fails (3854) for everybody while one connection runs a statement
 * with a character beyond U+FFFF, and performance_schema.processlist lacks what is not instrumented.
 */
import type { Session } from './session.js';

export interface ServerConnection {
  readonly id: string;
  readonly user: string;
  readonly host: string;
  /** The default database; empty where there is none. */
  readonly database: string;
  /** `Sleep`, `Query`, … */
  readonly command: string;
  readonly seconds: number;
  readonly state: string;
}

const TIMEOUT_MS = 60_000;

/** In the order of their ids; the statements that they run are left out, as those hold data. */
export async function readProcessList(session: Session): Promise<ServerConnection[]> {
  const records = await session.records('SHOW PROCESSLIST', { timeoutMs: TIMEOUT_MS });
  return records
    .map((record) => ({
      id: record['Id'] ?? '',
      user: record['User'] ?? '',
      host: record['Host'] ?? '',
      database: record['db'] ?? '',
      command: record['Command'] ?? '',
      seconds: Number(record['Time'] ?? 0),
      state: record['State'] ?? '',
    }))
    .sort((left, right) => Number(left.id) - Number(right.id));
}
