import { createHash } from 'node:crypto';
import type { Cell, RawConnection } from '../raw-connection.js';
import { quoteName } from '../sql-text.js';
import { jsonTypeExpressions } from './json-types.js';
import { CELL_SEPARATOR, type RowSet } from './state.js';

/** A column as information_schema.COLUMNS describes it. */
export interface ColumnInfo {
  readonly name: string;
  readonly dataType: string;
}

/** One expression of the capturing SELECT. */
interface Capture {
  readonly label: string;
  readonly expression: string;
  readonly real?: 'float' | 'double';
}

/** Values longer than this many bytes are captured as length and SHA-256, computed by the server. */
const HEX_BYTES_MAX = 65_536;

const DETAIL_ROWS_MAX = 5_000;
const DETAIL_CHARACTERS_MAX = 8 * 1024 * 1024;

const AS_TEXT = new Set([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'year'],
  ...['date', 'time', 'datetime', 'timestamp', 'uuid', 'inet4', 'inet6'],
]);

/**
 * Reads every row of a table, every column in the exact form in which the server stores it:
 * FLOAT and DOUBLE as IEEE bits (binary protocol), text as the bytes of its own character set.
 * @param from the table with anything that belongs behind it, such as `FOR SYSTEM_TIME ALL`.
 */
export async function captureRows(
  connection: RawConnection,
  from: string,
  columns: readonly ColumnInfo[],
  hasNativeJson: boolean,
): Promise<RowSet> {
  const captures = columns.flatMap((column) => capturesOf(column, hasNativeJson));
  const rows = await readRows(connection, from, captures);
  const extra = hasNativeJson ? await jsonTypeExpressions(connection, from, columns) : [];
  if (extra.length === 0) return rows;
  return readRows(connection, from, [...captures, ...extra]);
}

async function readRows(
  connection: RawConnection,
  from: string,
  captures: readonly Capture[],
): Promise<RowSet> {
  const list = captures.map((capture) => capture.expression).join(', ');
  const collector = new RowCollector(captures);
  await connection.eachRow(`SELECT ${list} FROM ${from}`, (row) => {
    collector.add(row);
  });
  return collector.finish();
}

function capturesOf(column: ColumnInfo, hasNativeJson: boolean): Capture[] {
  const name = quoteName(column.name);
  const label = column.name;
  const type = column.dataType.toLowerCase();
  if (type === 'float' || type === 'double') return [{ label, expression: name, real: type }];
  if (AS_TEXT.has(type)) return [{ label, expression: `CAST(${name} AS CHAR)` }];
  if (type === 'bit') return [{ label, expression: `HEX(CAST(${name} AS UNSIGNED))` }];
  if (type === 'json' && hasNativeJson) {
    return [
      { label, expression: hexOrHash(`CAST(${name} AS CHAR)`) },
      { label: `JSON_TYPE of ${label}`, expression: `JSON_TYPE(${name})` },
    ];
  }
  const bytes = { label, expression: hexOrHash(name) };
  if (type !== 'enum' && type !== 'set') return [bytes];
  return [
    bytes,
    { label: `number of ${label}`, expression: `CAST(CAST(${name} AS UNSIGNED) AS CHAR)` },
  ];
}

/** HEX doubles a value's length and gives NULL beyond max_allowed_packet, so long ones are hashed. */
function hexOrHash(value: string): string {
  const hash = `CONCAT('sha256 of ', LENGTH(${value}), ' bytes: ', SHA2(CAST(${value} AS BINARY), 256))`;
  return `IF(LENGTH(${value}) > ${HEX_BYTES_MAX}, ${hash}, HEX(${value}))`;
}

class RowCollector {
  readonly #captures: readonly Capture[];
  #count = 0;
  #sum = 0n;
  #detail: Map<string, number> | undefined = new Map<string, number>();
  #detailCharacters = 0;

  constructor(captures: readonly Capture[]) {
    this.#captures = captures;
  }

  add(row: readonly Cell[]): void {
    const text = row
      .map((cell, index) => cellText(cell, this.#captures[index]?.real))
      .join(CELL_SEPARATOR);
    const hash = createHash('sha256').update(text, 'latin1').digest('hex');
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${hash}`));
    this.#count += 1;
    if (this.#detail === undefined) return;
    this.#detail.set(text, (this.#detail.get(text) ?? 0) + 1);
    this.#detailCharacters += text.length;
    if (this.#count > DETAIL_ROWS_MAX || this.#detailCharacters > DETAIL_CHARACTERS_MAX) {
      this.#detail = undefined;
    }
  }

  finish(): RowSet {
    const summary = {
      columns: this.#captures.map((capture) => capture.label),
      count: this.#count,
      digest: this.#sum.toString(16).padStart(64, '0'),
    };
    return this.#detail === undefined ? summary : { ...summary, detail: this.#detail };
  }
}

function cellText(cell: Cell, real: Capture['real']): string {
  if (cell === null) return 'NULL';
  if (real !== undefined) {
    if (typeof cell !== 'number') throw new Error(`expected a number but found ${typeof cell}`);
    return real === 'float' ? floatBits(cell) : doubleBits(cell);
  }
  return Buffer.isBuffer(cell) ? `=${cell.toString('latin1')}` : `=${cell}`;
}

/** The value with its bits, such as `0.1 (3dcccccd)`: the bits decide, the value explains. */
function floatBits(value: number): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  if (!Object.is(view.getFloat32(0), value)) throw new Error('expected a 32-bit FLOAT');
  return `${value} (${view.getUint32(0).toString(16).padStart(8, '0')})`;
}

function doubleBits(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return `${value} (${view.getBigUint64(0).toString(16).padStart(16, '0')})`;
}
