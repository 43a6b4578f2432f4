/** Files of BACKUP_DIR: created privately, replaced atomically, made durable. */
import { constants, existsSync } from 'node:fs';
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withFileErrors } from '../file-errors.js';
import { BACKUP_FOLDERS } from './names.js';

export const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/**
 * Creates BACKUP_DIR and its folders where they are missing, with mode 0700; what exists keeps its
 * mode. Throws DIRECTORY, DISK_FULL or IO.
 */
export async function ensureBackupDirectory(directory: string): Promise<void> {
  for (const folder of ['.', ...BACKUP_FOLDERS]) {
    const path = join(directory, folder);
    await withFileErrors('create', path, () => makeDirectory(path));
  }
}

/** With its parents. Node's own recursive form never ends below /proc, where nobody can make one. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (await isDirectory(path)) return;
    const parent = dirname(path);
    const isParentMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isParentMissing || parent === path || existsSync(parent)) throw error;
    await makeDirectory(parent);
    await makeDirectory(path);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Writes `text` beside `path` and renames it over `path`. Both are durable when this resolves;
 * whatever happens on the way, `path` has its old or its new content. `beforeRename` may still
 * stop it by throwing.
 */
export async function replaceFile(
  path: string,
  text: string,
  temporaryPath: string,
  beforeRename: () => Promise<void>,
): Promise<void> {
  try {
    await withFileErrors('write', temporaryPath, () => writeDurably(temporaryPath, text));
    await beforeRename();
    await withFileErrors('replace', path, () => rename(temporaryPath, path));
  } catch (error) {
    await unlink(temporaryPath).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeDurably(path: string, text: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  const handle = await open(path, O_CREAT | O_EXCL | O_WRONLY, FILE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames and new names in a directory durable, where its file system can do that. */
export async function syncDirectory(directory: string): Promise<void> {
  await withFileErrors('flush', directory, async () => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } catch (error) {
      // Some network file systems refuse fsync on directories and need none.
      if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
    } finally {
      await handle.close();
    }
  });
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && codes.includes(code);
}
