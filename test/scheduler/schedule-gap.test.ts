/** The runs that are lost when clocks are put forward, compared with what node-cron really does. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nextRuns } from '../../src/operations/schedule/schedule-expression.js';
import { nextGap, nextLostRun } from '../../src/operations/schedule/schedule-gap.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('gaps', () => {
  test.each([
    ['Europe/Berlin', '2027-01-01', '2027-03-28T01:00:00.000Z', '02:00', '03:00'],
    ['America/New_York', '2027-01-01', '2027-03-14T07:00:00.000Z', '02:00', '03:00'],
    ['Australia/Lord_Howe', '2026-06-01', '2026-10-03T15:30:00.000Z', '02:00', '02:30'],
    ['Asia/Beirut', '2027-01-01', '2027-03-27T22:00:00.000Z', '00:00', '01:00'],
  ])('%s', (timeZone, from, at, before, after) => {
    const start = new Date(`${from}T00:00:00Z`);
    const gap = nextGap(timeZone, start, new Date(start.getTime() + 400 * 86_400_000));
    expect(gap?.at.toISOString()).toBe(at);
    expect(gap?.wallBefore.toISOString().slice(11, 16)).toBe(before);
    expect(gap?.wallAfter.toISOString().slice(11, 16)).toBe(after);
  });

  test('a zone without summer time has none', () => {
    const start = new Date('2027-01-01T00:00:00Z');
    expect(nextGap('UTC', start, new Date('2028-02-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('lost runs', () => {
  const lost = (expression: string, from = '2027-01-01T00:00:00Z'): string | undefined => {
    const run = nextLostRun({ expression, timeZone: 'Europe/Berlin' }, new Date(from));
    return run === undefined ? undefined : `${run.time} on ${run.gap.at.toISOString()}`;
  };

  test.each([
    ['0 2 * * *', '02:00 on 2027-03-28T01:00:00.000Z'],
    ['30 2 * * *', '02:30 on 2027-03-28T01:00:00.000Z'],
    ['15 30 2 * * *', '02:30 on 2027-03-28T01:00:00.000Z'],
    ['0 2,14 * * *', '02:00 on 2027-03-28T01:00:00.000Z'],
    ['0 2 * * 0', '02:00 on 2027-03-28T01:00:00.000Z'],
  ])('%s loses a run', (expression, expected) => {
    expect(lost(expression)).toBe(expected);
  });

  test.each([
    ['outside the gap', '30 3 * * *'],
    ['another day of the week', '0 2 * * 1-5'],
    ['another day of the month', '0 2 1 * *'],
    ['hourly: the hours around have their own', '30 * * * *'],
    ['one at the end of the gap', '0 2,3 * * *'],
    ['every second', '* * * * * *'],
  ])('none: %s', (_why, expression) => {
    expect(lost(expression)).toBeUndefined();
  });

  test('after the gap, the next year’s', () => {
    expect(lost('0 2 * * *', '2027-03-28T01:00:00Z')).toBe('02:00 on 2028-03-26T01:00:00.000Z');
  });

  test('node-cron itself passes exactly these runs over', () => {
    vi.useFakeTimers({ now: new Date('2027-03-27T00:00:00.000Z'), toFake: ['Date'] });
    const schedule = { expression: '0 2 * * *', timeZone: 'Europe/Berlin' };
    expect(nextRuns(schedule, 2).map((run) => run.toISOString())).toEqual([
      '2027-03-27T01:00:00.000Z',
      '2027-03-29T00:00:00.000Z',
    ]);
  });
});
