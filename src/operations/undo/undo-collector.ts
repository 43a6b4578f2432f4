/**
 * Takes the statements of one logged transaction in their order, turns each around, and keeps them for
 * the way back; notes everything that cannot be taken back.
 */
import type { TableRows } from '../../binlog/logged-transaction.js';
import type { Marker } from '../../binlog/marker.js';
import { decodeEvents, isBinlogStatement } from '../../binlog/rewrite-rows.js';
import type { ReversedRows } from '../../binlog/reverse-statement.js';
import {
  binlogStatement,
  irreversible,
  reverseRows,
  rowsOfStatement,
} from '../../binlog/reverse-statement.js';
import { ROWS_FLAG } from '../../binlog/rows-event.js';
import type { LoggedType } from '../../binlog/image-value.js';
import { parseColumnTypes } from '../../binlog/image-value.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import type { PieceSpill } from '../changes/piece-spill.js';

/** What the log tells of a table that the transaction touched. */
export interface UndoTable extends TableRows {
  readonly types: readonly LoggedType[];
  /** Columns that a row image lacks, by number. */
  readonly missing: ReadonlySet<number>;
  /** Rows were deleted, and what foreign keys did along with them is not in the log. */
  readonly hidesDeletes: boolean;
  /** Columns that were updated, likewise, by number. */
  readonly hiddenUpdates: ReadonlySet<number>;
}

type Collected = {
  -readonly [K in keyof Omit<UndoTable, 'missing' | 'hiddenUpdates'>]: UndoTable[K];
} & { readonly missing: Set<number>; readonly hiddenUpdates: Set<number> };

const KEY = 'undo';

export class UndoCollector {
  readonly #spill: PieceSpill;
  readonly #database: string;
  readonly #tables = new Map<string, Collected>();
  readonly #refusals = new Set<string>();
  #preamble: readonly Buffer[] = [];
  #marker: Marker | undefined;

  /** Rows of another database than this are refused, whatever an archive says. */
  constructor(spill: PieceSpill, database: string) {
    this.#spill = spill;
    this.#database = database.toLowerCase();
  }

  get marker(): Marker | undefined {
    return this.#marker;
  }

  get tables(): ReadonlyMap<string, UndoTable> {
    return this.#tables;
  }

  /** In words, each once. */
  get refusals(): readonly string[] {
    return [...this.#refusals];
  }

  /** Statements that must run before any of rows: the format description. */
  get preamble(): readonly Buffer[] {
    return this.#preamble;
  }

  /** The statements that take the transaction back, in the order in which they must run. */
  statements(): Iterable<Buffer> {
    return this.#spill.backwards(KEY);
  }

  begin(marker: Marker, preamble: readonly Buffer[]): void {
    this.#marker ??= marker;
    if (this.#preamble.length === 0) this.#preamble = preamble;
    if (marker.kind === 'ddl') {
      const what = marker.ddl === 'truncate' ? 'a TRUNCATE' : 'a definition';
      this.#refusals.add(
        `it is ${what} (${marker.ddl ?? 'other'}), of which the log holds no rows`,
      );
    }
    if (marker.kind === 'statement') {
      this.#refusals.add('it was logged as a statement (binlog_format), without its rows');
    }
  }

  take(statement: SplitStatement): void {
    const { kind, text } = statement;
    if (isBinlogStatement(text)) this.#takeRows(text);
    else if (kind === 'ROLLBACK') this.#refusals.add('parts of it were rolled back');
    else if (!HARMLESS.test(kind)) this.#refusals.add(`it holds a statement (${kind})`);
  }

  #takeRows(text: Buffer): void {
    if (this.#refusals.size > 0) return;
    const rows = rowsOfStatement(text);
    for (const one of rows) {
      const reason = irreversible(one);
      const { table, database } = one.map;
      if (database.toLowerCase() !== this.#database) {
        this.#refusals.add(`it holds rows of another database (${database})`);
      }
      if (reason === 'partial-json') {
        this.#refusals.add(
          `${table}: updates of JSON are logged in part (binlog_row_value_options)`,
        );
      } else if (reason !== undefined) {
        this.#refusals.add(`${table}: a column has a type whose values cannot be told apart`);
      }
    }
    if (this.#refusals.size > 0 || rows.length === 0) return;
    const reversed = rows.map(reverseRows);
    for (const one of reversed) this.#note(one);
    this.#spill.append(KEY, binlogStatement(reversed.toReversed()));
  }

  #note({ table, mapBytes, logged }: ReversedRows): void {
    const known = this.#tables.get(table) ?? {
      name: table,
      inserted: 0,
      updated: 0,
      deleted: 0,
      types: parseColumnTypes(mapBytes),
      missing: new Set<number>(),
      hidesDeletes: false,
      hiddenUpdates: new Set<number>(),
    };
    this.#tables.set(table, known);
    known[logged.kind] += logged.rows.length;
    for (const column of logged.missing) known.missing.add(column);
    // With the checks off nothing was changed along.
    const { loggedCascades, noForeignKeys } = ROWS_FLAG;
    if ((logged.flags & (loggedCascades | noForeignKeys)) !== 0) return;
    if (logged.kind === 'deleted') known.hidesDeletes = true;
    if (logged.kind !== 'updated') return;
    for (const { before, after } of logged.rows) {
      for (const [column, value] of before?.values.entries() ?? []) {
        if (!isSame(value, after?.values[column])) known.hiddenUpdates.add(column);
      }
    }
  }
}

function isSame(left: Buffer | null | undefined, right: Buffer | null | undefined): boolean {
  if (!left || !right) return left === right;
  return left.equals(right);
}

const HARMLESS = /^(?:BEGIN|COMMIT|SAVEPOINT|DO|SET.*|)$/;

/** Whether the statement is nothing but the description of the log's format. */
export function isDescription(text: Buffer): boolean {
  return isBinlogStatement(text) && decodeEvents(text).every((event) => event[4] === 15);
}
