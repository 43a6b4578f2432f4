/**
 * Cron expressions: checked field by field, and what they mean. node-cron understands them; it asks
 * the system's clock, not an injected one, when the next run is.
 */
import { createTask, parse, validateDetailed } from 'node-cron';
import type { CronFieldError } from 'node-cron';
import { ReshelveError } from '../../errors.js';

export interface Schedule {
  /** Five fields, or six of which the first is seconds. */
  readonly expression: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** The field's name in a sentence, and what it may hold. */
const FIELDS: Readonly<Record<string, readonly [name: string, expected: string]>> = {
  second: ['second', '0 to 59'],
  minute: ['minute', '0 to 59'],
  hour: ['hour', '0 to 23'],
  dayOfMonth: ['day of month', '1 to 31, which the month has'],
  month: ['month', '1 to 12, or jan to dec'],
  dayOfWeek: ['day of week', '0 to 7 (0 and 7 are Sunday), or sun to sat'],
};

const HINT =
  'Five fields: minute, hour, day of month, month, day of week. `0 2 * * *` is every night at two.';

/** Throws CONFIG, naming `setting`, each field that is wrong and its value. */
export function assertSchedule(setting: string, schedule: Schedule): void {
  const { expression } = schedule;
  const { valid, errors } = validateDetailed(expression);
  const shown = JSON.stringify(expression);
  if (!valid) {
    const problems = errors.map(describeFieldError).join('; ');
    throw new ReshelveError('CONFIG', `${setting}: ${problems}, in ${shown}`, { hint: HINT });
  }
  try {
    nextRuns(schedule, 1);
  } catch (cause) {
    const message = `${setting}: expected a schedule but found ${shown}, which never comes`;
    throw new ReshelveError('CONFIG', message, { hint: HINT, cause });
  }
}

function describeFieldError({ field, value, message }: CronFieldError): string {
  const [name, expected] = FIELDS[field] ?? [];
  if (name === undefined || expected === undefined) {
    return message.startsWith('expected')
      ? message
      : 'expected a cron expression but found something else';
  }
  return `expected a ${name} (${expected}) but found ${JSON.stringify(value ?? '')}`;
}

/** The next `count` runs after now, earliest first. The schedule must be a valid one. */
export function nextRuns(schedule: Schedule, count: number): Date[] {
  const task = createTask(schedule.expression, () => undefined, { timezone: schedule.timeZone });
  try {
    return task.getNextRuns(count);
  } finally {
    void task.destroy();
  }
}

/**
 * The first time of day, `HH:MM` and counted in minutes from `from` to before `to`, at which the
 * expression fires. Both are wall-clock times, written as if they were UTC.
 */
export function firstWallClockMatch(expression: string, from: Date, to: Date): string | undefined {
  const { second, minute, hour } = parse(expression);
  const [firstSecond = 0] = second;
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  try {
    for (let at = from.getTime(); at < to.getTime(); at += 60_000) {
      const wall = new Date(at);
      if (!hour.includes(wall.getUTCHours()) || !minute.includes(wall.getUTCMinutes())) continue;
      if (task.match(new Date(at + firstSecond * 1000))) return wall.toISOString().slice(11, 16);
    }
    return undefined;
  } finally {
    void task.destroy();
  }
}

/** What a valid expression does that its author may not expect. */
export function scheduleSurprise(expression: string): string | undefined {
  const { dayOfMonth, dayOfWeek } = parse(expression);
  const everyDayOfMonth = new Set(dayOfMonth).size >= 31;
  const everyDayOfWeek = new Set(dayOfWeek).size >= 7;
  if (everyDayOfMonth || everyDayOfWeek) return undefined;
  return (
    `${JSON.stringify(expression)} runs only on days that fit both the day of month and the day of ` +
    'week; the cron of Unix runs on days that fit either'
  );
}
