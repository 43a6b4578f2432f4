/** The backup of the present state that a recovery can go back to, and how many of them are kept. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReshelveError } from '../../errors.js';
import type { BackupFile } from '../backup-file.js';
import { discard, nameBackupFile, publish } from '../backup-file.js';
import { hashFile } from '../catalog-rebuild.js';
import { assertSound } from '../check-file.js';
import type { Warning } from '../context.js';
import type { Run } from '../run.js';
import { writeArchive } from '../dump/write-archive.js';

export interface EmergencyBackup extends BackupFile {
  readonly sha256: string;
  readonly warnings: readonly Warning[];
}

export function nameEmergencyBackup(run: Run): BackupFile {
  return nameBackupFile(run, 'emergency');
}

/**
 * Always with the native engine, whatever BACKUP_ENGINE says: only its files can be compared with what
 * they were made from. Every byte and every row digest is checked before it has its name.
 */
export async function makeEmergencyBackup(run: Run, file: BackupFile): Promise<EmergencyBackup> {
  try {
    const { warnings } = await writeArchive(run, file.partialPath);
    await assertSound(run.context, file.partialPath, file.shown);
    const sha256 = await hashFile(file.partialPath);
    await publish(run, file);
    return { ...file, sha256, warnings };
  } catch (error) {
    await discard(file);
    throw error;
  }
}

/** The emergency backup as its journal names it, sound and the very same. Throws DAMAGED otherwise. */
export async function assertEmergencySound(
  run: Run,
  relative: string,
  sha256: string | null,
): Promise<{ readonly path: string; readonly shown: string; readonly dump: undefined }> {
  const { directory, directoryShown } = run.context.configuration.backup;
  const path = join(directory, relative);
  const shown = join(directoryShown, relative);
  await assertSound(run.context, path, shown);
  if (sha256 !== null && (await hashFile(path)) !== sha256) {
    throw new ReshelveError('DAMAGED', `${shown} is not the file that the journal names`, {
      hint: 'Find the emergency backup of that time and put it back in its place.',
    });
  }
  return { path, shown, dump: undefined };
}

/** One that turned out not to be needed, because the recovery gave up before it changed anything. */
export async function removeUnusedEmergency(file: BackupFile): Promise<void> {
  await rm(file.finalPath, { force: true }).catch(() => undefined);
}
