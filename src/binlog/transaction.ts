/** One transaction or statement on its way from the log into the archive. */
import type { TableChanges } from '../archive/index-types.js';
import { chooseDelimiter } from '../sql/ddl-delimiter.js';
import type { StatementClass } from '../sql/logged-statement-scope.js';
import { addChanges, markedTable } from './change-members.js';
import type { FinishedPart } from './change-members.js';
import type { GtidEvent } from './gtid-event.js';
import { MARKER_START } from './marker.js';
import type { RowsKind } from './row-count.js';
import { RowStatements } from './row-statements.js';
import type { SqlSink } from './sql-sink.js';

export interface TransactionStart extends GtidEvent {
  readonly file: string;
  readonly position: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class Transaction {
  readonly start: TransactionStart;
  /** Set by XA START: rows are held back until XA COMMIT. */
  xid: string | undefined;
  /** Its last event was seen; it ends where its envelope in the log ends. */
  isOver = false;
  /** It is of an earlier archive; its rows are wanted only where it is prepared and not decided. */
  isBeforeStart = false;
  /** Its rows are not wanted. */
  isIgnored = false;
  /** Opened by BEGIN or XA START, so that a statement does not end it. */
  isExplicit = false;
  readonly #sink: SqlSink;
  readonly #rows: RowStatements;
  readonly #tables = new Map<string, Writable<TableChanges>>();
  #savepoints: Buffer[] = [];
  /** Its BEGIN was written. */
  isBegun = false;
  #hasParts = false;
  #ddl: StatementClass | undefined;
  #hasStatements = false;

  /** `sink` is this transaction's alone until it is finished. */
  constructor(start: TransactionStart, sink: SqlSink) {
    this.start = start;
    this.#sink = sink;
    this.#rows = new RowStatements(sink);
    sink.clear();
  }

  get bodyLength(): number {
    return this.#sink.length;
  }

  get hasParts(): boolean {
    return this.#hasParts;
  }

  get isEmpty(): boolean {
    return this.#sink.length === 0 && !this.#hasParts;
  }

  /** `maps` are those of all our tables that the statement announced. */
  addRows(
    table: string,
    maps: Iterable<Buffer>,
    rows: Buffer,
    kind: RowsKind,
    count: number,
  ): void {
    this.#begin();
    this.#rows.add(maps, rows);
    this.#changesOf(table)[kind] += count;
  }

  /** The statement of the rows is over; the next one brings its own table maps. */
  endRowStatement(): void {
    this.#rows.close();
  }

  #changesOf(name: string): Writable<TableChanges> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const fresh = { name, inserted: 0, updated: 0, deleted: 0, ddl: false };
    this.#tables.set(name, fresh);
    return fresh;
  }

  /** Only once something of ours comes, so that transactions of other databases cost nothing. */
  #begin(): void {
    if (this.isBegun) return;
    this.isBegun = true;
    if (this.xid !== undefined) return;
    this.#sink.line('BEGIN;');
    for (const savepoint of this.#savepoints) this.#statementLine(savepoint);
  }

  /** `SAVEPOINT name`, as logged. */
  savepoint(sql: Buffer): void {
    if (this.isBegun) this.#statementLine(sql);
    else this.#savepoints.push(Buffer.from(sql));
  }

  /** `ROLLBACK TO name`, as logged. */
  rollbackTo(sql: Buffer): void {
    if (this.isBegun) {
      this.#statementLine(sql);
      return;
    }
    const name = savepointName(sql);
    const at = this.#savepoints.findLastIndex((savepoint) => savepointName(savepoint) === name);
    this.#savepoints = this.#savepoints.slice(0, at + 1);
  }

  #statementLine(sql: Uint8Array): void {
    this.#rows.close();
    this.#sink.beginStatement();
    this.#sink.bytes(sql);
    this.#sink.bytes(Buffer.from(';\n'));
    this.#sink.endStatement();
  }

  /** Definitions commit by themselves, so what was begun is committed before. */
  addDefinition(
    settings: readonly string[],
    text: Buffer,
    ddl: StatementClass,
    tables: readonly string[],
  ): void {
    this.#rows.close();
    if (this.isBegun) this.#sink.line('COMMIT;');
    this.isBegun = false;
    this.#writeStatement(settings, text);
    this.#ddl = ddl;
    for (const table of tables) this.#changesOf(table).ddl = true;
  }

  addStatement(settings: readonly string[], text: Buffer, tables: readonly string[]): void {
    this.#begin();
    this.#rows.close();
    this.#writeStatement(settings, text);
    this.#hasStatements = true;
    for (const table of tables) this.#changesOf(table);
  }

  #writeStatement(settings: readonly string[], text: Buffer): void {
    for (const setting of settings) this.#sink.line(`${setting};`);
    // A comment of the statement could be taken for a marker of ours.
    const isPlain = !text.includes(0x3b) && !text.includes(MARKER_START);
    const delimiter = isPlain ? ';' : chooseDelimiter(text);
    if (!isPlain) this.#sink.line(`DELIMITER ${delimiter}`, 0);
    this.#sink.beginStatement();
    this.#sink.bytes(text);
    // On a line of its own, because the text may end in a comment.
    this.#sink.bytes(Buffer.from(`\n${delimiter}\n`));
    this.#sink.endStatement();
    if (!isPlain) this.#sink.line('DELIMITER ;', 0);
  }

  /** Rows that were held back since XA PREPARE. */
  addHeld(sql: Buffer, tables: readonly TableChanges[]): void {
    this.#begin();
    this.#sink.beginStatement();
    this.#sink.bytes(sql);
    this.#sink.endStatement();
    for (const table of tables) addChanges(this.#changesOf(table.name), table);
  }

  /** What there is of a transaction to be held back; the transaction is empty afterwards. */
  takeHeld(): { readonly sql: Buffer; readonly tables: readonly TableChanges[] } {
    this.#rows.close();
    const tables = [...this.#tables.values()];
    this.#tables.clear();
    return { sql: this.#sink.take(), tables };
  }

  /** A part of a transaction that goes on. */
  takePart(): FinishedPart {
    this.#rows.close();
    return this.#part(null);
  }

  /** The whole, or the rest where parts were taken; undefined where nothing of ours was in it. */
  finish(how: 'COMMIT' | 'ROLLBACK', end: number): FinishedPart | undefined {
    this.#rows.close();
    if (this.isBegun) this.#sink.line(`${how};`);
    this.isBegun = false;
    return this.isEmpty ? undefined : this.#part(end);
  }

  #part(end: number | null): FinishedPart {
    const { start } = this;
    const tables = [...this.#tables.values()];
    const continued = this.#hasParts;
    this.#hasParts = true;
    const part: FinishedPart = {
      marker: {
        gtid: start.gtid,
        file: start.file,
        start: start.position,
        end,
        at: String(start.committedAt),
        ...(start.isInSeconds && { seconds: true }),
        kind: this.#ddl !== undefined ? 'ddl' : this.#hasStatements ? 'statement' : 'rows',
        ...(this.#ddl !== undefined && { ddl: this.#ddl }),
        tables: tables.map(markedTable),
        ...(continued && { continued: true }),
        ...(end === null && { continues: true }),
      },
      tables,
      body: this.#sink,
    };
    this.#tables.clear();
    return part;
  }
}

/** The last word: names of savepoints are logged in backticks. */
function savepointName(sql: Buffer): string {
  const text = sql.toString('latin1');
  return text.slice(text.indexOf('`'));
}
