/**
 * TABLE_MAP: what the row events behind it are about, and how long each column's values are. Lengths
 * are all that counting rows needs; values are never looked at.
 */
import { damagedEvent } from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';

export interface TableMap {
  readonly tableId: number;
  readonly database: string;
  readonly table: string;
  /**
   * Per column: the fixed length of a value, or minus the width of the length in front of it.
   * Undefined where a type is not known; such rows are replayed, but cannot be counted.
   */
  readonly lengths: Int32Array | undefined;
  readonly columnCount: number;
  /** Columns of type JSON, of which partial updates keep a bit each. */
  readonly jsonColumns: number;
}

const TYPE = {
  float: 4,
  double: 5,
  timestamp2: 17,
  dateTime2: 18,
  time2: 19,
  varchar: 15,
  bit: 16,
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  decimal: 246,
  enum: 247,
  set: 248,
  varString: 253,
  string: 254,
} as const;

/** Types without metadata and the bytes that a value has. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [1, 1], // TINYINT
  [2, 2], // SMALLINT
  [3, 4], // INT
  [6, 0], // NULL
  [7, 4], // TIMESTAMP of old
  [8, 8], // BIGINT
  [9, 3], // MEDIUMINT
  [10, 3], // DATE
  [11, 3], // TIME of old
  [12, 8], // DATETIME of old
  [13, 1], // YEAR
  [14, 3], // NEWDATE
]);

/** Types whose one byte of metadata is the width of the length before each value. */
const PREFIXED: ReadonlySet<number> = new Set([
  TYPE.blobCompressed,
  TYPE.vector,
  TYPE.json,
  249, // TINYBLOB
  250, // MEDIUMBLOB
  251, // LONGBLOB
  252, // BLOB
  255, // GEOMETRY
]);

export function parseTableMap(event: LogEvent): TableMap {
  const reader = new FieldReader(event.bytes, 19);
  const tableId = reader.uint(6);
  reader.take(2);
  const database = reader.take(reader.uint(1)).toString('utf8');
  reader.take(1);
  const table = reader.take(reader.uint(1)).toString('utf8');
  reader.take(1);
  const columnCount = reader.lengthEncoded();
  const types = reader.take(columnCount);
  const metadata = new FieldReader(reader.take(reader.lengthEncoded()), 0);
  const lengths = new Int32Array(columnCount);
  let isKnown = true;
  for (const [column, type] of types.entries()) {
    const length: number | undefined = isKnown ? lengthOf(type, metadata) : 0;
    if (length === undefined) isKnown = false;
    else lengths[column] = length;
  }
  return {
    tableId,
    database,
    table,
    columnCount,
    lengths: isKnown ? lengths : undefined,
    jsonColumns: types.reduce((count, type) => count + (type === TYPE.json ? 1 : 0), 0),
  };
}

/** Table id alone, as row events name it too. */
export function tableIdOf(event: LogEvent): number {
  if (event.bytes.length < 27) throw damagedEvent('a row event is cut');
  return event.bytes.readUIntLE(19, 6);
}

function lengthOf(type: number, metadata: FieldReader): number | undefined {
  const fixed = FIXED.get(type);
  if (fixed !== undefined) return fixed;
  if (PREFIXED.has(type)) return -metadata.uint(1);
  switch (type) {
    case TYPE.float:
    case TYPE.double:
      return metadata.uint(1);
    case TYPE.timestamp2:
      return 4 + fractionBytes(metadata.uint(1));
    case TYPE.dateTime2:
      return 5 + fractionBytes(metadata.uint(1));
    case TYPE.time2:
      return 3 + fractionBytes(metadata.uint(1));
    case TYPE.varchar:
    case TYPE.varcharCompressed:
    case TYPE.varString:
      return metadata.uint(2) > 255 ? -2 : -1;
    case TYPE.bit: {
      const bits = metadata.uint(1);
      return metadata.uint(1) + (bits > 0 ? 1 : 0);
    }
    case TYPE.decimal: {
      const precision = metadata.uint(1);
      return decimalBytes(precision, metadata.uint(1));
    }
    case TYPE.enum:
    case TYPE.set:
      metadata.uint(1);
      return metadata.uint(1);
    case TYPE.string:
      return stringLength(metadata.uint(1), metadata.uint(1));
    default:
      return undefined;
  }
}

function fractionBytes(digits: number): number {
  return (digits + 1) >> 1;
}

const BYTES_OF_DIGITS = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

function decimalBytes(precision: number, scale: number): number {
  const half = (digits: number): number =>
    Math.floor(digits / 9) * 4 + (BYTES_OF_DIGITS[digits % 9] ?? 0);
  return half(precision - scale) + half(scale);
}

/** CHAR, ENUM and SET: the type itself is in the metadata, mixed with two high bits of a length. */
function stringLength(first: number, second: number): number {
  const type = first | 0x30;
  if (type === TYPE.enum || type === TYPE.set) return second;
  const length = second | (((first & 0x30) ^ 0x30) << 4);
  return length > 255 ? -2 : -1;
}
