/**
 * The life of a backup's file: a hidden temporary name until it is complete and checked, then its
 * own name, and the directory told about it (DESIGN, "Write order is law").
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileError } from '../file-errors.js';
import type { BackupKind } from '../catalog/names.js';
import { newBackupPath, partialPath } from '../catalog/names.js';
import { syncDirectory } from '../catalog/store-files.js';
import type { Run } from './run.js';

export interface BackupFile {
  /** Relative to BACKUP_DIR, as the catalog lists it. */
  readonly relative: string;
  /** As the user knows it, for messages: BACKUP_DIR as written. */
  readonly shown: string;
  readonly finalPath: string;
  readonly partialPath: string;
}

export function nameBackupFile(run: Run, kind: BackupKind): BackupFile {
  const { backup, databaseName } = run.context.configuration;
  const relative = newBackupPath(
    { kind, database: databaseName, startedAt: run.startedAt, timeZone: backup.timeZone },
    (path) => existsSync(join(backup.directory, path)),
  );
  const partial = partialPath(relative, run.id.replaceAll('-', '').slice(0, 12));
  return {
    relative,
    shown: join(backup.directoryShown, relative),
    finalPath: join(backup.directory, relative),
    partialPath: join(backup.directory, partial),
  };
}

/** Gives the complete, checked file its name. Only the lock's holder may. */
export async function publish(run: Run, file: BackupFile): Promise<void> {
  run.context.signal.throwIfAborted();
  await run.confirmLock();
  try {
    await rename(file.partialPath, file.finalPath);
  } catch (error) {
    throw fileError(error, 'rename', file.partialPath);
  }
  await syncDirectory(dirname(file.finalPath));
}

/** Takes the finished name back from a backup whose run could not be recorded. */
export async function withdraw(file: BackupFile): Promise<void> {
  await rm(file.finalPath, { force: true }).catch(() => undefined);
}

/** Removes what a failed run leaves; a second failure here must not hide the first. */
export async function discard(file: BackupFile): Promise<void> {
  await rm(file.partialPath, { force: true }).catch(() => undefined);
}
