/**
 * The frame of every run: it takes the lock of the backup directory, makes sure that the catalog can
 * be written, and records how the run ended, whatever the way.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { acquireDirectoryLock } from '../catalog/directory-lock.js';
import type { CatalogEntry, RunStatus, RunType } from '../catalog/records.js';
import { ensureBackupDirectory } from '../catalog/store-files.js';
import { ReshelveError } from '../errors.js';
import { ERROR_TABLE } from '../errors.js';
import { rebuildCatalog } from './catalog-rebuild.js';
import type { Context, Warning } from './context.js';
import { withSignals } from './context.js';
import { refuseWhileUnfinished } from './recovery/unfinished-recovery.js';

/** What a run knows of its result besides what the frame knows itself. */
export type RunFields = Partial<
  Omit<CatalogEntry, 'id' | 'type' | 'status' | 'startedAt' | 'finishedAt' | 'durationMs' | 'error'>
>;

export interface Run {
  readonly id: string;
  readonly startedAt: Date;
  readonly context: Context;
  readonly warnings: readonly Warning[];
  /** Tells the user at once and lowers the run's status to `warning`. */
  warn(warning: Warning): void;
  /** Writes the entry of a run that succeeded: when its result is safe, and before anything is deleted. */
  record(fields: RunFields): Promise<CatalogEntry>;
  /** The lock on the directory is still ours; throws LOCKED otherwise. */
  confirmLock(): Promise<void>;
}

export interface RunClaim {
  /** The database that the run is about; DB_NAME where it is left out. */
  readonly database?: string;
  /** The run is the one that finishes an interrupted recovery. */
  readonly finishesRecovery?: boolean;
  /**
   * One of many short runs of `operation`, which the lock then names: that it must wait for another run or
   * for an interrupted recovery is no failure to record.
   */
  readonly shortRunOf?: string;
}

/** Runs that write to the database, or whose result an unproven database would spoil. */
const REFUSED_WHILE_RECOVERING: ReadonlySet<RunType> = new Set([
  'full',
  'incremental',
  'restore',
  'recover',
  'undo',
  'prune',
]);

/**
 * Runs `work` under the directory lock; a failure is recorded and thrown on. An interrupted recovery
 * of the same database refuses it.
 */
export async function recordedRun<T>(
  context: Context,
  type: RunType,
  work: (run: Run) => Promise<T>,
  claim: RunClaim = {},
): Promise<T> {
  const run = new RecordedRun(context, type, claim);
  try {
    return await run.underLock(work);
  } catch (error) {
    await run.recordFailure(error);
    throw error;
  }
}

class RecordedRun {
  readonly #context: Context;
  readonly #type: RunType;
  readonly #claim: RunClaim;
  readonly #id = randomUUID();
  readonly #startedAt: Date;
  readonly #startedMs = performance.now();
  readonly #warnings: Warning[] = [];
  #recorded = false;

  constructor(context: Context, type: RunType, claim: RunClaim) {
    this.#context = context;
    this.#type = type;
    this.#claim = claim;
    this.#startedAt = context.now();
  }

  async underLock<T>(work: (run: Run) => Promise<T>): Promise<T> {
    const { backup } = this.#context.configuration;
    await ensureBackupDirectory(backup.directory);
    const lock = await acquireDirectoryLock(backup.directory, {
      operation: this.#claim.shortRunOf ?? this.#type,
      waitMs: backup.lockWaitMs,
      signal: this.#context.signal,
    });
    try {
      await this.#ensureNoRecovery();
      await this.#ensureCatalog();
      return await work({
        id: this.#id,
        startedAt: this.#startedAt,
        context: withSignals(this.#context, lock.lost),
        warnings: this.#warnings,
        warn: (warning) => {
          this.#warn(warning);
        },
        record: (fields) => this.#record(fields),
        confirmLock: () => lock.confirm(),
      });
    } finally {
      await lock.release();
    }
  }

  /** A run that cannot be recorded is reported, but its own error is the one that counts. */
  async recordFailure(error: unknown): Promise<void> {
    if (this.#recorded || (this.#claim.shortRunOf !== undefined && mustWait(error))) return;
    const { code, message } = describeFailure(error);
    try {
      await this.#context.catalog.append(this.#entry('failed', { error: { code, message } }));
    } catch (cause) {
      this.#context.output.warn({
        code: 'NOT_RECORDED',
        message: `this failure could not be written to backup_logs.json: ${describeFailure(cause).message}`,
      });
    }
  }

  #warn(warning: Warning): void {
    this.#warnings.push(warning);
    this.#context.output.warn(warning);
  }

  async #record(fields: RunFields): Promise<CatalogEntry> {
    const status = this.#warnings.length > 0 ? 'warning' : 'success';
    const warnings = this.#warnings.map((warning) => `${warning.code}: ${warning.message}`);
    const entry = this.#entry(status, {
      ...fields,
      ...(warnings.length === 0 ? {} : { warnings }),
    });
    await this.#context.catalog.append(entry);
    this.#recorded = true;
    return entry;
  }

  #entry(status: RunStatus, fields: Partial<CatalogEntry>): CatalogEntry {
    return {
      id: this.#id,
      type: this.#type,
      status,
      database: this.#database(),
      file: null,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: this.#context.now().toISOString(),
      durationMs: Math.round(performance.now() - this.#startedMs),
      sizeBytes: null,
      host: hostname(),
      trigger: this.#context.trigger,
      ...fields,
    };
  }

  #database(): string {
    return this.#claim.database ?? this.#context.configuration.databaseName;
  }

  async #ensureNoRecovery(): Promise<void> {
    if (this.#claim.finishesRecovery === true) return;
    if (!REFUSED_WHILE_RECOVERING.has(this.#type)) return;
    await refuseWhileUnfinished(this.#context, this.#database());
  }

  /** A damaged catalog must not cost tonight's backup: it is put aside and made anew. */
  async #ensureCatalog(): Promise<void> {
    try {
      await this.#context.catalog.read();
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.code !== 'CATALOG_DAMAGED') throw error;
      const { movedTo } = await rebuildCatalog(this.#context);
      this.#warn({
        code: 'CATALOG_REBUILT',
        message: `${error.message}; it was moved to ${movedTo ?? 'its own place'} and made anew from the backups`,
      });
    }
  }
}

/** Another run, or an interrupted recovery, is in the way. */
export function mustWait(error: unknown): error is ReshelveError {
  if (!(error instanceof ReshelveError)) return false;
  return error.code === 'LOCKED' || error.code === 'RECOVERY_UNFINISHED';
}

/** Code and message of any error; what is not one of ours is a defect of ours. */
export function describeFailure(error: unknown): { code: string; message: string } {
  if (error instanceof ReshelveError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message: `${ERROR_TABLE.INTERNAL.meaning} ${message}` };
}
