/**
 * What happened to the database, from the incrementals and from the server's own log: for whoever looks
 * for the mistake that a recovery must end before.
 */
import type { LoggedTransaction, TableRows } from '../binlog/logged-transaction.js';
import type { Mark, TableSizes } from '../binlog/transaction-marks.js';
import { marksOf } from '../binlog/transaction-marks.js';
import { isoOf, parseInstant } from '../catalog/instant.js';
import type { Micros } from '../catalog/instant.js';
import { ReshelveError } from '../errors.js';
import { readChains } from './chains/read-chains.js';
import type { Context, Warning } from './context.js';
import { EventSelection } from './events/event-selection.js';
import type { ChainEnd, LogSource, WantedSpan } from './events/read-log.js';
import { readLog } from './events/read-log.js';

export interface EventsOptions {
  /** Times as people write them. */
  readonly around?: string;
  readonly from?: string;
  readonly until?: string;
  /** Transactions that touch one of these; all where it is empty. */
  readonly tables: readonly string[];
  readonly limit: number;
}

/** On either side of `around`. */
const AROUND_MICROS = 15n * 60_000_000n;

export interface ShownEvent {
  /** ISO 8601 UTC. */
  readonly time: string;
  readonly gtid: string | null;
  readonly file: string;
  readonly position: number;
  readonly kind: LoggedTransaction['kind'] | 'chain-end';
  readonly statement: string | null;
  readonly tables: readonly TableRows[];
  readonly marks: readonly Mark[];
  /** Why no incremental can hold it; of a `chain-end`. */
  readonly reason?: string;
  /** The incremental that holds it; null where only the server does. */
  readonly source: string | null;
  /** Commands that bring back the state right before it; empty where there is no way. */
  readonly recover: readonly string[];
  /** The command that takes it back alone; null where that is no transaction of rows. */
  readonly undo: string | null;
}

export interface EventsResult {
  readonly database: string;
  readonly timeZone: string;
  readonly from: string | null;
  readonly until: string | null;
  readonly events: readonly ShownEvent[];
  /** All that were found, shown or not. */
  readonly found: number;
  readonly totals: readonly TableRows[];
  /** Some of what is shown is in no incremental yet. */
  readonly needsIncremental: boolean;
  readonly warnings: readonly Warning[];
}

/** Throws USAGE, NO_LOG, and what reading backups and connections throw. */
export async function listEvents(context: Context, options: EventsOptions): Promise<EventsResult> {
  const { databaseName, backup } = context.configuration;
  const { span, around } = readSpan(options, backup.timeZone);
  const collected = new Collected(options, around);
  await readLog(context, await readChains(context), span, collected);
  for (const warning of collected.warnings) context.output.warn(warning);
  const events = collected.selection.chosen().map(({ event }) => event);
  return {
    database: databaseName,
    timeZone: backup.timeZone,
    from: span.from === undefined ? null : isoOf(span.from),
    until: span.until === undefined ? null : isoOf(span.until),
    events,
    found: collected.selection.count,
    totals: [...collected.totals.values()],
    needsIncremental: events.some(({ recover }) => recover.includes(INCREMENTAL)),
    warnings: collected.warnings,
  };
}

function readSpan(
  { around, from, until }: EventsOptions,
  timeZone: string,
): { readonly span: WantedSpan; readonly around: Micros | undefined } {
  if (around !== undefined) {
    if (from !== undefined || until !== undefined) {
      throw new ReshelveError('USAGE', 'expected either --around or --from and --until, not both');
    }
    const at = parseInstant(around, timeZone, '--around');
    return { span: { from: at - AROUND_MICROS, until: at + AROUND_MICROS }, around: at };
  }
  const span = {
    ...(from === undefined ? {} : { from: parseInstant(from, timeZone, '--from') }),
    ...(until === undefined ? {} : { until: parseInstant(until, timeZone, '--until') }),
  };
  if (span.from !== undefined && span.until !== undefined && span.from > span.until) {
    throw new ReshelveError('USAGE', 'expected --from to be earlier than --until');
  }
  return { span, around: undefined };
}

interface Candidate {
  readonly at: Micros;
  readonly marks: readonly Mark[];
  readonly event: ShownEvent;
}

/** A mark of its own kind, so that the selection never leaves it out for a plain transaction. */
const END_MARK: Mark = { kind: 'drop', table: null };

class Collected {
  readonly selection: EventSelection<Candidate>;
  readonly totals = new Map<string, { -readonly [K in keyof TableRows]: TableRows[K] }>();
  readonly warnings: Warning[] = [];
  readonly #tables: ReadonlySet<string>;

  constructor({ limit, tables }: EventsOptions, around: Micros | undefined) {
    this.selection = new EventSelection(limit, around);
    this.#tables = new Set(tables);
  }

  warn(warning: Warning): void {
    this.warnings.push(warning);
  }

  transaction(transaction: LoggedTransaction, source: LogSource, sizes: TableSizes): void {
    const isWanted =
      this.#tables.size === 0 || transaction.tables.some(({ name }) => this.#tables.has(name));
    if (!isWanted) return;
    const marks = marksOf(transaction, sizes);
    this.selection.add({ at: transaction.at, marks, event: show(transaction, marks, source) });
    for (const table of transaction.tables) this.#count(table);
  }

  chainEnd({ reason, place, at }: ChainEnd, source: LogSource): void {
    const { binlogFile: file, position } = place;
    const event: ShownEvent = {
      time: isoOf(at),
      gtid: null,
      file,
      position,
      kind: 'chain-end',
      statement: null,
      tables: [],
      marks: [],
      reason,
      source: source.file,
      recover: recoverTo(`--to-position ${file}:${position}`, source),
      undo: null,
    };
    this.selection.add({ at, marks: [END_MARK], event });
  }

  #count({ name, inserted, updated, deleted }: TableRows): void {
    const sum = this.totals.get(name);
    if (sum === undefined) {
      this.totals.set(name, { name, inserted, updated, deleted });
      return;
    }
    sum.inserted += inserted;
    sum.updated += updated;
    sum.deleted += deleted;
  }
}

function show(
  transaction: LoggedTransaction,
  marks: readonly Mark[],
  source: LogSource,
): ShownEvent {
  const { gtid, file, start, at, kind, statement, tables } = transaction;
  const point = gtid === null ? `--to-position ${file}:${start}` : `--before-gtid ${gtid}`;
  const name = gtid === null ? `--position ${file}:${start}` : `--gtid ${gtid}`;
  return {
    time: isoOf(at),
    gtid,
    file,
    position: start,
    kind,
    statement: statement ?? null,
    tables,
    marks,
    source: source.file,
    recover: recoverTo(point, source),
    undo: kind === 'rows' ? `reshelve undo ${name}` : null,
  };
}

const INCREMENTAL = 'reshelve incremental';

function recoverTo(point: string, { file, isRecoverable }: LogSource): string[] {
  if (!isRecoverable) return [];
  const command = `reshelve recover ${point}`;
  return file === null ? [INCREMENTAL, command] : [command];
}
