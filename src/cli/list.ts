/** `reshelve list`: the backups there are, newest first; with --all every run. */
import type { Command } from 'commander';
import type { CatalogEntry } from '../catalog/records.js';
import { EXIT } from '../errors.js';
import type { Context } from '../operations/context.js';
import type { BackupList, ListedBackup } from '../operations/list.js';
import { listBackups } from '../operations/list.js';
import { readRecoverable } from '../operations/chains/recoverable.js';
import { formatLocalTime } from './local-time.js';
import { formatTable, visible } from './table.js';
import { formatBytes, formatDuration } from './terminal-output.js';
import { withContext } from './with-context.js';

const MESSAGE_CHARACTERS_MAX = 160;

export function listCommand(program: Command): void {
  program
    .command('list')
    .description('show the backups there are, newest first')
    .option('--all', 'show every run in the catalog instead')
    .action(async (options: { all?: boolean }, command: Command) => {
      await withContext(command, async (context) => {
        const list = await listBackups(context);
        const { catalogProblem } = list;
        if (catalogProblem !== undefined) {
          const { code, message, hint } = catalogProblem;
          context.output.warn({ code, message: `${message}. ${hint}` });
        }
        if (options.all === true) printRuns(context, list.runs);
        else printBackups(context, list.backups);
        const recoverable = await readRecoverable(context);
        if (options.all !== true && recoverable !== undefined && list.backups.length > 0) {
          for (const line of ['', ...recoverable.lines]) context.output.line(line);
        }
        return {
          exitCode: catalogProblem === undefined ? EXIT.done : EXIT.warnings,
          document: {
            ...toDocument(context, list, options.all === true),
            ...(recoverable === undefined || options.all === true
              ? {}
              : {
                  recoverable: { spans: recoverable.spans, unreachable: recoverable.unreachable },
                }),
          },
        };
      });
    });
}

function toDocument(context: Context, list: BackupList, all: boolean): object {
  const { directory, timeZone } = context.configuration.backup;
  const { catalogProblem } = list;
  return {
    status: catalogProblem === undefined ? 'success' : 'warning',
    directory,
    timeZone,
    ...(all ? { runs: list.runs } : { backups: list.backups }),
    ...(catalogProblem === undefined
      ? {}
      : { error: { code: catalogProblem.code, message: catalogProblem.message } }),
  };
}

function printBackups(context: Context, backups: readonly ListedBackup[]): void {
  const { output, configuration } = context;
  const { timeZone, directoryShown } = configuration.backup;
  if (backups.length === 0) {
    output.line(`No backups in ${directoryShown}. Run \`reshelve full\` to make one.`);
    return;
  }
  const showsDatabase = backups.some((one) => one.database !== configuration.databaseName);
  const heading = [
    'Date',
    'Kind',
    'Database',
    'File',
    'Size',
    'Tables',
    'Rows',
    'Status',
    'Verified',
  ];
  const rows = backups.map((one) => [
    one.startedAt === undefined ? '?' : formatLocalTime(new Date(one.startedAt), timeZone),
    one.kind,
    visible(one.database),
    one.file,
    one.sizeBytes === null ? '?' : formatBytes(one.sizeBytes),
    one.tables === undefined ? '?' : String(one.tables),
    one.rows === undefined ? '?' : String(one.rows),
    describeState(one),
    describeVerification(one, timeZone),
  ]);
  const columns = [heading, ...rows].map((row) =>
    showsDatabase ? row : row.filter((_, at) => at !== 2),
  );
  const left = Array.from({ length: showsDatabase ? 4 : 3 }, () => 'left' as const);
  const alignments = [...left, 'right', 'right', 'right', 'left', 'left'] as const;
  for (const line of formatTable(columns, alignments)) output.line(line);
  for (const line of nextSteps(backups, directoryShown)) output.line(line);
}

function describeState(backup: ListedBackup): string {
  if (backup.state === 'missing') return 'FILE MISSING';
  if (backup.state === 'changed') return 'SIZE CHANGED';
  if (backup.state === 'unlisted') return 'NOT LISTED';
  if (backup.state === 'copy') return 'copy';
  const { warnings } = backup;
  if (backup.status !== 'warning') return 'ok';
  return warnings?.length === 1 ? '1 warning' : `${warnings?.length ?? 'with'} warnings`;
}

function describeVerification(backup: ListedBackup, timeZone: string): string {
  const { verification, verifiedAt } = backup;
  if (verification === undefined || verifiedAt === undefined) return '-';
  const date = formatLocalTime(new Date(verifiedAt), timeZone).slice(0, 16);
  const how = verification.method === 'restore' ? 'by restore' : 'file only';
  return `${verification.status === 'failed' ? 'FAILED ' : ''}${date} ${how}`;
}

function nextSteps(backups: readonly ListedBackup[], directory: string): string[] {
  const count = (state: ListedBackup['state']): number =>
    backups.filter((backup) => backup.state === state).length;
  const lines: string[] = [];
  const say = (state: ListedBackup['state'], text: string): void => {
    if (count(state) > 0) lines.push(`${count(state)} ${text}`);
  };
  say('missing', `listed but not in ${directory}: put the file back, or count on the others`);
  say('changed', 'of another size than when it was made: `reshelve inspect --check FILE`');
  say('unlisted', 'not in the catalog: `reshelve catalog rebuild` lists what is sound');
  return lines.length === 0 ? [] : ['', ...lines];
}

function printRuns(context: Context, runs: readonly CatalogEntry[]): void {
  const { output, configuration } = context;
  const { timeZone, directoryShown } = configuration.backup;
  if (runs.length === 0) {
    output.line(`No runs in the catalog of ${directoryShown}.`);
    return;
  }
  const rows = runs.map((run) => [
    formatLocalTime(new Date(run.startedAt), timeZone),
    run.type,
    run.status,
    run.trigger,
    formatDuration(run.durationMs),
    run.file ?? '-',
    describeOutcome(run),
  ]);
  const heading = ['Date', 'Type', 'Status', 'Trigger', 'Took', 'File', 'Outcome'];
  const alignments = ['left', 'left', 'left', 'left', 'right', 'left', 'left'] as const;
  for (const line of formatTable([heading, ...rows], alignments)) output.line(line);
}

function describeOutcome(run: CatalogEntry): string {
  const text =
    run.error === undefined
      ? (run.warnings ?? []).join('; ')
      : `${run.error.code}: ${run.error.message}`;
  const removed = run.removedReason === undefined ? '' : `removed: ${run.removedReason}`;
  const line = visible([text, removed].filter((part) => part !== '').join('; '));
  return line.length > MESSAGE_CHARACTERS_MAX ? `${line.slice(0, MESSAGE_CHARACTERS_MAX)}…` : line;
}
