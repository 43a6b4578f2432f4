/**
 * The long-running scheduler: full backups in the slots of one schedule, incrementals in those of
 * another, never both at once. Whatever goes wrong in a slot is told and recorded, and the next slot comes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import type { FullBackupResult } from '../operations/full-backup.js';
import { runFullBackup } from '../operations/full-backup.js';
import type { IncrementalResult } from '../operations/incremental.js';
import { runIncremental } from '../operations/incremental.js';
import { runVerifyChain } from '../operations/verify-chain.js';
import { readSchedules } from '../operations/schedule/schedules.js';
import type { Schedules } from '../operations/schedule/schedules.js';
import type { StreamOptions } from '../operations/stream.js';
import { runStream } from '../operations/stream.js';
import { startCron } from './cron-timer.js';
import type { CronTimer, StartCron } from './cron-timer.js';
import type { ScheduledTask, SchedulerEvent, Slot } from './slot.js';
import { SlotRuns } from './slot-runs.js';
import { StreamKeeper } from './stream-keeper.js';
import type { SlotRunParts } from './slot-runs.js';

export interface SchedulerParts {
  readonly context: Omit<Context, 'signal' | 'trigger'>;
  readonly report: (event: SchedulerEvent) => void;
  readonly startCron?: StartCron;
  readonly backUp?: (context: Context) => Promise<FullBackupResult>;
  readonly backUpChanges?: (context: Context) => Promise<IncrementalResult>;
  /** Continuous capture, where BACKUP_STREAM is on. */
  readonly capture?: (context: Context, options: StreamOptions) => Promise<unknown>;
  readonly proveChain?: SlotRunParts['proveChain'];
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

export class Scheduler {
  readonly #parts: Required<SchedulerParts>;
  readonly #schedules: Schedules;
  readonly #runs: SlotRuns;
  readonly #abort = new AbortController();
  readonly #crons = new Map<ScheduledTask, CronTimer>();
  #keeper: StreamKeeper | undefined;
  /** Never rejects. */
  #work: { readonly slot: Slot; readonly done: Promise<void> } | undefined;
  #phase: 'idle' | 'waiting' | 'running' = 'idle';
  /** The slot of a full backup that came while an incremental was under way. */
  #queued: Slot | undefined;
  #lastFullSlotMs = Number.NEGATIVE_INFINITY;
  #toldPassedOver = false;
  #wasAbandoned = false;
  #isStopping = false;

  /** Throws CONFIG where a setting is no schedule. */
  constructor(parts: SchedulerParts) {
    this.#schedules = readSchedules(parts.context);
    this.#parts = {
      startCron,
      backUp: runFullBackup,
      backUpChanges: runIncremental,
      capture: runStream,
      proveChain: runVerifyChain,
      sleep: sleepFor,
      ...parts,
    };
    this.#runs = new SlotRuns(this.#parts);
  }

  start(): void {
    for (const task of ['full', 'incremental'] as const) {
      const schedule = this.#schedules[task];
      if (schedule === undefined) continue;
      const cron = this.#parts.startCron(schedule, {
        onSlot: (at) => {
          this.#onSlot({ task, at });
        },
        onMissed: (slots) => {
          this.#parts.report({ kind: 'missed', task, slots });
        },
      });
      this.#crons.set(task, cron);
    }
    this.#reportNext();
    if (this.#parts.context.configuration.backup.stream.isOn) this.#startCapture();
  }

  #startCapture(): void {
    const { context, report, capture } = this.#parts;
    this.#keeper = new StreamKeeper({
      context: { ...context, signal: this.#abort.signal, trigger: 'schedule' },
      report,
      capture,
      closeGap: () => this.#closeGap(),
    });
    this.#keeper.start();
  }

  /** By the run of a slot: it finds the gap as well, and knows when a full backup would not help. */
  async #closeGap(): Promise<void> {
    if (this.#isStopping) return;
    if (this.#work === undefined) {
      this.#begin({ task: 'incremental', at: this.#parts.context.now() });
    }
    await this.#work?.done;
  }

  /**
   * Takes no more slots and lets a run under way go on for `graceMs`; then stops it, with `reason`, and
   * waits `CLEAN_UP_MS_MAX` for its cleaning up. `abandon` cuts the grace short.
   */
  async stop(reason: ReshelveError, graceMs: number): Promise<StopOutcome> {
    this.#isStopping = true;
    for (const cron of this.#crons.values()) cron.stop();
    const capture = this.#keeper?.stop(reason);
    const outcome = await this.#stopWork(reason, graceMs);
    if (capture === undefined || outcome === 'stuck') return outcome;
    if (await this.#settlesWithin(capture, CLEAN_UP_MS_MAX)) return outcome;
    this.abandon(reason);
    return (await this.#settlesWithin(capture, CLEAN_UP_MS_MAX)) ? 'abandoned' : 'stuck';
  }

  async #stopWork(reason: ReshelveError, graceMs: number): Promise<StopOutcome> {
    const work = this.#work?.done;
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

  #onSlot(slot: Slot): void {
    if (this.#isStopping || this.#isFullsToo(slot)) return;
    if (slot.task === 'full') this.#lastFullSlotMs = slot.at.getTime();
    if (this.#work === undefined) this.#begin(slot);
    else if (slot.task === 'full' && this.#work.slot.task === 'incremental') this.#queued = slot;
    else this.#passOver(slot, this.#work.slot.task);
  }

  /** A full backup is due at the very same time, and brings what the incremental would. */
  #isFullsToo({ task, at }: Slot): boolean {
    if (task === 'full') return false;
    if (this.#lastFullSlotMs === at.getTime()) return true;
    return this.#crons.get('full')?.nextSlot().getTime() === at.getTime();
  }

  #passOver(slot: Slot, underWay: ScheduledTask): void {
    if (!this.#toldPassedOver) this.#parts.report({ kind: 'passed-over', slot, underWay });
    this.#toldPassedOver = true;
  }

  #begin(slot: Slot): void {
    this.#toldPassedOver = false;
    this.#phase = 'waiting';
    const done = this.#serve(slot).then(() => {
      this.#work = undefined;
      this.#phase = 'idle';
      if (this.#isStopping) return;
      const queued = this.#queued;
      this.#queued = undefined;
      if (queued === undefined) this.#reportNext();
      else this.#begin(queued);
    });
    this.#work = { slot, done };
  }

  async #serve(slot: Slot): Promise<void> {
    const { signal } = this.#abort;
    try {
      await this.#runs.serve(slot, {
        signal,
        waitMs: this.#waitMs(slot.task),
        onRunning: () => {
          this.#phase = 'running';
        },
      });
    } catch (error) {
      if (signal.aborted) {
        // A slot that was still waiting has begun nothing that could be abandoned.
        this.#wasAbandoned = this.#phase === 'running';
        if (!this.#wasAbandoned) return;
      }
      this.#parts.report({ kind: 'failed', slot, error });
    }
  }

  /** An incremental makes way for whatever comes next, a full backup only for the next full one. */
  #waitMs(task: ScheduledTask): number {
    const next = this.#nextSlots().filter((slot) => task === 'incremental' || slot.task === 'full');
    const nextMs = Math.min(...next.map(({ at }) => at.getTime()));
    const untilNextMs = nextMs - this.#parts.context.now().getTime();
    return Math.min(Math.max(untilNextMs, 0), LOCK_WAIT_MS_MAX);
  }

  #nextSlots(): Slot[] {
    return [...this.#crons].map(([task, cron]) => ({ task, at: cron.nextSlot() }));
  }

  #reportNext(): void {
    this.#parts.report({ kind: 'next', slots: this.#nextSlots() });
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
