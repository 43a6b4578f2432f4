/** `reshelve schedule`: stays and makes a full backup whenever BACKUP_CRON_SCHEDULE says so. */
import type { Command } from 'commander';
import { openCatalog } from '../catalog/store.js';
import type { Configuration } from '../config/configuration.js';
import { loadConfiguration } from '../config/load.js';
import type { ExitCode } from '../errors.js';
import { EXIT, ReshelveError } from '../errors.js';
import type { FullBackupResult } from '../operations/full-backup.js';
import { scheduleSurprise } from '../operations/schedule/schedule-expression.js';
import { nextLostRun } from '../operations/schedule/schedule-gap.js';
import { warnOfUnfinishedRecoveries } from '../operations/recovery/unfinished-recovery.js';
import type { SchedulerEvent, StopOutcome } from '../scheduler/scheduler.js';
import { readSchedule, Scheduler } from '../scheduler/scheduler.js';
import { formatLocalTime } from './local-time.js';
import { ScheduleOutput } from './schedule-output.js';
import { onStopWishes } from './signals.js';
import { formatBytes, formatDuration } from './terminal-output.js';
import type { GlobalOptions } from './with-context.js';

/** With the cleaning up it stays below the 30 s after which supervisors lose patience. */
const GRACE_MS_MAX = 25_000;
/** PM2 kills this long after its signal unless it is told otherwise (`--kill-timeout`). */
const PM2_KILL_MS_DEFAULT = 1600;
/** Needed for stopping a run and recording that it was stopped. */
const PM2_CLEAN_UP_MS = 800;

const EXIT_OF_OUTCOME: Readonly<Record<StopOutcome, ExitCode>> = {
  idle: EXIT.done,
  finished: EXIT.done,
  abandoned: EXIT.interrupted,
  stuck: EXIT.interrupted,
};

export function scheduleCommand(program: Command): void {
  program
    .command('schedule')
    .description('stay and make full backups as BACKUP_CRON_SCHEDULE says')
    .action(async (_options: unknown, command: Command) => {
      const { json, quiet } = command.optsWithGlobals<GlobalOptions>();
      const configuration = loadConfiguration({ cwd: process.cwd(), environment: process.env });
      const now = (): Date => new Date();
      const output = new ScheduleOutput(
        { quiet: quiet === true, stream: json === true ? process.stderr : process.stdout },
        configuration.backup.timeZone,
        now,
      );
      const counts = { saved: 0, failed: 0 };
      const catalog = openCatalog(configuration.backup.directory);
      const scheduler = new Scheduler({
        context: { configuration, catalog, output, now },
        report: (event) => {
          if (event.kind === 'saved' || event.kind === 'failed') counts[event.kind] += 1;
          tell(output, event, configuration.backup.timeZone);
        },
      });
      announce(output, configuration, now());
      await warnOfUnfinishedRecoveries({ configuration, output });
      const outcome = await runUntilSignal(scheduler);
      output.line('Scheduler stopped');
      if (json === true)
        process.stdout.write(`${JSON.stringify({ status: outcome, ...counts })}\n`);
      process.exitCode = EXIT_OF_OUTCOME[outcome];
      // A run that does not end would keep the process alive beyond the time that it was given.
      if (outcome === 'stuck') process.exit();
    });
}

function announce(output: ScheduleOutput, configuration: Configuration, now: Date): void {
  const { backup, databaseName } = configuration;
  const schedule = readSchedule({ configuration });
  for (const message of configuration.warnings) output.warn({ code: 'CONFIG', message });
  output.line(
    `Scheduler started: full backups of ${databaseName} to ${backup.directoryShown} at ` +
      `"${schedule.expression}" (${schedule.timeZone})`,
  );
  const surprise = scheduleSurprise(schedule.expression);
  if (surprise !== undefined) output.warn({ code: 'SCHEDULE', message: surprise });
  const lost = nextLostRun(schedule, now);
  if (lost === undefined) return;
  const date = formatLocalTime(lost.gap.at, schedule.timeZone);
  output.warn({
    code: 'SCHEDULE',
    message:
      `${lost.time} does not exist on ${date.slice(0, 10)}, when clocks are put forward in ` +
      `${schedule.timeZone}: that run comes at ${date.slice(11, 16)}`,
  });
}

function runUntilSignal(scheduler: Scheduler): Promise<StopOutcome> {
  return new Promise((resolve, reject) => {
    const stopListening = onStopWishes((from, count) => {
      const reason = new ReshelveError('INTERRUPTED', `the scheduler was stopped by ${from}`);
      if (count === 1) {
        scheduler.stop(reason, graceMs(process.env)).finally(stopListening).then(resolve, reject);
      } else if (count === 2) {
        scheduler.abandon(reason);
      } else {
        process.exit(EXIT.interrupted);
      }
    });
    scheduler.start();
  });
}

/** How long a run may go on: PM2 says in the environment when it will kill. */
export function graceMs(environment: NodeJS.ProcessEnv): number {
  if (environment['pm_id'] === undefined) return GRACE_MS_MAX;
  const told = Number(environment['kill_timeout'] ?? '');
  const killMs = Number.isFinite(told) && told > 0 ? told : PM2_KILL_MS_DEFAULT;
  return Math.min(Math.max(killMs - PM2_CLEAN_UP_MS, 0), GRACE_MS_MAX);
}

function tell(output: ScheduleOutput, event: SchedulerEvent, timeZone: string): void {
  const time = (at: Date): string => formatLocalTime(at, timeZone);
  switch (event.kind) {
    case 'next':
      output.line(`Next run: ${time(event.at)}`);
      break;
    case 'waiting':
      output.line(`The run of ${time(event.slot)} waits for ${event.holder}`);
      break;
    case 'started':
      output.line(`Run of ${time(event.slot)}:`);
      break;
    case 'saved':
      tellSaved(output, event.result);
      break;
    case 'failed':
      output.progress(null);
      output.failure(event.error);
      break;
    case 'served':
      output.line(`The run of ${time(event.slot)} is another scheduler's: ${event.by}`);
      break;
    case 'passed-over':
      output.warn({
        code: 'SLOT_PASSED_OVER',
        message: `the run of ${time(event.slot)} is left out: the one before it is still under way`,
      });
      break;
    case 'missed':
      output.warn({ code: 'SLOT_MISSED', message: describeMissed(event.slots, time) });
      break;
    case 'finishing':
      output.line(
        `Stopping: the run under way has ${formatDuration(event.graceMs)} to finish (again: stop it now)`,
      );
      break;
  }
}

function tellSaved(output: ScheduleOutput, { entry, file, notes }: FullBackupResult): void {
  for (const note of notes) output.line(`  ${note}`);
  const rows = entry.rows === undefined ? '' : `, ${entry.tables ?? 0} tables, ${entry.rows} rows`;
  const size = formatBytes(entry.sizeBytes ?? 0);
  output.line(`✓ Backup saved: ${file} (${size}${rows}, ${formatDuration(entry.durationMs)})`);
}

function describeMissed(slots: readonly Date[], time: (at: Date) => string): string {
  const [first = new Date(0)] = slots;
  const last = slots.at(-1) ?? first;
  const which =
    slots.length === 1
      ? `the run of ${time(first)} was`
      : `the runs from ${time(first)} to ${time(last)} were`;
  return `${which} missed: this machine slept or was too busy`;
}
