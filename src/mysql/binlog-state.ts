/** What of the server's binary log a chain of backups stands on. */
import type { BinlogState, Coordinates } from '../archive/index-types.js';
import { EVENT } from '../binlog/event.js';
import { quoteString } from '../sql/quote.js';
import { refusalOf, readBinlog } from './binlog-stream.js';
import { ERRNO, isServerError } from './server-error.js';
import { isAtLeast } from './server-facts.js';
import type { Session } from './session.js';

export interface BinlogReading {
  readonly state: BinlogState;
  /** Transactions prepared by XA right now; undefined where the user may not see them. */
  readonly preparedXa: number | undefined;
}

/**
 * Reads it for a backup that stands at `coordinates`. Undefined where there is no binary log or no
 * place in it. `open` gives a session that is used up.
 */
export async function readBinlogState(
  session: Session,
  coordinates: Coordinates,
  open: () => Promise<Session>,
): Promise<BinlogReading | undefined> {
  const { binlogFile, binlogPosition: position } = coordinates;
  if (binlogFile === null || position === null) return undefined;
  const state: BinlogState = {
    fileCreatedAt: await readFileCreatedAt(open, { binlogFile, position }),
    ...(await readModes(session)),
    pendingXa: [],
    unreplayable: null,
  };
  return { state, preparedXa: await countPreparedXa(session) };
}

export async function readModes(
  session: Session,
): Promise<Pick<BinlogState, 'format' | 'gtidMode'>> {
  const isMySql = session.facts.flavour === 'mysql';
  return {
    format: (await session.value('SELECT @@GLOBAL.binlog_format')) ?? null,
    gtidMode: isMySql ? ((await session.value('SELECT @@GLOBAL.gtid_mode')) ?? null) : null,
  };
}

/** Null where the server does not give its log to this user. */
export async function readFileCreatedAt(
  open: () => Promise<Session>,
  place: { readonly binlogFile: string; readonly position: number },
): Promise<number | null> {
  const session = await open();
  try {
    for await (const event of readBinlog(session, { place })) {
      if (event.type === EVENT.formatDescription) return event.timestamp;
    }
    return null;
  } catch (error) {
    if (refusalOf(error) !== undefined) return null;
    throw error;
  } finally {
    session.destroy(new Error('the head of the log was all that was wanted'));
  }
}

/** Undefined where this user may not see them. */
export async function countPreparedXa(session: Session): Promise<number | undefined> {
  try {
    return (await session.query('XA RECOVER')).rows.length;
  } catch (error) {
    const { specificAccessDenied, dbAccessDenied } = ERRNO;
    const isRefused = isServerError(error, specificAccessDenied, dbAccessDenied, ERRNO_XA_DENIED);
    if (isRefused) return undefined;
    throw error;
  }
}

/** XA RECOVER without XA_RECOVER_ADMIN. */
const ERRNO_XA_DENIED = 1401;

export interface LogFile {
  readonly name: string;
  readonly size: number;
}

/** The files that the server has, oldest first; undefined where the user may not see them. */
export async function listLogFiles(session: Session): Promise<LogFile[] | undefined> {
  try {
    const records = await session.records('SHOW BINARY LOGS');
    return records.map((record) => ({
      name: record['Log_name'] ?? '',
      size: Number(record['File_size'] ?? 0),
    }));
  } catch (error) {
    if (isServerError(error, ERRNO.specificAccessDenied)) return undefined;
    throw error;
  }
}

/** Collations by id, for statements name them by number. */
export async function readCollations(
  session: Session,
): Promise<Map<number, { readonly charset: string; readonly collation: string }>> {
  const records = await session.records(
    'SELECT ID AS id, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation ' +
      'FROM information_schema.COLLATIONS WHERE ID IS NOT NULL AND CHARACTER_SET_NAME IS NOT NULL',
  );
  return new Map(
    records.map(({ id, charset, collation }) => [
      Number(id),
      { charset: charset ?? '', collation: collation ?? '' },
    ]),
  );
}

/**
 * Tables whose foreign keys lead into another database and change by what happens there, without a word in
 * the log. None where cascades are done, and logged, above the storage engine: MySQL 9.6 and later.
 */
export async function listHiddenCascades(session: Session, database: string): Promise<string[]> {
  if (await logsCascades(session)) return [];
  const { rows } = await session.query(
    'SELECT DISTINCT TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS ' +
      `WHERE CONSTRAINT_SCHEMA = ${quoteString(database)} ` +
      'AND UNIQUE_CONSTRAINT_SCHEMA <> CONSTRAINT_SCHEMA ' +
      "AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))",
  );
  return rows.map((row) => row[0]?.toString('utf8') ?? '');
}

async function logsCascades(session: Session): Promise<boolean> {
  if (session.facts.flavour !== 'mysql' || !isAtLeast(session.facts, 9, 6)) return false;
  return (await session.value('SELECT @@GLOBAL.innodb_native_foreign_keys')) === '0';
}

const DAY_SECONDS = 24 * 3600;
/** A weekend in which nobody looks. */
export const LOG_EXPIRY_SECONDS_MIN = 3 * DAY_SECONDS;

/** The age at which the server deletes its log files; 0 is never. */
export async function readLogExpirySeconds(session: Session): Promise<number> {
  const records = await session.records(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds', 'expire_logs_days')",
  );
  return expirySecondsOf(
    new Map(records.map((record) => [record['Variable_name'] ?? '', record['Value'] ?? ''])),
  );
}

/** `3.0 days`, `1.0 hours`. */
export function expiryWords(seconds: number): string {
  return seconds < DAY_SECONDS
    ? `${(seconds / 3600).toFixed(1)} hours`
    : `${(seconds / DAY_SECONDS).toFixed(1)} days`;
}

export function expirySecondsOf(variables: ReadonlyMap<string, string>): number {
  return (
    Number(variables.get('binlog_expire_logs_seconds') ?? 0) ||
    Number(variables.get('expire_logs_days') ?? 0) * DAY_SECONDS
  );
}
