/**
 * The run of one slot. The locks decide who runs: a run by hand is waited for, and of several schedulers
 * of one directory one makes the backup of a slot.
 */
import { join } from 'node:path';
import type { CatalogEntry } from '../catalog/records.js';
import { ensureBackupDirectory } from '../catalog/store-files.js';
import { acquireLease } from '../catalog/store-lease.js';
import type { Lease } from '../catalog/store-lease.js';
import { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { describeHolder, readLockState } from '../operations/doctor/doctor-lock.js';
import type { FullBackupResult } from '../operations/full-backup.js';
import type { IncrementalResult } from '../operations/incremental.js';
import type { ChainVerification } from '../operations/verify-chain.js';
import type { ScheduledTask, SchedulerEvent, Slot } from './slot.js';

const SLOT_LOCK_FILE_NAME = '.reshelve.schedule.lock';
/** A full backup for a gap that failed is not tried in every slot of the incrementals. */
const GAP_RETRY_MS = 3600 * 1000;

export interface SlotRunParts {
  readonly context: Omit<Context, 'signal' | 'trigger'>;
  readonly report: (event: SchedulerEvent) => void;
  readonly backUp: (context: Context) => Promise<FullBackupResult>;
  readonly backUpChanges: (context: Context) => Promise<IncrementalResult>;
  /** Proves the chain before the full backup that is named; undefined where there is none. */
  readonly proveChain: (context: Context, file: string) => Promise<ChainVerification | undefined>;
}

export interface SlotTerms {
  readonly signal: AbortSignal;
  /** How long the slot may wait for others. */
  readonly waitMs: number;
  /** Waiting is over, the run begins. */
  readonly onRunning: () => void;
}

export class SlotRuns {
  readonly #parts: SlotRunParts;
  /** The full backup that was made for a gap, as long as nothing has shown that it helped. */
  #gapFull: { readonly atMs: number; hasFailed: boolean } | undefined;

  constructor(parts: SlotRunParts) {
    this.#parts = parts;
  }

  /** Throws what the run throws. */
  async serve(slot: Slot, terms: SlotTerms): Promise<void> {
    const lease = await this.#takeSlot(slot, terms);
    if (lease === undefined) return;
    try {
      await this.#serveAlone(slot, terms);
    } finally {
      await lease.release();
    }
  }

  /** Several schedulers of one directory serve a slot one by one, so that each sees the others' backup. */
  async #takeSlot(slot: Slot, { signal, waitMs }: SlotTerms): Promise<Lease | undefined> {
    const { directory } = this.#parts.context.configuration.backup;
    await ensureBackupDirectory(directory);
    try {
      return await acquireLease({
        path: join(directory, SLOT_LOCK_FILE_NAME),
        subject: `the schedule of ${directory}`,
        operation: 'schedule',
        waitMs,
        signal,
      });
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.code !== 'LOCKED') throw error;
      this.#parts.report({ kind: 'served', slot, by: error.message });
      return undefined;
    }
  }

  async #serveAlone(slot: Slot, terms: SlotTerms): Promise<void> {
    const { report, context } = this.#parts;
    const { configuration } = context;
    const served = await this.#findServing(slot);
    if (served !== undefined) {
      report({ kind: 'served', slot, by: `the run ${served.id} on ${served.host}` });
      return;
    }
    const state = await readLockState(configuration.backup.directory, context.now());
    if (state !== undefined && state.liveness !== 'gone') {
      report({ kind: 'waiting', slot, holder: describeHolder(state) });
    }
    terms.onRunning();
    report({ kind: 'started', slot });
    const lockWaitMs = Math.max(configuration.backup.lockWaitMs, terms.waitMs);
    const scheduled: Context = {
      ...context,
      configuration: { ...configuration, backup: { ...configuration.backup, lockWaitMs } },
      signal: terms.signal,
      trigger: 'schedule',
    };
    if (slot.task === 'full') await this.#makeFull(slot, scheduled);
    else await this.#makeIncremental(slot, scheduled);
  }

  async #makeFull(slot: Slot, context: Context): Promise<void> {
    const result = await this.#parts.backUp(context);
    this.#parts.report({ kind: 'saved', slot, made: { task: 'full', result } });
    if (slot.task === 'full') this.#gapFull = undefined;
    await this.#proveChain(slot, context, result.entry.file);
  }

  /** The backup is made, whatever the proof of the chain before it comes to. */
  async #proveChain(slot: Slot, context: Context, file: string | null): Promise<void> {
    if (file === null) return;
    const { directory } = context.configuration.backup;
    try {
      const proof = await this.#parts.proveChain(context, join(directory, file));
      if (proof !== undefined) this.#parts.report({ kind: 'proven', slot, proof });
    } catch (error) {
      if (context.signal.aborted) throw error;
      this.#parts.report({ kind: 'failed', slot, error });
    }
  }

  async #makeIncremental(slot: Slot, context: Context): Promise<void> {
    let result: IncrementalResult;
    try {
      result = await this.#parts.backUpChanges(context);
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.code !== 'CHAIN_GAP') throw error;
      await this.#closeGap(slot, context, error);
      return;
    }
    this.#gapFull = undefined;
    this.#parts.report({ kind: 'saved', slot, made: { task: 'incremental', result } });
  }

  /** One full backup for a gap: where the next incremental finds a gap again, another would not help. */
  async #closeGap(slot: Slot, context: Context, gap: ReshelveError): Promise<void> {
    const nowMs = context.now().getTime();
    const last = this.#gapFull;
    if (last !== undefined && !(last.hasFailed && nowMs - last.atMs >= GAP_RETRY_MS)) {
      const became = last.hasFailed ? 'failed a short while ago' : 'was made for the gap before';
      const message = `${gap.message}; a full backup ${became}, so the next one comes in its own slot`;
      throw new ReshelveError('CHAIN_GAP', message, { hint: gap.hint, cause: gap });
    }
    const attempt = { atMs: nowMs, hasFailed: true };
    this.#gapFull = attempt;
    this.#parts.report({ kind: 'gap', slot, reason: gap.message });
    await this.#makeFull(slot, context);
    attempt.hasFailed = false;
  }

  /** The scheduled backup of this slot that is there already; a damaged catalog has none. */
  async #findServing(slot: Slot): Promise<CatalogEntry | undefined> {
    const { catalog, configuration } = this.#parts.context;
    let entries: readonly CatalogEntry[];
    try {
      entries = await catalog.read();
    } catch (error) {
      // The run itself repairs it, or fails with the better message.
      if (error instanceof ReshelveError) return undefined;
      throw error;
    }
    return entries.find(
      (entry) =>
        SERVED_BY[slot.task].has(entry.type) &&
        entry.chain?.segment === undefined &&
        entry.trigger === 'schedule' &&
        entry.status !== 'failed' &&
        entry.database === configuration.databaseName &&
        Date.parse(entry.startedAt) >= slot.at.getTime(),
    );
  }
}

/** A full backup brings what an incremental of the same time would. */
const SERVED_BY: Readonly<Record<ScheduledTask, ReadonlySet<string>>> = {
  full: new Set(['full']),
  incremental: new Set(['full', 'incremental']),
};
