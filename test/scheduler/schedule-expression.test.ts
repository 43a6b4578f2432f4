/** Which cron expressions are accepted, and what is said of the others. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ReshelveError } from '../../src/errors.js';
import {
  assertSchedule,
  nextRuns,
  scheduleSurprise,
} from '../../src/operations/schedule/schedule-expression.js';

function failure(expression: string): ReshelveError {
  try {
    assertSchedule('BACKUP_CRON_SCHEDULE', { expression, timeZone: 'UTC' });
  } catch (error) {
    if (error instanceof ReshelveError) return error;
    throw error;
  }
  throw new Error(`expected ${expression} to be refused`);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('accepted', () => {
  const from = '2026-01-02T02:00:00.000Z';
  test.each([
    ['0 2 * * *', '2026-01-03T02:00:00.000Z'],
    ['0 */6 * * *', '2026-01-02T06:00:00.000Z'],
    ['30 3 * * *', '2026-01-02T03:30:00.000Z'],
    ['0 0 * * 0', '2026-01-04T00:00:00.000Z'],
    ['0 1 * * 1-5', '2026-01-05T01:00:00.000Z'],
    ['0 2,14 * * *', '2026-01-02T14:00:00.000Z'],
    ['0 3 1 * *', '2026-02-01T03:00:00.000Z'],
    ['*/10 * * * * *', '2026-01-02T02:00:10.000Z'],
    ['0 2 * * sun', '2026-01-04T02:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
  ])('%s', (expression, next) => {
    vi.useFakeTimers({ now: new Date(from), toFake: ['Date'] });
    assertSchedule('BACKUP_CRON_SCHEDULE', { expression, timeZone: 'UTC' });
    expect(nextRuns({ expression, timeZone: 'UTC' }, 1)[0]?.toISOString()).toBe(next);
  });

  test('the time zone decides which instant a time of day is', () => {
    vi.useFakeTimers({ now: new Date('2026-07-01T00:00:00.000Z'), toFake: ['Date'] });
    const schedule = { expression: '0 2 * * *', timeZone: 'America/New_York' };
    expect(nextRuns(schedule, 2).map((run) => run.toISOString())).toEqual([
      '2026-07-01T06:00:00.000Z',
      '2026-07-02T06:00:00.000Z',
    ]);
  });
});

describe('refused, naming setting, field and value', () => {
  test.each([
    ['61 2 * * *', 'BACKUP_CRON_SCHEDULE: expected a minute (0 to 59) but found "61"'],
    ['0 24 * * *', 'expected a hour (0 to 23) but found "24"'],
    ['0 2 32 * *', 'expected a day of month (1 to 31, which the month has) but found "32"'],
    ['0 2 31 2 *', 'expected a day of month (1 to 31, which the month has) but found "31"'],
    ['0 2 * 13 *', 'expected a month (1 to 12, or jan to dec) but found "13"'],
    ['0 2 * * 8', 'expected a day of week'],
    ['60 0 2 * * *', 'expected a second (0 to 59) but found "60"'],
    ['*/0 * * * *', 'expected a minute (0 to 59) but found "*/0"'],
    ['0 2 * *', 'expected 5 or 6 fields but got 4'],
    ['@reboot', 'expected a cron expression but found something else'],
    ['every night', 'in "every night"'],
    ['0 2 L-30 2 *', 'which never comes'],
  ])('%s', (expression, message) => {
    const error = failure(expression);
    expect(error.code).toBe('CONFIG');
    expect(error.message).toContain(message);
    expect(error.message).toContain(JSON.stringify(expression));
  });

  test('every field that is wrong is named', () => {
    const { message } = failure('99 99 * * *');
    expect(message).toContain('minute');
    expect(message).toContain('hour');
  });
});

test('days of month and week together are not what the cron of Unix makes of them', () => {
  expect(scheduleSurprise('0 2 13 * 5')).toContain('fit both');
  expect(scheduleSurprise('0 2 * * 5')).toBeUndefined();
  expect(scheduleSurprise('0 2 13 * *')).toBeUndefined();
  expect(scheduleSurprise('0 2 13 * 0-6')).toBeUndefined();
});
