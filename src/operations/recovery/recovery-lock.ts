/** The lock on the database over a whole recovery, and its renewal on the way back. */
import { setTimeout } from 'node:timers/promises';
import { ReshelveError } from '../../errors.js';
import { openSession } from '../../mysql/connect.js';
import type { DatabaseLock } from '../../mysql/database-lock.js';
import { acquireDatabaseLock } from '../../mysql/database-lock.js';
import type { Session } from '../../mysql/session.js';
import type { Context } from '../context.js';

/** A server that was killed is started again by its service manager within seconds. */
const SERVER_RETURN_MS = 45_000;
const RETRY_PAUSE_MS = 500;
/** How long the server may take to notice that our old connection is gone. */
const OLD_LOCK_WAIT_SECONDS = 30;

export class RecoveryLock {
  readonly #context: Context;
  #lock: DatabaseLock;

  private constructor(context: Context, lock: DatabaseLock) {
    this.#context = context;
    this.#lock = lock;
  }

  static async acquire(context: Context): Promise<RecoveryLock> {
    const waitSeconds = context.configuration.backup.lockWaitMs / 1000;
    return new RecoveryLock(context, await acquire(context, waitSeconds));
  }

  get lost(): AbortSignal {
    return this.#lock.lost;
  }

  /** Works on the connection that holds the lock. Throws LOCKED, or what the connection throws. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#lock.use(work);
  }

  /**
   * For the way back, when the connection or the server itself may be gone: makes sure that the lock
   * is held, on a new connection if need be, and waits a while for the server to come back.
   */
  async renew(): Promise<void> {
    const isHeld = await this.#lock.use(() => Promise.resolve(true)).catch(() => false);
    if (isHeld) return;
    await this.#lock.release().catch(() => undefined);
    const deadlineMs = performance.now() + SERVER_RETURN_MS;
    for (;;) {
      try {
        this.#lock = await acquire(this.#context, OLD_LOCK_WAIT_SECONDS);
        return;
      } catch (error) {
        if (!isAbsence(error) || performance.now() >= deadlineMs) throw error;
        await setTimeout(RETRY_PAUSE_MS);
      }
    }
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/** The connection outlives Ctrl-C, because the way back needs it. */
async function acquire({ configuration }: Context, waitSeconds: number): Promise<DatabaseLock> {
  const session = await openSession(configuration.server);
  try {
    return await acquireDatabaseLock(session, configuration.databaseName, waitSeconds);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** A server that starts refuses or drops connections for a moment; MySQL says 1053 while it ends. */
function isAbsence(error: unknown): boolean {
  const codes = ['CONNECT', 'CONNECTION_LOST', 'TIMEOUT'];
  return error instanceof ReshelveError && codes.includes(error.code);
}
