/**
 * The lock on the database itself: `GET_LOCK` on the server, so that two hosts with directories of
 * their own cannot back up and restore one database at the same time. The server frees it when the
 * connection ends, however it ends.
 */
import { createHash } from 'node:crypto';
import { assert, ReshelveError } from '../errors.js';
import { quoteString } from '../sql/quote.js';
import { readProcessList } from './process-list.js';
import { isServerError } from './server-error.js';
import type { Session } from './session.js';

/** The server's limit for lock names (MySQL Reference Manual, "Locking Functions"). */
const LOCK_NAME_CHARACTERS_MAX = 64;
const PING_INTERVAL_MS = 60_000;
const PING_TIMEOUT_MS = 30_000;

export interface DatabaseLock {
  /** Aborts, with the reason, when the connection that holds the lock is gone. */
  readonly lost: AbortSignal;
  /**
   * Works on the very connection that holds the lock: what it sends is done under the lock or not at
   * all. Throws LOCKED where the server says that the lock is not ours.
   */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  release(): Promise<void>;
}

export function databaseLockName(database: string): string {
  const plain = `reshelve:${database}`;
  if (plain.length <= LOCK_NAME_CHARACTERS_MAX && /^[\x20-\x7e]+$/.test(plain)) return plain;
  return `reshelve:${createHash('sha256').update(database).digest('hex').slice(0, 48)}`;
}

/** Takes the lock on a session that is used for nothing else. Throws LOCKED, naming the holder. */
export async function acquireDatabaseLock(
  session: Session,
  database: string,
  waitSeconds: number,
): Promise<DatabaseLock> {
  const name = quoteString(databaseLockName(database));
  const got = await session.value(`SELECT GET_LOCK(${name}, ${Math.ceil(waitSeconds)})`, {
    timeoutMs: (waitSeconds + 30) * 1000,
  });
  if (got !== '1') throw await lockedError(session, database, name);
  return new HeldDatabaseLock(session, database, name);
}

class HeldDatabaseLock implements DatabaseLock {
  readonly #session: Session;
  readonly #database: string;
  readonly #name: string;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isUsed = false;
  #ping: Promise<void> | undefined;

  constructor(session: Session, database: string, name: string) {
    this.#session = session;
    this.#database = database;
    this.#name = name;
    this.#timer = setInterval(() => {
      if (!this.#isUsed) this.#ping ??= this.#pingOnce();
    }, PING_INTERVAL_MS);
    this.#timer.unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    assert(!this.#isUsed, 'the connection of a lock is used for one thing at a time');
    this.#isUsed = true;
    try {
      await this.#ping;
      const isOurs = await this.#session.value(
        `SELECT IS_USED_LOCK(${this.#name}) = CONNECTION_ID()`,
      );
      if (isOurs !== '1') throw await lockedError(this.#session, this.#database, this.#name);
      return await work(this.#session);
    } finally {
      this.#isUsed = false;
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ping;
    await this.#session.close();
  }

  async #pingOnce(): Promise<void> {
    try {
      await this.#session.ping(PING_TIMEOUT_MS);
    } catch (error) {
      clearInterval(this.#timer);
      this.#lost.abort(error);
    } finally {
      this.#ping = undefined;
    }
  }
}

async function lockedError(
  session: Session,
  database: string,
  name: string,
): Promise<ReshelveError> {
  const holder = await session.value(`SELECT IS_USED_LOCK(${name})`);
  const detail = holder === undefined || holder === null ? '' : await describe(session, holder);
  return new ReshelveError(
    'LOCKED',
    `another run works on database ${database} at ${session.where}${detail}`,
  );
}

async function describe(session: Session, connection: string): Promise<string> {
  try {
    const connections = await readProcessList(session);
    const holder = connections.find(({ id }) => id === connection);
    if (holder !== undefined) {
      return ` (connection ${connection} of ${holder.user} from ${holder.host})`;
    }
  } catch (error) {
    if (!isServerError(error)) throw error;
  }
  return ` (connection ${connection})`;
}
