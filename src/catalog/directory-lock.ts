/** The lease on BACKUP_DIR: one run at a time, also across hosts that share the directory. */

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
  /** May be called twice. Never throws for a lock that was lost. */
  release(): Promise<void>;
}
