/**
 * The long-running scheduler: one full backup in each slot. Whatever goes wrong in a slot is told and
 * recorded, and the next slot comes. The locks decide who runs: a run by hand is waited for, and of
 * several schedulers of one directory one makes the backup of a slot.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CatalogEntry } from '../catalog/records.js';
import { ensureBackupDirectory } from '../catalog/store-files.js';
import { acquireLease } from '../catalog/store-lease.js';
import type { Lease } from '../catalog/store-lease.js';
import { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { describeHolder, readLockState } from '../operations/doctor/doctor-lock.js';
import type { FullBackupResult } from '../operations/full-backup.js';
import { runFullBackup } from '../operations/full-backup.js';
import { assertSchedule } from '../operations/schedule/schedule-expression.js';
import type { Schedule } from '../operations/schedule/schedule-expression.js';
import { startCron } from './cron-timer.js';
import type { CronTimer, StartCron } from './cron-timer.js';

/** What happens, for whoever prints or counts it. */
export type SchedulerEvent =
  | { readonly kind: 'next'; readonly at: Date }
  | { readonly kind: 'waiting'; readonly slot: Date; readonly holder: string }
  | { readonly kind: 'started'; readonly slot: Date }
  | { readonly kind: 'saved'; readonly slot: Date; readonly result: FullBackupResult }
  | { readonly kind: 'failed'; readonly slot: Date; readonly error: unknown }
  /** Another scheduler has made, or is making, the backup of this slot. */
  | { readonly kind: 'served'; readonly slot: Date; readonly by: string }
  /** The slot came while the run of an earlier one was under way; told once for each run. */
  | { readonly kind: 'passed-over'; readonly slot: Date }
  | { readonly kind: 'missed'; readonly slots: readonly Date[] }
  | { readonly kind: 'finishing'; readonly graceMs: number };

export interface SchedulerParts {
  readonly context: Omit<Context, 'signal' | 'trigger'>;
  readonly report: (event: SchedulerEvent) => void;
  readonly startCron?: StartCron;
  readonly backUp?: (context: Context) => Promise<FullBackupResult>;
  /** Rejects when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * `idle`: nothing ran. `finished`: the run came to its end, good or bad. `abandoned`: it was stopped
 * and cleaned up behind itself. `stuck`: it was stopped and did not end in time.
 */
export type StopOutcome = 'idle' | 'finished' | 'abandoned' | 'stuck';

/** How long a run may take to clean up once it is told to stop. */
export const CLEAN_UP_MS_MAX = 4000;
/** How long a slot waits for a run by hand to end; never beyond the next slot. */
const LOCK_WAIT_MS_MAX = 3600 * 1000;
const SLOT_LOCK_FILE_NAME = '.reshelve.schedule.lock';

/** Throws CONFIG where BACKUP_CRON_SCHEDULE is no schedule. */
export function readSchedule(context: Pick<Context, 'configuration'>): Schedule {
  const { cronSchedule, timeZone } = context.configuration.backup;
  const schedule = { expression: cronSchedule, timeZone };
  assertSchedule('BACKUP_CRON_SCHEDULE', schedule);
  return schedule;
}

export class Scheduler {
  readonly #parts: Required<SchedulerParts>;
  readonly #schedule: Schedule;
  readonly #abort = new AbortController();
  #cron: CronTimer | undefined;
  /** Never rejects. */
  #work: Promise<void> | undefined;
  #phase: 'idle' | 'waiting' | 'running' = 'idle';
  #toldPassedOver = false;
  #wasAbandoned = false;
  #isStopping = false;

  /** Throws CONFIG where BACKUP_CRON_SCHEDULE is no schedule. */
  constructor(parts: SchedulerParts) {
    this.#schedule = readSchedule(parts.context);
    this.#parts = { startCron, backUp: runFullBackup, sleep: sleepFor, ...parts };
  }

  start(): void {
    this.#cron = this.#parts.startCron(this.#schedule, {
      onSlot: (slot) => {
        this.#onSlot(slot);
      },
      onMissed: (slots) => {
        this.#parts.report({ kind: 'missed', slots });
      },
    });
    this.#reportNext();
  }

  /**
   * Takes no more slots and lets a run under way go on for `graceMs`; then stops it, with `reason`, and
   * waits `CLEAN_UP_MS_MAX` for its cleaning up. `abandon` cuts the grace short.
   */
  async stop(reason: ReshelveError, graceMs: number): Promise<StopOutcome> {
    this.#isStopping = true;
    this.#cron?.stop();
    const work = this.#work;
    if (work === undefined) return 'idle';
    if (this.#phase === 'running') {
      this.#parts.report({ kind: 'finishing', graceMs });
      if (!(await this.#settlesWithin(work, graceMs))) this.abandon(reason);
    } else {
      this.abandon(reason);
    }
    if (!(await this.#settlesWithin(work, CLEAN_UP_MS_MAX))) return 'stuck';
    return this.#wasAbandoned ? 'abandoned' : 'finished';
  }

  /** Stops a run under way at once; it still cleans up behind itself. */
  abandon(reason: ReshelveError): void {
    this.#abort.abort(reason);
  }

  #onSlot(slot: Date): void {
    if (this.#isStopping) return;
    if (this.#work !== undefined) {
      if (!this.#toldPassedOver) this.#parts.report({ kind: 'passed-over', slot });
      this.#toldPassedOver = true;
      return;
    }
    this.#toldPassedOver = false;
    this.#phase = 'waiting';
    this.#work = this.#serve(slot).then(() => {
      this.#work = undefined;
      this.#phase = 'idle';
      if (!this.#isStopping) this.#reportNext();
    });
  }

  async #serve(slot: Date): Promise<void> {
    const { signal } = this.#abort;
    try {
      await this.#underSlotLock(slot, () => this.#serveAlone(slot));
    } catch (error) {
      if (signal.aborted) {
        // A slot that was still waiting has begun nothing that could be abandoned.
        this.#wasAbandoned = this.#phase === 'running';
        if (!this.#wasAbandoned) return;
      }
      this.#parts.report({ kind: 'failed', slot, error });
    }
  }

  /** Several schedulers of one directory serve a slot one by one, so that each sees the others' backup. */
  async #underSlotLock(slot: Date, work: () => Promise<void>): Promise<void> {
    const { directory } = this.#parts.context.configuration.backup;
    await ensureBackupDirectory(directory);
    const request = {
      path: join(directory, SLOT_LOCK_FILE_NAME),
      subject: `the schedule of ${directory}`,
      operation: 'schedule',
      waitMs: this.#waitMs(),
      signal: this.#abort.signal,
    };
    let lease: Lease;
    try {
      lease = await acquireLease(request);
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.code !== 'LOCKED') throw error;
      this.#parts.report({ kind: 'served', slot, by: error.message });
      return;
    }
    try {
      await work();
    } finally {
      await lease.release();
    }
  }

  async #serveAlone(slot: Date): Promise<void> {
    const { report, context, backUp } = this.#parts;
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
    this.#phase = 'running';
    report({ kind: 'started', slot });
    const lockWaitMs = Math.max(configuration.backup.lockWaitMs, this.#waitMs());
    const result = await backUp({
      ...context,
      configuration: { ...configuration, backup: { ...configuration.backup, lockWaitMs } },
      signal: this.#abort.signal,
      trigger: 'schedule',
    });
    report({ kind: 'saved', slot, result });
  }

  /** The scheduled backup of this slot that is there already; a damaged catalog has none. */
  async #findServing(slot: Date): Promise<CatalogEntry | undefined> {
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
        entry.type === 'full' &&
        entry.trigger === 'schedule' &&
        entry.status !== 'failed' &&
        entry.database === configuration.databaseName &&
        Date.parse(entry.startedAt) >= slot.getTime(),
    );
  }

  #waitMs(): number {
    const nextMs = this.#cron?.nextSlot().getTime() ?? 0;
    const untilNextMs = nextMs - this.#parts.context.now().getTime();
    return Math.min(Math.max(untilNextMs, 0), LOCK_WAIT_MS_MAX);
  }

  #reportNext(): void {
    if (this.#cron !== undefined) this.#parts.report({ kind: 'next', at: this.#cron.nextSlot() });
  }

  async #settlesWithin(work: Promise<void>, ms: number): Promise<boolean> {
    const enough = new AbortController();
    try {
      const late = this.#parts.sleep(ms, enough.signal).then(
        () => false,
        () => false,
      );
      return await Promise.race([work.then(() => true), late]);
    } finally {
      enough.abort();
    }
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
