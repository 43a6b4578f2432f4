/**
 * node-cron as the scheduler wants it: slots that come a little late still run, slots that were slept
 * through are told together, and a run whose time of day is skipped by the clocks comes right after.
 */
import { createTask } from 'node-cron';
import type { Logger } from 'node-cron';
import type { Schedule } from '../operations/schedule-expression.js';
import { nextRuns } from '../operations/schedule-expression.js';
import type { LostRun } from '../operations/schedule-gap.js';
import { nextLostRun } from '../operations/schedule-gap.js';

export interface CronHandlers {
  /** Must neither throw nor wait. */
  onSlot(slot: Date): void;
  /** Slots in which this machine slept or was too busy, oldest first. */
  onMissed(slots: readonly Date[]): void;
}

export interface CronTimer {
  nextSlot(): Date;
  stop(): void;
}

export type StartCron = (schedule: Schedule, handlers: CronHandlers) => CronTimer;

/** A slot that is noticed this late still gets its run, unless the next one is there already. */
const LATE_MS_MAX = 15 * 60 * 1000;
/** Longer timers overflow, and clocks are set meanwhile. */
const TIMER_MS_MAX = 3600 * 1000;
const MISSED_SLOTS_KEPT = 100;

/** node-cron's own lines would go to the console; what matters of them comes as events. */
const SILENT: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** The schedule must be a valid one. */
export const startCron: StartCron = (schedule, handlers) => {
  const task = createTask(
    schedule.expression,
    (context) => {
      handlers.onSlot(context.date);
    },
    {
      timezone: schedule.timeZone,
      logger: SILENT,
      suppressMissedWarning: true,
      missedExecutionTolerance: LATE_MS_MAX,
    },
  );
  const missed = new MissedSlots(handlers);
  task.on('execution:missed', (context) => {
    missed.add(context.date);
  });
  const gap = new GapTimer(schedule, handlers);
  void task.start();
  gap.start();
  return {
    nextSlot: () => {
      const [next = new Date()] = nextRuns(schedule, 1);
      const lost = gap.next;
      return lost !== undefined && lost.gap.at < next ? lost.gap.at : next;
    },
    stop: () => {
      gap.stop();
      void task.destroy();
    },
  };
};

/** A machine that slept through a week of a schedule of seconds misses a lot at once. */
class MissedSlots {
  readonly #handlers: CronHandlers;
  #slots: Date[] = [];

  constructor(handlers: CronHandlers) {
    this.#handlers = handlers;
  }

  add(slot: Date): void {
    if (this.#slots.length === 0) {
      setImmediate(() => {
        const slots = this.#slots;
        this.#slots = [];
        this.#handlers.onMissed(slots);
      });
    }
    if (this.#slots.length < MISSED_SLOTS_KEPT) this.#slots.push(slot);
    else this.#slots[MISSED_SLOTS_KEPT - 1] = slot;
  }
}

/** Fires at the end of each gap that swallows a run. */
class GapTimer {
  readonly #schedule: Schedule;
  readonly #handlers: CronHandlers;
  #timer: NodeJS.Timeout | undefined;
  #next: LostRun | undefined;

  constructor(schedule: Schedule, handlers: CronHandlers) {
    this.#schedule = schedule;
    this.#handlers = handlers;
  }

  get next(): LostRun | undefined {
    return this.#next;
  }

  start(): void {
    this.#next = nextLostRun(this.#schedule, new Date());
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const waitMs = (this.#next?.gap.at.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
    this.#timer = setTimeout(
      () => {
        this.#look();
      },
      Math.min(Math.max(waitMs, 0), TIMER_MS_MAX),
    );
  }

  #look(): void {
    const due = this.#next?.gap.at;
    const lateMs = due === undefined ? -1 : Date.now() - due.getTime();
    if (due !== undefined && lateMs > LATE_MS_MAX) this.#handlers.onMissed([due]);
    else if (due !== undefined && lateMs >= 0) this.#handlers.onSlot(due);
    // Looked for again each time: the rules of a time zone and the clock may have changed.
    this.start();
  }
}
