/**
 * One instant for all readers. Each rung of the ladder needs fewer privileges than the one before
 * it; the first that the grants allow is taken, and its name goes into the archive.
 */
import { ReshelveError } from '../errors.js';
import { quoteIdentifier } from '../sql/quote.js';
import {
  areInformative,
  type CoordinateReading,
  type Coordinates,
  readCoordinates,
  readServerTime,
  readSnapshotCoordinates,
  sameCoordinates,
} from './coordinates.js';
import type { DdlGuard } from './ddl-guard.js';
import { holdTables } from './ddl-guard.js';
import type { GrantSet } from './grants.js';
import { ERRNO, isServerError } from './server-error.js';
import type { Session } from './session.js';

export type Consistency =
  'global-read-lock' | 'table-locks' | 'coordinate-check' | 'single-connection';

export interface SnapshotRequest {
  readonly database: string;
  /** Tables by name; the transactional ones are read from the snapshot. */
  readonly tables: readonly { readonly name: string; readonly transactional: boolean }[];
  readonly grants: GrantSet;
  /** How many readers are wanted; the lowest rung gives one. */
  readonly readers: number;
  /** Opens one more session in the database. */
  readonly open: () => Promise<Session>;
  /** Holds definitions still; called once by each rung that is tried. */
  readonly guard: () => Promise<DdlGuard>;
  /** Told of each rung that was tried and given up, and why. */
  readonly note: (line: string) => void;
}

export interface Snapshot {
  readonly readers: readonly Session[];
  readonly consistency: Consistency;
  readonly consistencyNote: string;
  readonly coordinates: Coordinates;
  /** Why coordinates are missing, for the user. */
  readonly missingPrivilege?: string;
  /** By the server's clock, as commit times are; never before the instant itself. */
  readonly takenAt: Date;
  readonly guard: DdlGuard;
  /** Tables without transactions that are locked against writes until `releaseTableLock`. */
  readonly lockedTables: readonly string[];
  /** Lets writers of the non-transactional tables go on; may be called twice. */
  releaseTableLock(): Promise<void>;
  /** Ends everything that the snapshot holds. */
  close(): Promise<void>;
}

/** How long to wait for a lock that makes everybody else wait behind us. */
const LOCK_WAIT_SECONDS = 10;
const DEADLOCK_ATTEMPTS_MAX = 5;
const LOCK_TIMEOUT_MS = (LOCK_WAIT_SECONDS + 20) * 1000;
const COORDINATE_CHECK_ATTEMPTS = 20;
/**
 * How long a session waits for a table while a snapshot is open. Whoever alters a table may be waiting for
 * us while we wait for him, and everybody else's statements queue behind him; and where somebody flushes
 * tables, no session opens one again that another session of ours holds locked.
 */
const READING_LOCK_WAIT_SECONDS = 30;

export async function limitLockWaits(session: Session): Promise<void> {
  await session.execute(`SET SESSION lock_wait_timeout = ${READING_LOCK_WAIT_SECONDS}`);
}

const NOTES: Readonly<Record<Consistency, string>> = {
  'global-read-lock': 'one instant under FLUSH TABLES WITH READ LOCK, held while snapshots opened',
  'table-locks': 'one instant under LOCK TABLES … READ, held while snapshots opened',
  'coordinate-check': 'one instant without locks: the binlog did not move while snapshots opened',
  'single-connection': 'one instant of a single connection',
};

export async function openSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const { grants, database } = request;
  if (grants.holdsGlobally('RELOAD')) {
    const snapshot = await tryRung(request, 'global-read-lock', underGlobalLock);
    if (snapshot !== undefined) return snapshot;
  }
  if (grants.holdsOnDatabase('LOCK TABLES', database)) {
    const snapshot = await tryRung(request, 'table-locks', underTableLocks);
    if (snapshot !== undefined) return snapshot;
  }
  if (request.readers > 1) {
    const snapshot = await tryRung(request, 'coordinate-check', byCoordinates);
    if (snapshot !== undefined) return snapshot;
  }
  return onSingleConnection(request);
}

type Rung = (request: SnapshotRequest) => Promise<Snapshot | undefined>;

/** A rung that the server refuses or that takes too long is given up, not the backup. */
async function tryRung(
  request: SnapshotRequest,
  name: Consistency,
  rung: Rung,
): Promise<Snapshot | undefined> {
  try {
    return await rung(request);
  } catch (error) {
    const refused =
      isServerError(error, ERRNO.lockWaitTimeout, ERRNO.deadlock, ERRNO.specificAccessDenied) ||
      isServerError(error, ERRNO.dbAccessDenied, ERRNO.tableAccessDenied, ERRNO.accessDenied);
    if (!refused) throw error;
    request.note(`${name} is not possible: ${error.message}`);
    return undefined;
  }
}

/**
 * The guard comes after the read lock: on MySQL, DDL that waits for the backup lock holds what FLUSH
 * TABLES WITH READ LOCK waits for, and everybody's writes would wait with it.
 */
async function underGlobalLock(request: SnapshotRequest): Promise<Snapshot> {
  return withReaders(request, request.readers, async (readers, own) => {
    const lock = own(await request.open());
    const tableLock = own(await request.open());
    await lock.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    await lock.execute('FLUSH TABLES WITH READ LOCK', { timeoutMs: LOCK_TIMEOUT_MS });
    const guard = own(await request.guard());
    const lockedTables = await lockNonTransactional(request, tableLock);
    await startSnapshots(readers, request, guard);
    const reading = await readCoordinates(lock);
    const takenAt = await readServerTime(lock);
    await lock.execute('UNLOCK TABLES');
    return { consistency: 'global-read-lock', reading, takenAt, guard, lockedTables, tableLock };
  });
}

async function underTableLocks(request: SnapshotRequest): Promise<Snapshot> {
  return withReaders(request, request.readers, async (readers, own) => {
    const lock = own(await request.open());
    const tableLock = own(await request.open());
    const guard = own(await request.guard());
    await lock.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    if (request.tables.length > 0) {
      await lockTables(lock, request.tables);
    }
    const lockedTables = await lockNonTransactional(request, tableLock);
    await startSnapshots(readers, request, guard);
    // Nothing commits to these tables under the lock, so any position in this window is exact.
    const reading = await readCoordinates(lock);
    const takenAt = await readServerTime(lock);
    await lock.execute('UNLOCK TABLES');
    return { consistency: 'table-locks', reading, takenAt, guard, lockedTables, tableLock };
  });
}

async function byCoordinates(request: SnapshotRequest): Promise<Snapshot | undefined> {
  const probe = await request.open();
  try {
    if (!areInformative((await readCoordinates(probe)).coordinates)) return undefined;
  } finally {
    await probe.close();
  }
  for (let attempt = 0; attempt < COORDINATE_CHECK_ATTEMPTS; attempt += 1) {
    const snapshot = await oneCoordinateCheck(request);
    if (snapshot !== undefined) return snapshot;
  }
  request.note(
    `coordinate-check is not possible: transactions committed during each of ` +
      `${COORDINATE_CHECK_ATTEMPTS} attempts`,
  );
  return undefined;
}

async function oneCoordinateCheck(request: SnapshotRequest): Promise<Snapshot | undefined> {
  const check = { unmoved: false };
  const snapshot = await withReaders(request, request.readers, async (readers, own) => {
    const observer = own(await request.open());
    const guard = own(await request.guard());
    const before = await readCoordinates(observer);
    await startSnapshots(readers, request, guard);
    const after = await readCoordinates(observer);
    const exact = await Promise.all(readers.map(readSnapshotCoordinates));
    check.unmoved = exact.every((value) => value !== undefined)
      ? allSame(exact)
      : sameCoordinates(before.coordinates, after.coordinates);
    const reading = withExactCoordinates(after, exact[0]);
    return {
      consistency: 'coordinate-check',
      reading,
      takenAt: await readServerTime(observer),
      guard,
      lockedTables: [],
    };
  });
  if (check.unmoved) return snapshot;
  await snapshot.close();
  return undefined;
}

async function onSingleConnection(request: SnapshotRequest): Promise<Snapshot> {
  return withReaders(request, 1, async (readers, own) => {
    const observer = own(await request.open());
    const guard = own(await request.guard());
    const before = await readCoordinates(observer);
    await startSnapshots(readers, request, guard);
    const after = await readCoordinates(observer);
    const [reader] = readers;
    const exact = reader === undefined ? undefined : await readSnapshotCoordinates(reader);
    const unmoved = sameCoordinates(before.coordinates, after.coordinates);
    const reading: CoordinateReading =
      exact !== undefined || unmoved
        ? withExactCoordinates(after, exact)
        : { ...after, coordinates: { binlogFile: null, binlogPosition: null, gtidSet: null } };
    return {
      consistency: 'single-connection',
      reading,
      takenAt: await readServerTime(observer),
      guard,
      lockedTables: [],
    };
  });
}

function withExactCoordinates(
  reading: CoordinateReading,
  exact: Coordinates | undefined,
): CoordinateReading {
  if (exact === undefined) return reading;
  return { coordinates: exact, binlogEnabled: reading.binlogEnabled };
}

function allSame(values: readonly (Coordinates | undefined)[]): boolean {
  const [first] = values;
  return values.every(
    (value) => value !== undefined && first !== undefined && sameCoordinates(value, first),
  );
}

interface RungResult {
  readonly consistency: Consistency;
  readonly reading: CoordinateReading;
  readonly takenAt: Date;
  readonly guard: DdlGuard;
  readonly lockedTables: readonly string[];
  readonly tableLock?: Session;
}

interface Closable {
  close(): Promise<void>;
}

/** Opens the readers and whatever else the rung needs; a rung that fails leaves nothing open. */
async function withReaders(
  request: SnapshotRequest,
  count: number,
  rung: (readers: Session[], own: <T extends Closable>(resource: T) => T) => Promise<RungResult>,
): Promise<Snapshot> {
  const opened: Closable[] = [];
  const own = <T extends Closable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.map((resource) => resource.close()));
  };
  try {
    const readers: Session[] = [];
    for (let at = 0; at < count; at += 1) readers.push(own(await request.open()));
    const result = await rung(readers, own);
    const { missingPrivilege } = result.reading;
    return {
      readers,
      consistency: result.consistency,
      consistencyNote: NOTES[result.consistency],
      coordinates: result.reading.coordinates,
      ...(missingPrivilege === undefined ? {} : { missingPrivilege }),
      takenAt: result.takenAt,
      guard: result.guard,
      lockedTables: result.lockedTables,
      releaseTableLock: async () => {
        await result.tableLock?.close();
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function startSnapshots(
  readers: readonly Session[],
  request: SnapshotRequest,
  guard: DdlGuard,
): Promise<void> {
  await Promise.all(
    readers.map(async (reader) => {
      await reader.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await reader.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
      if (guard.kind === 'metadata-locks') await holdTables(reader, request.tables);
      await limitLockWaits(reader);
    }),
  );
}

/**
 * Statements that change definitions meanwhile can make this one the victim of a deadlock of metadata
 * locks: it then holds nothing and is run again.
 */
async function lockTables(
  session: Session,
  tables: readonly { readonly name: string }[],
): Promise<void> {
  const list = tables.map((table) => `${quoteIdentifier(table.name)} READ`).join(', ');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.execute(`LOCK TABLES ${list}`, { timeoutMs: LOCK_TIMEOUT_MS });
      return;
    } catch (error) {
      if (!isServerError(error, ERRNO.deadlock) || attempt >= DEADLOCK_ATTEMPTS_MAX) throw error;
    }
  }
}

async function lockNonTransactional(request: SnapshotRequest, session: Session): Promise<string[]> {
  const tables = request.tables.filter((table) => !table.transactional);
  if (tables.length === 0 || !request.grants.holdsOnDatabase('LOCK TABLES', request.database)) {
    return [];
  }
  await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
  await lockTables(session, tables);
  return tables.map((table) => table.name);
}

/** Fails where no snapshot of transactional tables exists at all. */
export function assertReaders(snapshot: Snapshot): readonly [Session, ...Session[]] {
  const [first, ...others] = snapshot.readers;
  if (first === undefined) throw new ReshelveError('SNAPSHOT', 'no reader could be opened');
  return [first, ...others];
}
