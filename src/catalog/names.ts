/** File names of backups, relative to BACKUP_DIR and with `/`: how they are built and read. */
import { assert } from '../errors.js';
import { decodeDatabaseName, encodeDatabaseName } from './database-name.js';
import { zoneOffset } from './zone-offset.js';

export type BackupKind = 'full' | 'incremental' | 'emergency';

/** What a file name says. */
export interface BackupName {
  readonly kind: BackupKind;
  readonly database: string;
  /** Local time in BACKUP_TIMEZONE, `20260102_020000`. */
  readonly localTime: string;
  /** 1, or more where several backups began in the same local second. */
  readonly ordinal: number;
}

const SUFFIX = '.sql.gz';
const PARTIAL_SUFFIX = '.partial';
const ORDINAL_MAX = 99;

interface Place {
  readonly folder: string;
  readonly prefix: string;
}

const PLACES: Readonly<Record<BackupKind, Place>> = {
  full: { folder: '', prefix: '' },
  incremental: { folder: 'incremental/', prefix: 'incremental_' },
  emergency: { folder: 'emergency/', prefix: 'pre_restore_' },
};

/** Everything that BACKUP_DIR holds from the start. */
export const BACKUP_FOLDERS = [
  'incremental',
  'emergency',
  'archives/weekly',
  'archives/monthly',
  'archives/yearly',
] as const;

/** Two digits, so that `_02` … `_99` sort as text; `.` sorts before `_`, so the first one leads. */
const FINISHED =
  /^(incremental_|pre_restore_|)([A-Za-z0-9_@-]+)_(\d{8}_\d{6})(?:_(\d{2}))?\.sql\.gz$/;

const PARTIAL = /^\.(.+)\.([0-9a-z]{4,24})\.partial$/;

/** `YYYYMMDD_HHMMSS` of an instant in an IANA time zone. */
export function localTimestamp(at: Date, timeZone: string): string {
  const wall = new Date(at.getTime() + zoneOffset(timeZone)(at.getTime())).toISOString();
  const [date = '', time = ''] = wall.replaceAll(/[-:]/g, '').split(/[T.]/);
  assert(/^\d{14}$/.test(date + time), 'a time in a file name has a year of four digits');
  return `${date}_${time}`;
}

export interface NewBackup {
  readonly kind: BackupKind;
  readonly database: string;
  readonly startedAt: Date;
  readonly timeZone: string;
}

/**
 * The relative path for a new backup. `isTaken` tells whether a path is in use (a finished file or
 * one under way); the same local second, also in the hour that daylight saving repeats, gives
 * `_02`, `_03` and so on.
 */
export function newBackupPath(backup: NewBackup, isTaken: (path: string) => boolean): string {
  const localTime = localTimestamp(backup.startedAt, backup.timeZone);
  for (let ordinal = 1; ordinal <= ORDINAL_MAX; ordinal++) {
    const { kind, database } = backup;
    const path = formatBackupPath({ kind, database, localTime, ordinal });
    if (!isTaken(path)) return path;
  }
  throw new Error(`assertion failed: ${ORDINAL_MAX} backups of one second`);
}

export function formatBackupPath(name: BackupName): string {
  const { folder, prefix } = PLACES[name.kind];
  const ordinal = name.ordinal === 1 ? '' : `_${String(name.ordinal).padStart(2, '0')}`;
  return `${folder}${prefix}${encodeDatabaseName(name.database)}_${name.localTime}${ordinal}${SUFFIX}`;
}

/**
 * Reads a bare file name, wherever the file lies now. Undefined where it is not exactly a name
 * that we give.
 */
export function parseBackupFileName(fileName: string): BackupName | undefined {
  const [, prefix, encoded, localTime, digits] = FINISHED.exec(fileName) ?? [];
  if (prefix === undefined || encoded === undefined || localTime === undefined) return undefined;
  const database = decodeDatabaseName(encoded);
  const ordinal = digits === undefined ? 1 : Number(digits);
  if (database === undefined || !isRealTime(localTime)) return undefined;
  if (digits !== undefined && ordinal < 2) return undefined;
  return { kind: kindOfPrefix(prefix), database, localTime, ordinal };
}

/** As `parseBackupFileName`, for a path in BACKUP_DIR: the folder must be the kind's own. */
export function parseBackupPath(path: string): BackupName | undefined {
  const name = parseBackupFileName(path.slice(path.lastIndexOf('/') + 1));
  return name !== undefined && formatBackupPath(name) === path ? name : undefined;
}

/** Oldest first: by local time, then ordinal. The hour that daylight saving repeats overlaps. */
export function compareBackupNames(left: BackupName, right: BackupName): number {
  const byTime = compareText(left.localTime, right.localTime);
  return byTime === 0 ? left.ordinal - right.ordinal : byTime;
}

/**
 * The hidden name under which a backup is written until it is finished: beside its final place, so
 * that the rename is atomic. `id` is 4 to 24 lower-case letters and digits.
 */
export function partialPath(path: string, id: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const partial = `.${path.slice(slash)}.${id}${PARTIAL_SUFFIX}`;
  assert(
    PARTIAL.test(partial),
    'the id of a partial file is 4 to 24 lower-case letters and digits',
  );
  return path.slice(0, slash) + partial;
}

const SEGMENT_ID = 'stream';

/** The id for the partial file of a segment of continuous capture, which outlives runs of others. */
export function segmentPartialId(random: string): string {
  return `${SEGMENT_ID}${random}`;
}

export function isSegmentPartialId(id: string): boolean {
  return id.startsWith(SEGMENT_ID);
}

/** The lock of the continuous capture of a database, in BACKUP_DIR. */
export function streamLockName(database: string): string {
  return `.reshelve.stream.${encodeDatabaseName(database)}.lock`;
}

/** What that capture says of itself, in BACKUP_DIR. */
export function streamStateName(database: string): string {
  return `.reshelve.stream.${encodeDatabaseName(database)}.json`;
}

/** The finished path and the id of a name that `partialPath` gave, else undefined. */
export function parsePartialPath(path: string): { path: string; id: string } | undefined {
  const slash = path.lastIndexOf('/') + 1;
  const [, fileName, id] = PARTIAL.exec(path.slice(slash)) ?? [];
  if (fileName === undefined || id === undefined) return undefined;
  const finished = path.slice(0, slash) + fileName;
  return parseBackupPath(finished) === undefined ? undefined : { path: finished, id };
}

function kindOfPrefix(prefix: string): BackupKind {
  if (prefix === PLACES.incremental.prefix) return 'incremental';
  return prefix === PLACES.emergency.prefix ? 'emergency' : 'full';
}

/** A month of 1 to 12, a day that the month has, an hour below 24, and so on. */
function isRealTime(localTime: string): boolean {
  const iso = localTime.replace(
    /^(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})$/,
    '$1-$2-$3T$4:$5:$6.000Z',
  );
  const time = new Date(iso);
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso;
}

/** Where emergency backups and the journals of recoveries lie. */
export const RECOVERY_FOLDER = 'emergency';
const JOURNAL = /^recovery_([A-Za-z0-9_@-]+)_(\d{8}_\d{6})(?:_(\d{2}))?\.journal$/;

/** The relative path for the journal of a new recovery; named as its emergency backup is. */
export function newJournalPath(
  recovery: Omit<NewBackup, 'kind'>,
  isTaken: (path: string) => boolean,
): string {
  const localTime = localTimestamp(recovery.startedAt, recovery.timeZone);
  const start = `${RECOVERY_FOLDER}/recovery_${encodeDatabaseName(recovery.database)}_${localTime}`;
  for (let ordinal = 1; ordinal <= ORDINAL_MAX; ordinal++) {
    const path = `${start}${ordinal === 1 ? '' : `_${String(ordinal).padStart(2, '0')}`}.journal`;
    if (!isTaken(path)) return path;
  }
  throw new Error(`assertion failed: ${ORDINAL_MAX} recoveries of one second`);
}

/** The database of a path that `newJournalPath` gave, else undefined. */
export function parseJournalPath(path: string): { readonly database: string } | undefined {
  const [folder, fileName, ...others] = path.split('/');
  if (folder !== RECOVERY_FOLDER || fileName === undefined || others.length > 0) return undefined;
  const [, encoded, localTime] = JOURNAL.exec(fileName) ?? [];
  if (encoded === undefined || localTime === undefined || !isRealTime(localTime)) return undefined;
  const database = decodeDatabaseName(encoded);
  return database === undefined ? undefined : { database };
}

/** Code-unit order, the same in every locale. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
