/**
 * RENAME where the server does not allow it under LOCK TABLES (MariaDB). One session locks the tables
 * with triggers, another asks for the RENAME and waits behind it, and a guard for each table waits for its
 * lock behind that: the server serves these waiters before any writer. So the triggers can be dropped
 * before the RENAME and made after it without anybody writing in between. Every session is opened
 * beforehand, because from the first lock on everybody waits for us.
 */
import { setTimeout } from 'node:timers/promises';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import { readProcessList } from '../../mysql/process-list.js';
import type { Session } from '../../mysql/session.js';
import type { Alignment } from '../changes/align-objects.js';
import { dropTriggers, makeTriggers, prepareAligning } from '../changes/align-objects.js';
import type { Swap } from './swap.js';
import type { Move } from './swap-plan.js';
import { qualified, renameStatement } from './swap-plan.js';

/** Each guard is a connection; beyond this number one guard watches several tables in turn. */
const GUARDS_MAX = 32;
/** They wait for us above all: for as long as it takes to drop the triggers of a large schema. */
const LOCK_WAIT_SECONDS = 120;
/** Once we have let go, the RENAME waits for others at most this long, and others for it. */
const RENAME_WAIT_MS = 5000;
const QUEUE_WAIT_MS_MAX = 5000;
const POLL_MS = 3;

/** Others did not let the RENAME pass in time; nothing was renamed, and the triggers are as they were. */
export class RenameGivenUp extends Error {}

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
  readonly #sessions: Session[] = [];
  /** Open and without a lock. */
  readonly #free: Session[] = [];

  constructor(swap: Swap, tables: readonly string[]) {
    this.#swap = swap;
    this.#tables = tables;
  }

  /**
   * `holder` has a short lock_wait_timeout; `onLocking` is called right before the first lock. Throws
   * RenameGivenUp, and what the server said to the RENAME.
   */
  async run(holder: Session, moves: readonly Move[], onLocking: () => void): Promise<void> {
    const { live } = this.#swap;
    const groups = this.#groups(moves);
    // One for each guard, one for the RENAME, and one for a guard that takes another one's place.
    if (this.#tables.length > 0) await this.#openAll(groups.length + 2);
    onLocking();
    // What cannot be locked loses its triggers a moment earlier.
    const isLocked = (table: string): boolean => this.#tables.includes(table);
    await dropTriggers(holder, live, (table) => !isLocked(table));
    if (this.#tables.length === 0) {
      await holder.executeLong(renameStatement(moves));
      return;
    }
    const renamer = this.#take();
    await holder.execute(`LOCK TABLES ${this.#locks(this.#tables)}`);
    let rename: Attempt;
    try {
      rename = new Attempt(renamer.executeLong(renameStatement(moves)));
      await this.#awaitQueued(holder, [renamer], () => rename.isSettled);
      const guards = groups.map((tables) => this.#ask(tables));
      await this.#awaitQueued(
        holder,
        guards.map(({ session }) => session),
        () => rename.isSettled,
      );
      await dropTriggers(holder, live, isLocked);
    } finally {
      await holder.execute('UNLOCK TABLES');
    }
    const isGivenUp = await this.#letPass(holder, renamer, rename);
    await this.#makeTriggers(rename.hasFailed ? this.#swap.before : this.#swap.after);
    await rename.result.catch((error: unknown) => {
      const isOurs = isGivenUp && isServerError(error, ERRNO.queryInterrupted);
      throw isOurs ? new RenameGivenUp('the RENAME waited too long', { cause: error }) : error;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()));
  }

  /** Tables that come back under their name and those that do not are guarded apart. */
  #groups(moves: readonly Move[]): string[][] {
    const { live } = this.#swap;
    const arriving = new Set(moves.flatMap(({ table, to }) => (to === live ? [table] : [])));
    const staying = this.#tables.filter((table) => arriving.has(table));
    const leaving = this.#tables.filter((table) => !arriving.has(table));
    return [...inGroups(staying, GUARDS_MAX), ...inGroups(leaving, GUARDS_MAX)];
  }

  async #openAll(count: number): Promise<void> {
    const opening = Array.from({ length: count }, async () => {
      const session = await this.#swap.open();
      this.#sessions.push(session);
      await prepareAligning(session);
      await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
      this.#free.push(session);
    });
    const failed = (await Promise.allSettled(opening)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  #take(): Session {
    const session = this.#free.pop();
    if (session === undefined) throw new Error('a session was opened for each guard');
    return session;
  }

  /**
   * A guard that got its lock before the RENAME had its turn stands in its way: another one takes its
   * place in the queue first, and then it lets go. Gives whether the RENAME was given up, because others
   * did not make way.
   */
  async #letPass(observer: Session, renamer: Session, rename: Attempt): Promise<boolean> {
    const deadlineMs = performance.now() + RENAME_WAIT_MS;
    let isGivenUp = false;
    while (!rename.isSettled) {
      await setTimeout(POLL_MS);
      for (const guard of [...this.#guards]) {
        if (!guard.isGranted) continue;
        const next = this.#ask(guard.tables);
        await this.#awaitQueued(observer, [next.session], () => next.isGranted);
        await this.#release(guard);
        await setTimeout(POLL_MS);
      }
      if (isGivenUp || performance.now() < deadlineMs) continue;
      isGivenUp = true;
      await observer.execute(`KILL QUERY ${renamer.threadId}`);
    }
    return isGivenUp;
  }

  /** Each guard has its tables to itself now: the new ones, or the old ones where the RENAME failed. */
  async #makeTriggers(alignment: Alignment | undefined): Promise<void> {
    const done = [...this.#guards].map(async (guard) => {
      if (!(await hasTables(guard))) return;
      for (const table of guard.tables) {
        if (alignment !== undefined) await makeTriggers(guard.session, alignment, table);
      }
      await this.#release(guard);
    });
    const failed = (await Promise.allSettled(done)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  #ask(tables: readonly string[]): Guard {
    const session = this.#take();
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
    return guard;
  }

  async #release(guard: Guard): Promise<void> {
    this.#guards.delete(guard);
    await guard.session.execute('UNLOCK TABLES');
    this.#free.push(guard.session);
  }

  /** Until the server says that each session waits for a lock. */
  async #awaitQueued(
    observer: Session,
    sessions: readonly Session[],
    isOver: () => boolean,
  ): Promise<void> {
    const ids = new Set(sessions.map(({ threadId }) => String(threadId)));
    const deadlineMs = performance.now() + QUEUE_WAIT_MS_MAX;
    while (!isOver() && performance.now() < deadlineMs) {
      const connections = await readProcessList(observer);
      const waiting = connections.filter(
        ({ id, state }) => ids.has(id) && state.includes('metadata lock'),
      );
      if (waiting.length === sessions.length) return;
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
