/**
 * When slots come. node-cron says which they are; the waiting is done here, in short steps against
 * the wall clock, because timers stand still while a machine sleeps and clocks are set meanwhile.
 */
import type { Schedule } from '../operations/schedule/schedule-expression.js';
import { nextRuns } from '../operations/schedule/schedule-expression.js';
import type { LostRun } from '../operations/schedule/schedule-gap.js';
import { nextLostRun } from '../operations/schedule/schedule-gap.js';

export interface CronHandlers {
  /** Must neither throw nor wait. */
  onSlot(slot: Date): void;
  /** Slots in which this machine slept or was too busy, oldest first; the first ones if there are many. */
  onMissed(slots: readonly Date[]): void;
}

export interface CronTimer {
  nextSlot(): Date;
  stop(): void;
}

export type StartCron = (schedule: Schedule, handlers: CronHandlers) => CronTimer;

/** A slot that is noticed this late still gets its run. */
const LATE_MS_MAX = 15 * 60 * 1000;
const STEP_MS_MAX = 20 * 1000;
const SLOTS_AHEAD = 20;
/** The rules of a time zone hardly change, but a scheduler runs for years. */
const LOST_RUN_AGE_MS_MAX = 24 * 3600 * 1000;
/** Clocks are corrected by less all the time. */
const SET_BACK_MS_MIN = 60 * 1000;

/** The schedule must be a valid one. */
export const startCron: StartCron = (schedule, handlers) => {
  const clock = new SlotClock(schedule, handlers);
  clock.start();
  return clock;
};

class SlotClock implements CronTimer {
  readonly #schedule: Schedule;
  readonly #handlers: CronHandlers;
  /** The next slots, earliest first. */
  #pending: readonly Date[] = [];
  #lastSlotMs = Number.NEGATIVE_INFINITY;
  #lastLookMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #lostRun: { readonly run: LostRun | undefined; readonly lookedAtMs: number } | undefined;

  constructor(schedule: Schedule, handlers: CronHandlers) {
    this.#schedule = schedule;
    this.#handlers = handlers;
  }

  nextSlot(): Date {
    return this.#pending[0] ?? new Date();
  }

  start(): void {
    this.#plan(Date.now());
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const waitMs = this.nextSlot().getTime() - Date.now();
    this.#timer = setTimeout(
      () => {
        this.#look();
      },
      Math.min(Math.max(waitMs, 0), STEP_MS_MAX),
    );
  }

  #look(): void {
    const nowMs = Date.now();
    // A clock that was far ahead may have planned for a time that is years away.
    if (nowMs < this.#lastLookMs - SET_BACK_MS_MIN) this.#plan(nowMs);
    this.#lastLookMs = nowMs;
    const due = this.#pending.filter((slot) => slot.getTime() <= nowMs);
    if (due.length > 0) {
      this.#plan(nowMs);
      this.#serve(due, nowMs);
    }
    this.#arm();
  }

  /** The newest of the slots that are due gets its run, unless it is too late for that. */
  #serve(due: readonly Date[], nowMs: number): void {
    const newest = due.at(-1);
    const isLate = newest === undefined || nowMs - newest.getTime() > LATE_MS_MAX;
    const missed = isLate ? due : due.slice(0, -1);
    if (missed.length > 0) this.#handlers.onMissed(missed);
    if (isLate) return;
    this.#lastSlotMs = newest.getTime();
    this.#handlers.onSlot(newest);
  }

  #plan(nowMs: number): void {
    this.#lastLookMs = nowMs;
    const slots = nextRuns(this.#schedule, SLOTS_AHEAD);
    const lost = this.#nextLostRun(nowMs)?.gap.at;
    const last = slots.at(-1);
    if (lost !== undefined && last !== undefined && lost < last) slots.push(lost);
    slots.sort((left, right) => left.getTime() - right.getTime());
    this.#pending = slots.filter((slot) => slot.getTime() !== this.#lastSlotMs);
  }

  #nextLostRun(nowMs: number): LostRun | undefined {
    const known = this.#lostRun;
    const isOld =
      known === undefined ||
      Math.abs(nowMs - known.lookedAtMs) > LOST_RUN_AGE_MS_MAX ||
      (known.run !== undefined && known.run.gap.at.getTime() <= nowMs);
    if (!isOld) return known.run;
    const run = nextLostRun(this.#schedule, new Date(nowMs));
    this.#lostRun = { run, lookedAtMs: nowMs };
    return run;
  }
}
