/**
 * The hour that does not exist: when clocks are put forward, a time of day in the gap never comes,
 * and node-cron passes that day's run over. Here the gap is found beforehand.
 */
import { zoneOffset } from '../../catalog/zone-offset.js';
import { firstWallClockMatch } from './schedule-expression.js';
import type { Schedule } from './schedule-expression.js';

export interface ClockGap {
  /** The instant at which the clocks jump. */
  readonly at: Date;
  /** The time of day before and after the jump, written as if it were UTC. */
  readonly wallBefore: Date;
  readonly wallAfter: Date;
}

/** A run that would be lost in a gap, to be made at `gap.at` instead. */
export interface LostRun {
  readonly gap: ClockGap;
  /** The time of day that does not come, `02:30`. */
  readonly time: string;
}

const DAY_MS = 24 * 3600 * 1000;
const HOUR_MS = 3600 * 1000;
const LOOK_AHEAD_DAYS = 400;

/** The next run that the schedule loses in a gap, within a year; undefined where there is none. */
export function nextLostRun(schedule: Schedule, after: Date): LostRun | undefined {
  const endMs = after.getTime() + LOOK_AHEAD_DAYS * DAY_MS;
  for (let from = after; from.getTime() < endMs;) {
    const gap = nextGap(schedule.timeZone, from, new Date(endMs));
    if (gap === undefined) return undefined;
    const time = lostTime(schedule.expression, gap);
    if (time !== undefined) return { gap, time };
    from = gap.at;
  }
  return undefined;
}

/**
 * Undefined where nothing fires in the gap, or where the hours around it have their own runs, so
 * that the pause between two of them is no longer than on other days.
 */
function lostTime(expression: string, gap: ClockGap): string | undefined {
  const { wallBefore, wallAfter } = gap;
  const inGap = firstWallClockMatch(expression, wallBefore, wallAfter);
  if (inGap === undefined) return undefined;
  const hourBefore = new Date(wallBefore.getTime() - HOUR_MS);
  const hourAfter = new Date(wallAfter.getTime() + HOUR_MS);
  const around =
    firstWallClockMatch(expression, hourBefore, wallBefore) !== undefined &&
    firstWallClockMatch(expression, wallAfter, hourAfter) !== undefined;
  const minuteAfter = new Date(wallAfter.getTime() + 60_000);
  const atEnd = firstWallClockMatch(expression, wallAfter, minuteAfter) !== undefined;
  return around || atEnd ? undefined : inGap;
}

/** The first instant after `from` at which clocks are put forward. */
export function nextGap(timeZone: string, from: Date, until: Date): ClockGap | undefined {
  const offsetMs = zoneOffset(timeZone);
  for (let lowMs = from.getTime(); lowMs < until.getTime(); lowMs += DAY_MS) {
    const highMs = lowMs + DAY_MS;
    if (offsetMs(highMs) <= offsetMs(lowMs)) continue;
    const atMs = firstDifference(offsetMs, lowMs, highMs);
    return {
      at: new Date(atMs),
      wallBefore: new Date(atMs + offsetMs(lowMs)),
      wallAfter: new Date(atMs + offsetMs(highMs)),
    };
  }
  return undefined;
}

/** The first whole second in (low, high] whose offset is not that of `low`. */
function firstDifference(offsetMs: (at: number) => number, lowMs: number, highMs: number): number {
  const before = offsetMs(lowMs);
  let low = Math.floor(lowMs / 1000);
  let high = Math.ceil(highMs / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle * 1000) === before) low = middle;
    else high = middle;
  }
  return high * 1000;
}
