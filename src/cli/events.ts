/** `reshelve events`: what happened to the database around a time, and how to get back before it. */
import type { Command } from 'commander';
import type { TableRows } from '../binlog/logged-transaction.js';
import type { Mark } from '../binlog/transaction-marks.js';
import { formatInstant, microsOf } from '../catalog/instant.js';
import { EXIT, ReshelveError } from '../errors.js';
import type { Output } from '../operations/context.js';
import type { EventsResult, ShownEvent } from '../operations/events.js';
import { listEvents } from '../operations/events.js';
import { visible } from './table.js';
import { collect } from './target-options.js';
import { withContext } from './with-context.js';

interface EventsFlags {
  readonly around?: string;
  readonly from?: string;
  readonly until?: string;
  readonly table?: string[];
  readonly limit: string;
}

const LIMIT_DEFAULT = 40;
const LIMIT_MAX = 10_000;
const TABLES_SHOWN_MAX = 8;

export function eventsCommand(program: Command): void {
  program
    .command('events')
    .description('show what changed the database, and how to get back to just before it')
    .option('--around <time>', "a quarter of an hour on either side, of '2026-01-02 15:29:00'")
    .option('--from <time>', 'what was committed at this time or later')
    .option('--until <time>', 'what was committed by this time')
    .option('--table <name>', 'only what touches this table (repeatable)', collect, [])
    .option('--limit <count>', 'show at most so many, marked ones first', String(LIMIT_DEFAULT))
    .action(async (flags: EventsFlags, command: Command) => {
      await withContext(command, async (context) => {
        const { around, from, until } = flags;
        const result = await listEvents(context, {
          ...(around === undefined ? {} : { around }),
          ...(from === undefined ? {} : { from }),
          ...(until === undefined ? {} : { until }),
          tables: flags.table ?? [],
          limit: readLimit(flags.limit),
        });
        printEvents(context.output, result);
        const hasWarnings = result.warnings.length > 0;
        return {
          exitCode: hasWarnings ? EXIT.warnings : EXIT.done,
          document: { status: hasWarnings ? 'warning' : 'success', ...result },
        };
      });
    });
}

function readLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new ReshelveError(
    'USAGE',
    `--limit: expected a number from 1 to ${LIMIT_MAX} but found ${text}`,
  );
}

function printEvents(output: Output, result: EventsResult): void {
  const { events, found, timeZone } = result;
  output.line(`Transactions of ${visible(result.database)}${spanText(result)} (${timeZone}):`);
  if (events.length === 0) output.line('none');
  for (const event of events) for (const line of eventLines(event, timeZone)) output.line(line);
  if (found === 0) return;
  output.line('');
  const left = found - events.length;
  if (left > 0) {
    output.line(`${left} of ${found} are not shown: see --from, --until, --table and --limit`);
  }
  output.line(`Together: ${found} transactions; ${tablesText(result.totals)}`);
}

function spanText({ from, until, timeZone }: EventsResult): string {
  const show = (iso: string): string => formatInstant(microsOf(iso), timeZone);
  const begin = from === null ? '' : ` from ${show(from)}`;
  return begin + (until === null ? '' : ` until ${show(until)}`);
}

function eventLines(event: ShownEvent, timeZone: string): string[] {
  const { marks, gtid, file, position } = event;
  const isMarked = marks.length > 0 || event.kind === 'chain-end';
  const time = formatInstant(microsOf(event.time), timeZone).padEnd(26);
  const where = [`${file}:${position}`, ...(gtid === null ? [] : [gtid])].join('  ');
  const lines = [`${isMarked ? '!' : ' '} ${time}  ${where}  ${whatText(event)}`];
  if (!isMarked) return lines;
  for (const mark of marks) lines.push(`    ${markText(mark)}`);
  lines.push(...recoverLines(event));
  if (event.undo !== null) lines.push(`    take back this alone:  ${event.undo}`);
  return lines;
}

function whatText({ reason, statement, tables, kind }: ShownEvent): string {
  if (reason !== undefined) return visible(reason);
  const names = tables.map(({ name }) => visible(name)).join(', ');
  if (kind === 'rows') return tablesText(tables);
  return kind === 'statement'
    ? `logged as a statement: ${names}`
    : `${statement ?? 'definition'} ${names}`.trim();
}

function tablesText(tables: readonly TableRows[]): string {
  const shown = tables.slice(0, TABLES_SHOWN_MAX).map((table) => {
    const { inserted, updated, deleted } = table;
    const parts = [
      ...(inserted > 0 ? [`${inserted} inserted`] : []),
      ...(updated > 0 ? [`${updated} updated`] : []),
      ...(deleted > 0 ? [`${deleted} deleted`] : []),
    ];
    return `${visible(table.name)}: ${parts.length === 0 ? 'no rows' : parts.join(', ')}`;
  });
  const more = tables.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more tables`] : [])].join('; ');
}

function markText({ kind, table, rows, of }: Mark): string {
  const name = table === null ? '' : ` ${visible(table)}`;
  const held = of === undefined ? '' : `, which held ${of} rows`;
  const share = of === undefined ? `${rows ?? 0} rows` : `${rows ?? 0} of ${of} rows`;
  switch (kind) {
    case 'drop':
      return `DROP of${name}${held}`;
    case 'truncate':
      return `TRUNCATE of${name}${held}`;
    case 'drop-part':
      return `ALTER of${name} that drops a column or a partition`;
    case 'mass-delete':
      return `MASS DELETE in${name}: ${share}`;
    case 'mass-update':
      return `MASS UPDATE in${name}: ${share}`;
  }
}

function recoverLines({ recover }: ShownEvent): string[] {
  if (recover.length === 0) {
    return ['    no backup leads to just before it (see `reshelve list` for what can be restored)'];
  }
  const [first = '', ...others] = recover;
  const label = '    back to just before it:  ';
  return [label + first, ...others.map((command) => `${' '.repeat(label.length)}${command}`)];
}
