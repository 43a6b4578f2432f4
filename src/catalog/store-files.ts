/** Files of BACKUP_DIR: created privately, replaced atomically, made durable. */
import { constants } from 'node:fs';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ReshelveError } from '../errors.js';
import type { ErrorCode } from '../errors.js';
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
    await naming(path, 'create', () => mkdir(path, { recursive: true, mode: DIRECTORY_MODE }));
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
    await naming(temporaryPath, 'write', () => writeDurably(temporaryPath, text));
    await beforeRename();
    await naming(path, 'replace', () => rename(temporaryPath, path));
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
  await naming(directory, 'flush', async () => {
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

/** Runs a file operation; its failure becomes an error of ours that names the path. */
export async function naming<T>(path: string, verb: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw fileError(path, verb, cause);
  }
}

function fileError(path: string, verb: string, cause: unknown): Error {
  if (cause instanceof ReshelveError || !(cause instanceof Error)) return cause as Error;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  return new ReshelveError(CODE_OF_ERRNO[code] ?? 'IO', `cannot ${verb} ${path} (${code})`, {
    cause,
  });
}

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EMFILE: 'FILE_LIMIT',
  ENFILE: 'FILE_LIMIT',
  EACCES: 'DIRECTORY',
  EPERM: 'DIRECTORY',
  EROFS: 'DIRECTORY',
  ENOENT: 'DIRECTORY',
  ENOTDIR: 'DIRECTORY',
  EEXIST: 'DIRECTORY',
};

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && codes.includes(code);
}
