/** Reads the rows of a table, or of a range of its key, into SQL text and digest. */
import type { ColumnPlan } from '../sql/column-plan.js';
import type { TableDigest } from '../sql/digest.js';
import type { HugeRowKernels } from '../sql/kernel/huge-rows.js';
import type { Kernel } from '../sql/kernel/kernel.js';
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

/** A piece that is lent is used until the promise resolves, and not afterwards. */
export type OnPiece = (piece: SqlPiece) => Promise<void>;

/** One encoder per reader, used for one table after the other. */
export class RowReader {
  readonly #hugeRows: HugeRowKernels;
  /** What a huge row is in at present. */
  #lent: Kernel | undefined;
  #encoder: RowEncoder | undefined;

  /** Readers that work at the same time share `hugeRows`. */
  constructor(hugeRows: HugeRowKernels) {
    this.#hugeRows = hugeRows;
  }

  /**
   * Runs the SELECT and hands out the SQL in member-sized pieces; the next bytes are taken from the
   * server only when `onPiece` has resolved. Throws what the server or the connection throws.
   */
  async read(
    session: Session,
    selection: RowSelection,
    options: EncodeOptions,
    onPiece: OnPiece,
  ): Promise<TableDigest> {
    const rows = await session.startRows(selectSql(selection));
    const encoder = this.#prepare({
      ...options,
      columns: selection.columns,
      sequenceId: rows.firstSequence,
    });
    try {
      while (encoder.end === undefined) {
        await this.#push(encoder, await rows.nextChunk(), onPiece);
      }
    } finally {
      this.#giveBack();
    }
    const { end } = encoder;
    rows.finish(end.leftover);
    if (end.kind === 'end') return end.digest;
    throw new ServerError(`${session.where}, table ${selection.table}`, {
      errno: end.errno,
      sqlState: end.sqlState,
      message: end.message.toString('utf8'),
    });
  }

  async #push(encoder: RowEncoder, chunk: Buffer, onPiece: OnPiece): Promise<void> {
    let pieces = encoder.push(chunk);
    for (;;) {
      for (const piece of pieces) await onPiece(piece);
      if (!encoder.isInHugeRow) this.#giveBack();
      if (!encoder.isBeforeHugeRow) return;
      this.#lent = await this.#hugeRows.acquire();
      pieces = encoder.enterHugeRow(this.#lent);
    }
  }

  #giveBack(): void {
    if (this.#lent !== undefined) this.#hugeRows.release(this.#lent);
    this.#lent = undefined;
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
