/** What backups there are: the catalog and the backup directory, held against each other. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import { BACKUP_FOLDERS, parseBackupFileName } from '../catalog/names.js';
import type { BackupKind } from '../catalog/names.js';
import type { CatalogEntry, RunStatus, Verification } from '../catalog/records.js';
import { hasCode } from '../catalog/store-files.js';
import { ReshelveError } from '../errors.js';
import { withFileErrors } from '../file-errors.js';
import type { Context } from './context.js';

/** How a backup and its file look beside what the catalog says of them. */
export type BackupState =
  /** As listed. */
  | 'present'
  /** Listed, but there is no such file. */
  | 'missing'
  /** Listed with another size than the file has. */
  | 'changed'
  /** A file with the name of a backup that the catalog does not list. */
  | 'unlisted'
  /** As unlisted, but the same backup is listed under another name. */
  | 'copy';

export interface ListedBackup {
  /** ISO 8601 UTC; undefined for an unlisted file that cannot be read. */
  readonly startedAt?: string;
  readonly kind: BackupKind;
  readonly database: string;
  /** Relative to BACKUP_DIR. */
  readonly file: string;
  readonly state: BackupState;
  /** Of the file; of the catalog where it is missing. */
  readonly sizeBytes: number | null;
  readonly tables?: number;
  readonly rows?: number;
  readonly status?: RunStatus;
  readonly warnings?: readonly string[];
  readonly verifiedAt?: string;
  readonly verification?: Verification;
  /** Of the run that made it. */
  readonly id?: string;
}

export interface BackupList {
  /** Newest first; those that cannot be dated come last. */
  readonly backups: readonly ListedBackup[];
  /** Every run in the catalog, newest first. */
  readonly runs: readonly CatalogEntry[];
  /** Why the catalog could not be read; the list then holds only what the files say. */
  readonly catalogProblem?: ReshelveError;
}

/** Reads only. Throws DIRECTORY or IO where the backup directory cannot be read. */
export async function listBackups(
  context: Pick<Context, 'configuration' | 'catalog'>,
): Promise<BackupList> {
  const { directory } = context.configuration.backup;
  const { entries, problem } = await readEntries(context);
  const files = await findBackupFiles(directory);
  const backups: ListedBackup[] = [];
  for (const entry of entries) backups.push(...describeEntry(entry, files));
  const listed = new Set(backups.map((backup) => backup.file));
  const listedIds = new Set(backups.map((backup) => backup.id));
  for (const [file, sizeBytes] of files) {
    if (listed.has(file)) continue;
    backups.push(await describeUnlisted(directory, file, sizeBytes, listedIds));
  }
  return {
    backups: backups.sort(newestFirst),
    runs: [...entries].sort(newestFirst),
    ...(problem === undefined ? {} : { catalogProblem: problem }),
  };
}

async function readEntries(
  context: Pick<Context, 'catalog'>,
): Promise<{ entries: readonly CatalogEntry[]; problem?: ReshelveError }> {
  try {
    return { entries: await context.catalog.read() };
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'CATALOG_DAMAGED') throw error;
    return { entries: [], problem: error };
  }
}

/** Relative paths of all files with the name of a backup, with their sizes. */
async function findBackupFiles(directory: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const folder of ['', ...BACKUP_FOLDERS]) {
    for (const name of await namesIn(join(directory, folder))) {
      if (parseBackupFileName(name) === undefined) continue;
      const file = folder === '' ? name : `${folder}/${name}`;
      const sizeBytes = await sizeOf(join(directory, file));
      if (sizeBytes !== undefined) files.set(file, sizeBytes);
    }
  }
  return files;
}

async function namesIn(directory: string): Promise<string[]> {
  return withFileErrors('list', directory, async () => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

/** Undefined where the file was removed meanwhile, or is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  return withFileErrors('look at', path, async () => {
    try {
      const stats = await stat(path);
      return stats.isFile() ? stats.size : undefined;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
}

/** The backups that a run made: none, one, or the emergency backup of a recovery. */
function describeEntry(entry: CatalogEntry, files: ReadonlyMap<string, number>): ListedBackup[] {
  const { type, status, startedAt, database, id } = entry;
  if (entry.removedAt !== undefined) return [];
  if (entry.emergencyFile !== undefined) {
    const file = entry.emergencyFile;
    const sizeBytes = files.get(file);
    const state = sizeBytes === undefined ? 'missing' : 'present';
    return [
      { startedAt, kind: 'emergency', database, file, state, sizeBytes: sizeBytes ?? null, id },
    ];
  }
  if ((type !== 'full' && type !== 'incremental') || status === 'failed') return [];
  if (entry.file === null) return [];
  const sizeBytes = files.get(entry.file);
  const { tables, rows, warnings, verifiedAt, verification } = entry;
  return [
    {
      startedAt,
      kind: type,
      database,
      file: entry.file,
      state: stateOf(entry.sizeBytes, sizeBytes),
      sizeBytes: sizeBytes ?? entry.sizeBytes,
      ...(tables === undefined ? {} : { tables }),
      ...(rows === undefined ? {} : { rows }),
      status,
      ...(warnings === undefined ? {} : { warnings }),
      ...(verifiedAt === undefined ? {} : { verifiedAt }),
      ...(verification === undefined ? {} : { verification }),
      id,
    },
  ];
}

function stateOf(listedBytes: number | null, foundBytes: number | undefined): BackupState {
  if (foundBytes === undefined) return 'missing';
  return listedBytes !== null && listedBytes !== foundBytes ? 'changed' : 'present';
}

/** What a file that nobody listed says of itself. */
async function describeUnlisted(
  directory: string,
  file: string,
  sizeBytes: number,
  listedIds: ReadonlySet<string | undefined>,
): Promise<ListedBackup> {
  const name = parseBackupFileName(file.slice(file.lastIndexOf('/') + 1));
  const known = {
    kind: name?.kind ?? 'full',
    database: name?.database ?? '',
    file,
    state: 'unlisted' as const,
    sizeBytes,
  };
  try {
    const reader = await openArchive(join(directory, file));
    await reader.close();
    const { id, startedAt, database, totals } = reader.index.header;
    const { tables, rows } = totals;
    const state = listedIds.has(id) ? 'copy' : 'unlisted';
    return { ...known, startedAt, database, state, tables, rows };
  } catch (error) {
    // Also a dump that mysqldump wrote; `inspect` tells more.
    if (error instanceof ReshelveError) return known;
    throw error;
  }
}

function newestFirst(
  left: { readonly startedAt?: string; readonly file: string | null },
  right: { readonly startedAt?: string; readonly file: string | null },
): number {
  const difference = Date.parse(right.startedAt ?? '') - Date.parse(left.startedAt ?? '');
  if (Number.isNaN(difference)) {
    if (left.startedAt !== undefined) return -1;
    if (right.startedAt !== undefined) return 1;
  }
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return (left.file ?? '') < (right.file ?? '') ? 1 : -1;
}
