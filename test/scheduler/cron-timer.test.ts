/** node-cron under a faked clock: the slots that come, that are late, and that are lost. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startCron } from '../../src/scheduler/cron-timer.js';
import type { CronTimer } from '../../src/scheduler/cron-timer.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let slots: string[];
let missed: string[][];
let timer: CronTimer;

function start(expression: string, timeZone: string, now: string): void {
  vi.setSystemTime(new Date(now));
  timer = startCron(
    { expression, timeZone },
    {
      onSlot: (slot) => slots.push(slot.toISOString()),
      onMissed: (some) => missed.push(some.map((slot) => slot.toISOString())),
    },
  );
}

beforeEach(() => {
  vi.useFakeTimers();
  slots = [];
  missed = [];
});

afterEach(() => {
  timer.stop();
  vi.useRealTimers();
});

describe('slots', () => {
  test('come at their times, in the time zone', async () => {
    start('0 2 * * *', 'America/New_York', '2026-07-01T00:00:00Z');
    expect(timer.nextSlot().toISOString()).toBe('2026-07-01T06:00:00.000Z');
    await vi.advanceTimersByTimeAsync(2 * 24 * HOUR_MS);
    expect(slots).toEqual(['2026-07-01T06:00:00.000Z', '2026-07-02T06:00:00.000Z']);
    expect(missed).toEqual([]);
  });

  test('of seconds', async () => {
    start('*/20 * * * * *', 'UTC', '2026-07-01T00:00:01Z');
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(slots).toHaveLength(3);
  });

  test('stop when told', async () => {
    start('* * * * *', 'UTC', '2026-07-01T00:00:01Z');
    timer.stop();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(slots).toEqual([]);
  });

  test('a little late still run', async () => {
    start('0 2 * * *', 'UTC', '2026-07-01T01:00:00Z');
    vi.setSystemTime(new Date('2026-07-01T02:10:00Z'));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(slots).toEqual(['2026-07-01T02:00:00.000Z']);
  });

  test('slept through are told together', async () => {
    start('0 * * * *', 'UTC', '2026-07-01T00:30:00Z');
    vi.setSystemTime(new Date('2026-07-01T05:30:00Z'));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(missed).toEqual([[1, 2, 3, 4, 5].map((hour) => `2026-07-01T0${hour}:00:00.000Z`)]);
    expect(slots).toEqual(['2026-07-01T06:00:00.000Z']);
  });

  test('a long sleep of a schedule of seconds is one message of limited size', async () => {
    start('* * * * * *', 'UTC', '2026-07-01T00:00:00Z');
    vi.setSystemTime(new Date('2026-07-01T01:00:00Z'));
    await vi.advanceTimersByTimeAsync(2000);
    expect(missed).toHaveLength(1);
    expect(missed[0]?.[0]).toBe('2026-07-01T00:00:01.000Z');
    expect(missed[0]?.length).toBeLessThanOrEqual(20);
    expect(slots.every((slot) => slot > '2026-07-01T01:00:00')).toBe(true);
  });

  test('come once though the clock is set back a little', async () => {
    start('0 2 * * *', 'UTC', '2026-07-01T01:59:00Z');
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
    vi.setSystemTime(new Date('2026-07-01T01:50:00Z'));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(slots).toEqual(['2026-07-01T02:00:00.000Z']);
  });

  test('come again after a clock that was years ahead is put right', async () => {
    start('0 2 * * *', 'UTC', '2033-07-01T01:00:00Z');
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    vi.setSystemTime(new Date('2026-07-01T01:00:00Z'));
    await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
    expect(slots).toEqual(['2026-07-01T02:00:00.000Z']);
  });

  test('come after a clock that was years behind is put right', async () => {
    start('0 2 * * *', 'UTC', '1970-01-01T00:00:00Z');
    vi.setSystemTime(new Date('2026-07-01T01:00:00Z'));
    await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
    expect(slots).toEqual(['2026-07-01T02:00:00.000Z']);
  });
});

describe('a run whose time of day the clocks skip', () => {
  test('comes when they have jumped', async () => {
    start('30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z');
    expect(timer.nextSlot().toISOString()).toBe('2027-03-28T01:00:00.000Z');
    await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
    expect(slots).toEqual(['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z']);
  });

  test('comes every year', async () => {
    start('0 2 * * 0', 'Europe/Berlin', '2027-03-27T12:00:00Z');
    await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
    vi.setSystemTime(new Date('2028-03-25T12:00:00Z'));
    await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
    expect(slots).toEqual(['2027-03-28T01:00:00.000Z', '2028-03-26T01:00:00.000Z']);
  });

  test('slept through is missed', async () => {
    start('30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z');
    vi.setSystemTime(new Date('2027-03-28T09:00:00Z'));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(missed).toEqual([['2027-03-28T01:00:00.000Z']]);
    expect(slots).toEqual([]);
  });
});
