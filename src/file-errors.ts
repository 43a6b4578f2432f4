/** Turns the errors of file operations into ours. */
import { dirname } from 'node:path';
import { ReshelveError } from './errors.js';
import type { ErrorCode } from './errors.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EMFILE: 'FILE_LIMIT',
  ENFILE: 'FILE_LIMIT',
  EACCES: 'DIRECTORY',
  EPERM: 'DIRECTORY',
  EROFS: 'DIRECTORY',
  ENOTDIR: 'DIRECTORY',
  ENOENT: 'DIRECTORY',
  EEXIST: 'DIRECTORY',
};

/**
 * The `ReshelveError` for a failed operation on `path`; `doing` reads like `write` or `open`. An
 * error that is ours already, or that is not of the system (a defect), comes back as it is.
 */
export function fileError(error: unknown, doing: string, path: string): Error {
  if (!(error instanceof Error) || error instanceof ReshelveError) return asError(error);
  const systemCode = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (systemCode === undefined || !('errno' in error)) return error;
  const code = CODES[systemCode] ?? 'IO';
  const place = code === 'DISK_FULL' ? `the disk of ${dirname(path)} is full: ` : '';
  return new ReshelveError(code, `${place}cannot ${doing} ${path} (${systemCode})`, {
    cause: error,
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Runs `operation`; a failure of it is thrown as {@link fileError} puts it. */
export async function withFileErrors<T>(
  doing: string,
  path: string,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileError(error, doing, path);
  }
}
