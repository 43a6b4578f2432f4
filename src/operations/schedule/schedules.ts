/** The scheduler's settings as schedules. */
import type { Context } from '../context.js';
import { assertSchedule } from './schedule-expression.js';
import type { Schedule } from './schedule-expression.js';

export interface Schedules {
  readonly full: Schedule;
  /** Undefined where no incrementals are scheduled, or where continuous capture takes their place. */
  readonly incremental: Schedule | undefined;
}

/** Throws CONFIG where a setting is no schedule. */
export function readSchedules(context: Pick<Context, 'configuration'>): Schedules {
  const { cronSchedule, incrementalCronSchedule, timeZone, stream } = context.configuration.backup;
  const full = { expression: cronSchedule, timeZone };
  assertSchedule('BACKUP_CRON_SCHEDULE', full);
  if (incrementalCronSchedule === undefined) return { full, incremental: undefined };
  const incremental = { expression: incrementalCronSchedule, timeZone };
  assertSchedule('BACKUP_INCREMENTAL_CRON_SCHEDULE', incremental);
  return { full, incremental: stream.isOn ? undefined : incremental };
}
