/**
 * RENAME where the server does not allow it under LOCK TABLES (MariaDB). One session locks the tables
 * with triggers, another asks for the RENAME and waits behind it, and a guard for each table waits for its
 * lock behind that: the server serves these waiters before any writer. So the triggers can be dropped
 * before the RENAME and made after it without anybody writing in between.
 */
import { setTimeout } from 'node:timers/promises';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import type { Alignment } from '../changes/align-objects.js';
import { dropTriggers, makeTriggers, prepareAligning } from '../changes/align-objects.js';
import type { Swap } from './swap.js';
import type { Move } from './swap-plan.js';
import { qualified, renameStatement } from './swap-plan.js';

/** Each guard is a connection; beyond this number one guard watches several tables in turn. */
const GUARDS_MAX = 32;
const LOCK_WAIT_SECONDS = 5;
const QUEUE_WAIT_MS_MAX = 5000;
const POLL_MS = 3;

/** A lock that is asked for on a session of its own. */
interface Guard {
  readonly session: Session;
  readonly tables: readonly string[];
  readonly granted: Promise<void>;
  isGranted: boolean;
}

export class GuardedRename {
  readonly #swap: Swap;
  readonly #tables: readonly string[];
  readonly #guards = new Set<Guard>();
  #renamer: Session | undefined;

  constructor(swap: Swap, tables: readonly string[]) {
    this.#swap = swap;
    this.#tables = tables;
  }

  /** `holder` has a short lock_wait_timeout. Throws what the server said to the RENAME. */
  async run(holder: Session, moves: readonly Move[]): Promise<void> {
    const { live } = this.#swap;
    // What cannot be locked loses its triggers a moment earlier.
    const isLocked = (table: string): boolean => this.#tables.includes(table);
    await dropTriggers(holder, live, (table) => !isLocked(table));
    if (this.#tables.length === 0) {
      await holder.executeLong(renameStatement(moves));
      return;
    }
    const renamer = await this.#open();
    this.#renamer = renamer;
    await holder.execute(`LOCK TABLES ${this.#locks(this.#tables)}`);
    let rename: Attempt;
    try {
      rename = new Attempt(renamer.executeLong(renameStatement(moves)));
      await this.#awaitQueued(holder, renamer, () => rename.isSettled);
      const arriving = new Set(moves.flatMap(({ table, to }) => (to === live ? [table] : [])));
      const staying = this.#tables.filter((table) => arriving.has(table));
      const leaving = this.#tables.filter((table) => !arriving.has(table));
      for (const tables of [...inGroups(staying, GUARDS_MAX), ...inGroups(leaving, GUARDS_MAX)]) {
        await this.#guard(holder, tables);
      }
      await dropTriggers(holder, live, isLocked);
    } finally {
      await holder.execute('UNLOCK TABLES');
    }
    await this.#letPass(holder, rename);
    await this.#makeTriggers(rename.hasFailed ? this.#swap.before : this.#swap.after);
    await rename.result;
  }

  async close(): Promise<void> {
    const sessions = [...this.#guards].map(({ session }) => session);
    if (this.#renamer !== undefined) sessions.push(this.#renamer);
    await Promise.all(sessions.map((session) => session.close()));
  }

  /**
   * A guard that got its lock before the RENAME had its turn stands in its way: another one takes its
   * place in the queue first, and then it lets go.
   */
  async #letPass(observer: Session, rename: Attempt): Promise<void> {
    while (!rename.isSettled) {
      await setTimeout(POLL_MS);
      for (const guard of [...this.#guards]) {
        if (!guard.isGranted) continue;
        await this.#guard(observer, guard.tables);
        await this.#release(guard);
        await setTimeout(POLL_MS);
      }
    }
  }

  /** Each guard has its table to itself now: the new one, or the old one where the RENAME failed. */
  async #makeTriggers(alignment: Alignment | undefined): Promise<void> {
    for (const guard of [...this.#guards]) {
      if (!(await hasTables(guard))) continue;
      for (const table of guard.tables) {
        if (alignment !== undefined) await makeTriggers(guard.session, alignment, table);
      }
      await this.#release(guard);
    }
  }

  async #guard(observer: Session, tables: readonly string[]): Promise<void> {
    const session = await this.#open();
    const guard: Guard = {
      session,
      tables,
      isGranted: false,
      granted: session.executeLong(`LOCK TABLES ${this.#locks(tables)}`).then(() => {
        guard.isGranted = true;
      }),
    };
    // Awaited when its turn comes; a failure until then must not end the process.
    guard.granted.catch(() => undefined);
    this.#guards.add(guard);
    await this.#awaitQueued(observer, session, () => guard.isGranted);
  }

  async #release(guard: Guard): Promise<void> {
    this.#guards.delete(guard);
    await guard.session.execute('UNLOCK TABLES');
    await guard.session.close();
  }

  async #open(): Promise<Session> {
    const session = await this.#swap.open();
    await prepareAligning(session);
    await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    return session;
  }

  /** Until the server says that the session waits for a lock. */
  async #awaitQueued(
    observer: Session,
    { threadId }: Session,
    isOver: () => boolean,
  ): Promise<void> {
    const deadlineMs = performance.now() + QUEUE_WAIT_MS_MAX;
    while (!isOver() && performance.now() < deadlineMs) {
      const state = await observer.value(
        `SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = ${threadId}`,
      );
      if (state?.includes('metadata lock') === true) return;
      await setTimeout(POLL_MS);
    }
  }

  #locks(tables: readonly string[]): string {
    return tables.map((table) => `${qualified(this.#swap.live, table)} WRITE`).join(', ');
  }
}

/** False where the RENAME took the tables away and brought none of their names. */
async function hasTables(guard: Guard): Promise<boolean> {
  try {
    await guard.granted;
    return true;
  } catch (error) {
    if (isServerError(error, ERRNO.noSuchTable)) return false;
    throw error;
  }
}

/** A statement under way. */
class Attempt {
  readonly result: Promise<void>;
  isSettled = false;
  hasFailed = false;

  constructor(statement: Promise<unknown>) {
    this.result = statement.then(
      () => {
        this.isSettled = true;
      },
      (error: unknown) => {
        this.isSettled = true;
        this.hasFailed = true;
        throw error;
      },
    );
    this.result.catch(() => undefined);
  }
}

/** At most `count` groups, as even as can be. */
function inGroups(items: readonly string[], count: number): string[][] {
  const groups = Array.from({ length: Math.min(count, items.length) }, (): string[] => []);
  for (const [at, item] of items.entries()) groups[at % groups.length]?.push(item);
  return groups;
}
