/**
 * The swap itself: one RENAME over all tables, with the triggers dropped before and made after it while
 * nobody can write. Waiting for the locks is bounded, because everybody else waits behind us meanwhile.
 */
import { setTimeout } from 'node:timers/promises';
import { ReshelveError } from '../../errors.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import { isAtLeast } from '../../mysql/server-facts.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import {
  dropTriggers,
  makeTriggers,
  prepareAligning,
  tablesWithTriggers,
} from '../changes/align-objects.js';
import type { Swap } from './swap.js';
import { describeBlockers } from './swap-blockers.js';
import { GuardedRename, RenameGivenUp } from './swap-guarded.js';
import type { Move } from './swap-plan.js';
import { lockStatement, renameStatement } from './swap-plan.js';

/** Who reads or writes waits at most this long for an attempt that fails. */
const LOCK_WAIT_SECONDS = 3;
const ATTEMPTS_MAX = 8;
/** In between the others have their turn. */
const PAUSE_MS = 2000;

/** From the first lock on others wait for us. */
class Hold {
  #sinceMs: number | undefined;

  begin(): void {
    this.#sinceMs ??= performance.now();
  }

  get ms(): number {
    return this.#sinceMs === undefined ? 0 : performance.now() - this.#sinceMs;
  }
}

/**
 * Gives how long others were held up at most, in milliseconds, by an attempt that failed or the one that
 * did not. Throws TIMEOUT, naming who is in the way, when the locks cannot be had; the live database is
 * then as it was.
 */
export async function swapTables(swap: Swap): Promise<number> {
  const session = await swap.open();
  let heldMs = 0;
  try {
    await prepareAligning(session);
    await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    for (let attempt = 1; ; attempt += 1) {
      swap.context.signal.throwIfAborted();
      const hold = new Hold();
      try {
        await attemptSwap(session, swap, hold);
        return Math.max(heldMs, hold.ms);
      } catch (error) {
        if (!othersAreInTheWay(error)) throw error;
        heldMs = Math.max(heldMs, hold.ms);
        const blockers = await describeBlockers(session, swap.live);
        if (attempt >= ATTEMPTS_MAX) throw abandoned(swap, blockers, error);
        swap.context.output.line(
          `Waiting for a long transaction${blockers} (attempt ${attempt} of ${ATTEMPTS_MAX})`,
        );
        await setTimeout(PAUSE_MS);
      }
    }
  } finally {
    await session.close();
  }
}

function othersAreInTheWay(error: unknown): boolean {
  const isLock = isServerError(error, ERRNO.lockWaitTimeout, ERRNO.deadlock);
  return isLock || error instanceof RenameGivenUp;
}

function abandoned({ live }: Swap, blockers: string, cause: unknown): ReshelveError {
  return new ReshelveError(
    'TIMEOUT',
    `the tables of ${live} could not be swapped: in ${ATTEMPTS_MAX} attempts of ${LOCK_WAIT_SECONDS} s ` +
      `a transaction held them${blockers}; the live database is as it was`,
    {
      hint: 'End the long transaction (`SHOW PROCESSLIST`), then run the command again.',
      cause,
    },
  );
}

async function attemptSwap(session: Session, swap: Swap, hold: Hold): Promise<void> {
  const moves = await swap.moves();
  if (moves.length === 0) {
    await makeMissingTriggers(session, swap);
  } else if (!(await lockAll(session, moves, hold))) {
    await renameGuarded(session, swap, moves, hold);
  } else {
    await renameUnderLock(session, swap, moves);
  }
}

/**
 * MySQL 8.0.13 allows RENAME on tables that the session itself has locked; MariaDB does not. With GTIDs
 * MySQL does not lock tables with and without transactions together (error 1785).
 */
async function lockAll(session: Session, moves: readonly Move[], hold: Hold): Promise<boolean> {
  if (session.facts.flavour !== 'mysql' || !isAtLeast(session.facts, 8, 0, 13)) return false;
  hold.begin();
  try {
    await session.execute(lockStatement(moves));
    return true;
  } catch (error) {
    if (isServerError(error, ERRNO.gtidConsistency)) return false;
    throw error;
  }
}

/** All is locked: no instant in which a table could be written to without its triggers. */
async function renameUnderLock(
  session: Session,
  swap: Swap,
  moves: readonly Move[],
): Promise<void> {
  try {
    await dropTriggers(session, swap.live);
    try {
      await session.executeLong(renameStatement(moves));
    } catch (error) {
      if (swap.before !== undefined) await makeTriggers(session, swap.before);
      throw error;
    }
    await makeTriggers(session, swap.after);
  } finally {
    await session.execute('UNLOCK TABLES');
  }
}

async function renameGuarded(
  session: Session,
  swap: Swap,
  moves: readonly Move[],
  hold: Hold,
): Promise<void> {
  const guarded = await tablesWithTriggers(session, swap.live);
  const arriving = swap.after.reader.index.objects.flatMap(({ type, table }) =>
    type === 'trigger' && table !== undefined ? [table] : [],
  );
  const leaving = new Set(moves.filter(({ from }) => from === swap.live).map(({ table }) => table));
  const { tables: listed } = await listTables(session, swap.live);
  // Tables without transactions are not locked together with others (error 1785 again).
  const lockable = new Set(listed.filter((table) => table.transactional).map(({ name }) => name));
  const tables = [...new Set([...guarded, ...arriving])].filter(
    (table) => leaving.has(table) && lockable.has(table),
  );
  const rename = new GuardedRename(swap, tables);
  try {
    await rename.run(session, moves, () => {
      hold.begin();
    });
  } finally {
    await rename.close();
  }
  await makeMissingTriggers(session, swap);
}

/** Of tables that nobody knew before, and all of them where an interrupted run had got that far. */
async function makeMissingTriggers(session: Session, { after, live }: Swap): Promise<void> {
  const present = new Set(await tablesWithTriggers(session, live));
  const wanted = after.reader.index.objects.flatMap(({ type, table }) =>
    type === 'trigger' && table !== undefined ? [table] : [],
  );
  for (const table of new Set(wanted)) {
    if (!present.has(table)) await makeTriggers(session, after, table);
  }
}
