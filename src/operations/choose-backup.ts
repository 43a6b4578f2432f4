/** Finds the backup that a command means: the file that was named, or the newest one there is. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import type { Context } from './context.js';

export interface ChosenBackup {
  readonly path: string;
  /** As the user named it, or BACKUP_DIR as written and the name. */
  readonly shown: string;
  /** Its entry, where the catalog lists the file. */
  readonly entry: CatalogEntry | undefined;
}

/** A damaged catalog must not stand between a person and the file that they named. */
export async function readEntries(context: Context): Promise<readonly CatalogEntry[]> {
  try {
    return await context.catalog.read();
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'CATALOG_DAMAGED') throw error;
    context.output.warn({ code: error.code, message: `${error.message}. ${error.hint}` });
    return [];
  }
}

/** Throws BACKUP_NOT_FOUND. */
export function chooseNamed(
  context: Context,
  entries: readonly CatalogEntry[],
  file: string,
): ChosenBackup {
  const { directory } = context.configuration.backup;
  // A bare name means the file in BACKUP_DIR where there is none of that name here.
  const candidates = [resolve(file), ...(isAbsolute(file) ? [] : [join(directory, file)])];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new ReshelveError('BACKUP_NOT_FOUND', `there is no file ${file}`);
  }
  if (!statSync(path).isFile()) {
    throw new ReshelveError(
      'BACKUP_NOT_FOUND',
      `expected a file but found something else: ${file}`,
    );
  }
  const listed = relative(directory, path).split(sep).join('/');
  return {
    path,
    shown: file,
    entry: entries.find((entry) => isBackup(entry) && entry.file === listed),
  };
}

/** Throws BACKUP_NOT_FOUND. */
export function chooseNewest(context: Context, entries: readonly CatalogEntry[]): ChosenBackup {
  const { backup, databaseName } = context.configuration;
  const candidates = entries
    .filter(
      (entry) =>
        entry.type === 'full' &&
        entry.database === databaseName &&
        isBackup(entry) &&
        existsSync(join(backup.directory, entry.file ?? '')),
    )
    .sort((left, right) => (left.startedAt < right.startedAt ? 1 : -1));
  const failed = candidates.filter((entry) => entry.verification?.status === 'failed');
  const entry = candidates.find((candidate) => !failed.includes(candidate));
  if (entry?.file === null || entry === undefined) {
    throw new ReshelveError(
      'BACKUP_NOT_FOUND',
      `there is no backup of ${databaseName} in ${backup.directoryShown}`,
      {
        hint: 'Run `reshelve full`, or name a file; `reshelve catalog rebuild` lists files again.',
      },
    );
  }
  return {
    path: join(backup.directory, entry.file),
    shown: join(backup.directoryShown, entry.file),
    entry,
  };
}

function isBackup(entry: CatalogEntry): boolean {
  return (
    (entry.type === 'full' || entry.type === 'incremental') &&
    entry.status !== 'failed' &&
    entry.file !== null &&
    entry.removedAt === undefined
  );
}
