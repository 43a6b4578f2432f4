/** `reshelve schedule`: stays and makes backups whenever the two schedules say so. */
import type { Command } from 'commander';
import { openCatalog } from '../catalog/store.js';
import type { Configuration } from '../config/configuration.js';
import { loadConfiguration } from '../config/load.js';
import type { ExitCode } from '../errors.js';
import { EXIT, ReshelveError } from '../errors.js';
import { scheduleSurprise } from '../operations/schedule/schedule-expression.js';
import type { Schedule } from '../operations/schedule/schedule-expression.js';
import { readSchedules } from '../operations/schedule/schedules.js';
import { nextLostRun } from '../operations/schedule/schedule-gap.js';
import { warnOfUnfinishedRecoveries } from '../operations/recovery/unfinished-recovery.js';
import type { StopOutcome } from '../scheduler/scheduler.js';
import { Scheduler } from '../scheduler/scheduler.js';
import type { Made, ScheduledTask, SchedulerEvent, Slot } from '../scheduler/slot.js';
import { printIncremental } from './incremental.js';
import { formatLocalTime } from './local-time.js';
import { ScheduleOutput } from './schedule-output.js';
import { onStopWishes } from './signals.js';
import { tellStream } from './stream.js';
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
    .description(
      'stay and make full and incremental backups as the BACKUP_*CRON_SCHEDULE settings say',
    )
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
  const { full, incremental } = readSchedules({ configuration });
  for (const message of configuration.warnings) output.warn({ code: 'CONFIG', message });
  const incrementals =
    incremental === undefined ? '' : `, incrementals at "${incremental.expression}"`;
  const between = backup.stream.isOn ? ', every change in between as it is logged' : incrementals;
  output.line(
    `Scheduler started: full backups of ${databaseName} to ${backup.directoryShown} at ` +
      `"${full.expression}"${between} (${full.timeZone})`,
  );
  for (const schedule of [full, incremental]) {
    if (schedule !== undefined) warnOfSurprises(output, schedule, now);
  }
}

function warnOfSurprises(output: ScheduleOutput, schedule: Schedule, now: Date): void {
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
  const name = ({ task, at }: Slot): string => `the ${RUN_OF[task]} of ${time(at)}`;
  switch (event.kind) {
    case 'stream':
      tellStream(output, event.event);
      break;
    case 'stream-ended':
      tellCaptureEnded(output, event);
      break;
    case 'next':
      output.line(describeNext(event.slots, time));
      break;
    case 'waiting':
      output.line(`${capital(name(event.slot))} waits for ${event.holder}`);
      break;
    case 'started':
      output.line(`${capital(name(event.slot)).replace(/^The r/, 'R')}:`);
      break;
    case 'saved':
      tellSaved(output, event.made);
      break;
    case 'proven':
      output.line(
        `✓ Chain proven: ${event.proof.chain} and its incrementals give what ${event.proof.by} holds`,
      );
      break;
    case 'gap':
      output.progress(null);
      output.warn({ code: 'CHAIN_GAP', message: `${event.reason}; so a full backup now:` });
      break;
    case 'failed':
      output.progress(null);
      output.failure(event.error);
      break;
    case 'served':
      output.line(`${capital(name(event.slot))} is another scheduler's: ${event.by}`);
      break;
    case 'passed-over':
      tellPassedOver(output, name(event.slot), event);
      break;
    case 'missed':
      output.warn({ code: 'SLOT_MISSED', message: describeMissed(event, time) });
      break;
    case 'finishing':
      output.line(
        `Stopping: the run under way has ${formatDuration(event.graceMs)} to finish (again: stop it now)`,
      );
      break;
  }
}

function tellCaptureEnded(
  output: ScheduleOutput,
  { error, isGap, waitMs }: Extract<SchedulerEvent, { kind: 'stream-ended' }>,
): void {
  output.failure(error);
  const pause = waitMs === 0 ? 'at once' : `in ${formatDuration(waitMs)}`;
  output.line(`The capture begins again ${pause}${isGap ? ', behind a full backup' : ''}`);
}

const RUN_OF: Readonly<Record<ScheduledTask, string>> = { full: 'run', incremental: 'incremental' };

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function describeNext(slots: readonly Slot[], time: (at: Date) => string): string {
  const [full, incremental] = (['full', 'incremental'] as const).map((task) =>
    slots.find((slot) => slot.task === task),
  );
  const text = `Next run: ${full === undefined ? 'none' : time(full.at)}`;
  return incremental === undefined ? text : `${text}, next incremental: ${time(incremental.at)}`;
}

function tellSaved(output: ScheduleOutput, made: Made): void {
  if (made.task === 'incremental') {
    printIncremental(output, made.result);
    return;
  }
  const { entry, file, notes } = made.result;
  for (const note of notes) output.line(`  ${note}`);
  const rows = entry.rows === undefined ? '' : `, ${entry.tables ?? 0} tables, ${entry.rows} rows`;
  const size = formatBytes(entry.sizeBytes ?? 0);
  output.line(`✓ Backup saved: ${file} (${size}${rows}, ${formatDuration(entry.durationMs)})`);
}

/** That incrementals rest while a full backup is made is how it is meant. */
function tellPassedOver(
  output: ScheduleOutput,
  name: string,
  { slot, underWay }: Extract<SchedulerEvent, { kind: 'passed-over' }>,
): void {
  if (slot.task === 'incremental' && underWay === 'full') {
    output.line(`${capital(name)} is left out: a full backup is under way`);
    return;
  }
  output.warn({
    code: 'SLOT_PASSED_OVER',
    message: `${name} is left out: the one before it is still under way`,
  });
}

function describeMissed(
  { task, slots }: Extract<SchedulerEvent, { kind: 'missed' }>,
  time: (at: Date) => string,
): string {
  const [first = new Date(0)] = slots;
  const last = slots.at(-1) ?? first;
  const which =
    slots.length === 1
      ? `the ${RUN_OF[task]} of ${time(first)} was`
      : `the ${RUN_OF[task]}s from ${time(first)} to ${time(last)} were`;
  return `${which} missed: this machine slept or was too busy`;
}
