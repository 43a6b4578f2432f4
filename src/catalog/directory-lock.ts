/** The lease on BACKUP_DIR: one run at a time, also across hosts that share the directory. */
import { join } from 'node:path';
import { acquireLease } from './store-lease.js';
import type { LeaseSurroundings } from './store-lease.js';

const LOCK_FILE_NAME = '.reshelve.lock';

/** What a continuous capture is called where it holds the lock, for as long as a segment takes. */
export const STREAM_OPERATION = 'stream';
const STREAM_WAIT_MS = 60_000;

export interface DirectoryLockOptions {
  /** What holds the lock, for the message to others: `full`, `verify`, … */
  readonly operation: string;
  /** How long to wait for another holder; 0 (the default) refuses at once. */
  readonly waitMs?: number;
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal;
}

export interface DirectoryLock {
  /** Aborts, with a LOCKED error as its reason, when the lock is found to be ours no more. */
  readonly lost: AbortSignal;
  /** Looks now; throws the LOCKED error if the lock was lost. Call it before what cannot be undone. */
  confirm(): Promise<void>;
  /** May be called twice. Does nothing for a lock that was lost. */
  release(): Promise<void>;
}

/**
 * Takes the lock of `directory`, which must exist. A holder whose process is gone is replaced at
 * once; one that cannot be looked at (another host or container), after 60 s without a heartbeat.
 * Throws LOCKED naming the holder, and DIRECTORY, DISK_FULL, FILE_LIMIT or IO.
 */
export async function acquireDirectoryLock(
  directory: string,
  options: DirectoryLockOptions,
  surroundings?: LeaseSurroundings,
): Promise<DirectoryLock> {
  return acquireLease(
    {
      path: join(directory, LOCK_FILE_NAME),
      subject: `the backup directory ${directory}`,
      operation: options.operation,
      waitMs: options.waitMs ?? 0,
      patience: { operation: STREAM_OPERATION, waitMs: STREAM_WAIT_MS },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    surroundings,
  );
}
