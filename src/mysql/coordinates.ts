/** Where the server stands in its binary log: what an incremental backup starts from. */
import { ERRNO, isServerError } from './server-error.js';
import { isAtLeast } from './server-facts.js';
import type { Session } from './session.js';

export interface Coordinates {
  readonly binlogFile: string | null;
  readonly binlogPosition: number | null;
  readonly gtidSet: string | null;
}

export const NO_COORDINATES: Coordinates = {
  binlogFile: null,
  binlogPosition: null,
  gtidSet: null,
};

/** What can be read of the coordinates, and why a part is missing. */
export interface CoordinateReading {
  readonly coordinates: Coordinates;
  /** Set where the user lacks the privilege for the binlog's file and position. */
  readonly missingPrivilege?: string;
  /** Whether the server writes a binary log at all. */
  readonly binlogEnabled: boolean;
}

/**
 * Reads the present coordinates. `SHOW BINARY LOG STATUS` replaces `SHOW MASTER STATUS` from MySQL
 * 8.2 on, and 8.4 has no other; MariaDB has only the old name.
 */
export async function readCoordinates(session: Session): Promise<CoordinateReading> {
  const binlogEnabled = (await session.value('SELECT @@GLOBAL.log_bin')) === '1';
  if (!binlogEnabled) return { coordinates: NO_COORDINATES, binlogEnabled };
  const gtidSet = await readGtidSet(session);
  const { flavour } = session.facts;
  const statement =
    flavour === 'mysql' && isAtLeast(session.facts, 8, 2)
      ? 'SHOW BINARY LOG STATUS'
      : 'SHOW MASTER STATUS';
  try {
    const [record] = await session.records(statement);
    const position = record?.['Position'];
    return {
      coordinates: {
        binlogFile: record?.['File'] ?? null,
        binlogPosition: position === undefined || position === null ? null : Number(position),
        gtidSet,
      },
      binlogEnabled,
    };
  } catch (error) {
    if (!isServerError(error, ERRNO.specificAccessDenied)) throw error;
    return {
      coordinates: { ...NO_COORDINATES, gtidSet },
      missingPrivilege: flavour === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT',
      binlogEnabled,
    };
  }
}

async function readGtidSet(session: Session): Promise<string | null> {
  if (session.facts.flavour === 'mariadb') {
    return (await session.value('SELECT @@GLOBAL.gtid_binlog_pos')) ?? null;
  }
  const mode = await session.value('SELECT @@GLOBAL.gtid_mode');
  if (mode !== 'ON') return null;
  const set = await session.value('SELECT @@GLOBAL.gtid_executed');
  return set?.replaceAll(/\s/g, '') ?? null;
}

/** What was run, and what of it is not in the log any more; undefined without GTIDs. */
export async function readGtidState(
  session: Session,
): Promise<{ readonly executed: string; readonly purged: string } | undefined> {
  if ((await session.value('SELECT @@GLOBAL.gtid_mode')) !== 'ON') return undefined;
  return {
    executed: (await session.value('SELECT @@GLOBAL.gtid_executed')) ?? '',
    purged: (await session.value('SELECT @@GLOBAL.gtid_purged')) ?? '',
  };
}

/**
 * The coordinates of exactly the snapshot that this session's transaction reads from: MariaDB keeps
 * them in status variables that need no privilege (MariaDB, "START TRANSACTION WITH CONSISTENT
 * SNAPSHOT"); other servers have no such thing and give undefined.
 */
export async function readSnapshotCoordinates(session: Session): Promise<Coordinates | undefined> {
  if (session.facts.flavour !== 'mariadb') return undefined;
  const records = await session.records("SHOW SESSION STATUS LIKE 'binlog_snapshot_%'");
  const value = (name: string): string | undefined =>
    records.find((record) => record['Variable_name']?.toLowerCase() === name)?.['Value'] ??
    undefined;
  const file = value('binlog_snapshot_file');
  const position = value('binlog_snapshot_position');
  if (file === undefined || file === '' || position === undefined) return undefined;
  return { binlogFile: file, binlogPosition: Number(position), gtidSet: null };
}

/** The server's clock, rounded up to whole milliseconds. */
export async function readServerTime(session: Session): Promise<Date> {
  const ms = await session.value('SELECT CEIL(UNIX_TIMESTAMP(SYSDATE(6)) * 1000)');
  return new Date(Number(ms ?? NaN));
}

/** The identity of the server itself, which a chain must not change. */
export async function readServerUuid(session: Session): Promise<string | null> {
  const variable = session.facts.flavour === 'mariadb' ? '@@GLOBAL.server_uid' : '@@server_uuid';
  try {
    return (await session.value(`SELECT ${variable}`)) ?? null;
  } catch (error) {
    if (isServerError(error)) return null;
    throw error;
  }
}

export function sameCoordinates(left: Coordinates, right: Coordinates): boolean {
  return (
    left.binlogFile === right.binlogFile &&
    left.binlogPosition === right.binlogPosition &&
    left.gtidSet === right.gtidSet
  );
}

/** Whether the coordinates say anything at all, so that equality proves that nothing happened. */
export function areInformative(coordinates: Coordinates): boolean {
  return coordinates.binlogFile !== null || coordinates.gtidSet !== null;
}
