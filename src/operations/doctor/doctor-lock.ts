/** Who holds the lock of a backup directory, found out by reading only. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeaseHolder, Liveness } from '../../catalog/lease.js';
import { parseLease } from '../../catalog/lease.js';
import { hasCode } from '../../catalog/store-files.js';
import { livenessOf, thisProcess } from '../../catalog/store-process.js';
import { withFileErrors } from '../../file-errors.js';

/** As of src/catalog/directory-lock.ts; a test takes that lock and looks for it here. */
const LOCK_FILE_NAME = '.reshelve.lock';

export interface LockState {
  /** Undefined where the file is there but cannot be understood. */
  readonly holder: LeaseHolder | undefined;
  readonly liveness: Liveness;
  /** Since the holder last showed a sign of life. */
  readonly silentMs: number;
}

/**
 * Of the directory's own lock, or of the one named. Undefined where nobody holds it. Throws DIRECTORY
 * or IO where the file cannot be read.
 */
export async function readLockState(
  directory: string,
  now: Date,
  name: string = LOCK_FILE_NAME,
): Promise<LockState | undefined> {
  const path = join(directory, name);
  return withFileErrors('read', path, async () => {
    try {
      const text = await readFile(path, 'utf8');
      const holder = parseLease(text);
      return {
        holder,
        liveness: holder === undefined ? 'unknown' : livenessOf(holder, thisProcess()),
        silentMs: now.getTime() - (await stat(path)).mtimeMs,
      };
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

export function describeHolder(state: LockState): string {
  if (state.holder === undefined) return 'an owner whose lock file cannot be read';
  const { operation, pid, host, startedAt } = state.holder;
  return `\`${operation}\` (pid ${pid} on ${host}, since ${startedAt})`;
}
