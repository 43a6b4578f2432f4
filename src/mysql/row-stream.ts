/** Reads the rows of a table, or of a range of its key, into SQL text and digest. */
import type { ColumnPlan } from '../sql/column-plan.js';
import type { TableDigest } from '../sql/digest.js';
import { RowEncoder } from '../sql/kernel/row-encoder.js';
import type { SqlPiece } from '../sql/kernel/row-encoder.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { KeyRange } from './key-ranges.js';
import { whereRange } from './key-ranges.js';
import { ServerError } from './server-error.js';
import type { Session } from './session.js';

export interface RowSelection {
  readonly table: string;
  readonly columns: readonly ColumnPlan[];
  /** MariaDB: read the history of a system-versioned table, too. */
  readonly versioned: boolean;
  readonly key?: { readonly name: string; readonly columns: readonly string[] };
  readonly range: KeyRange;
}

export interface EncodeOptions {
  readonly insertPrefix: Buffer;
  readonly statementBytesTarget: number;
  readonly memberBytesTarget: number;
  readonly hashOnly?: boolean;
}

export function selectSql(selection: RowSelection): string {
  const { columns, table, versioned, key, range } = selection;
  const list = columns.map((column) => column.expression).join(', ');
  const history = versioned ? ' FOR SYSTEM_TIME ALL' : '';
  const index = key === undefined ? '' : ` FORCE INDEX (${quoteIdentifier(key.name)})`;
  const where = key === undefined ? '' : whereRange(key.columns, range);
  return `SELECT ${list} FROM ${quoteIdentifier(table)}${history}${index}${where}`;
}

/** One encoder per reader, used for one table after the other. */
export class RowReader {
  #encoder: RowEncoder | undefined;

  /**
   * Runs the SELECT and hands out the SQL in member-sized pieces; the next bytes are taken from the
   * server only when `onPiece` has resolved. Throws what the server or the connection throws.
   */
  async read(
    session: Session,
    selection: RowSelection,
    options: EncodeOptions,
    onPiece: (piece: SqlPiece) => Promise<void>,
  ): Promise<TableDigest> {
    const rows = await session.startRows(selectSql(selection));
    const encoder = this.#prepare({
      ...options,
      columns: selection.columns,
      sequenceId: rows.firstSequence,
    });
    for (;;) {
      for (const piece of encoder.push(await rows.nextChunk())) await onPiece(piece);
      const { end } = encoder;
      if (end === undefined) continue;
      rows.finish(end.leftover);
      if (end.kind === 'end') return end.digest;
      throw new ServerError(`${session.where}, table ${selection.table}`, {
        errno: end.errno,
        sqlState: end.sqlState,
        message: end.message.toString('utf8'),
      });
    }
  }

  #prepare(options: ConstructorParameters<typeof RowEncoder>[0]): RowEncoder {
    if (this.#encoder === undefined) this.#encoder = new RowEncoder(options);
    else this.#encoder.reset(options);
    return this.#encoder;
  }
}

/** Plans of the columns in `names`; a key's columns are always among the stored ones. */
export function plansOf(
  columns: readonly ColumnPlan[],
  names: readonly string[],
): ColumnPlan[] | undefined {
  const plans = names.map((name) => columns.find((column) => column.name === name));
  return plans.every((plan) => plan !== undefined) ? plans : undefined;
}
