/** ROWS events: whose table, which kind, how many rows. */
import { EVENT } from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';
import { inflateField } from './query-event.js';
import type { Inflate } from './query-event.js';
import type { TableMap } from './table-map.js';

export type RowsKind = 'inserted' | 'updated' | 'deleted';

const KINDS: ReadonlyMap<number, RowsKind> = new Map([
  [EVENT.writeRowsV1, 'inserted'],
  [EVENT.writeRows, 'inserted'],
  [EVENT.updateRowsV1, 'updated'],
  [EVENT.updateRows, 'updated'],
  [EVENT.partialUpdateRows, 'updated'],
  [EVENT.deleteRowsV1, 'deleted'],
  [EVENT.deleteRows, 'deleted'],
]);

/** Flag at offset 25: the last event of its statement. */
export const STATEMENT_END = 1;
export const ROWS_FLAGS_AT = 25;

/** MariaDB's compressed types and the ones that a server takes in BINLOG. */
const INFLATED_TYPE: ReadonlyMap<number, number> = new Map([
  [EVENT.writeRowsCompressedV1, EVENT.writeRowsV1],
  [EVENT.updateRowsCompressedV1, EVENT.updateRowsV1],
  [EVENT.deleteRowsCompressedV1, EVENT.deleteRowsV1],
  [EVENT.writeRowsCompressed, EVENT.writeRows],
  [EVENT.updateRowsCompressed, EVENT.updateRows],
  [EVENT.deleteRowsCompressed, EVENT.deleteRows],
]);

export function rowsKind(type: number): RowsKind | undefined {
  return KINDS.get(INFLATED_TYPE.get(type) ?? type);
}

function isVersion1(type: number): boolean {
  return type >= EVENT.writeRowsV1 && type <= EVENT.deleteRowsV1;
}

function isUpdate(type: number): boolean {
  return KINDS.get(type) === 'updated';
}

/** The event as its uncompressed kind; the same one where it is not compressed. */
export function inflateRows(event: LogEvent, inflate: Inflate): LogEvent {
  const type = INFLATED_TYPE.get(event.type);
  if (type === undefined) return event;
  const reader = rowsReader(event, type);
  const columns = reader.lengthEncoded();
  reader.take(((columns + 7) >> 3) * (isUpdate(type) ? 2 : 1));
  const head = event.bytes.subarray(0, reader.at);
  const bytes = Buffer.concat([head, inflateField(reader.rest(), inflate)]);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt32LE(bytes.length, 9);
  return { ...event, type, bytes };
}

/** Behind the post-header, where the number of columns stands. */
function rowsReader(event: LogEvent, type: number): FieldReader {
  const reader = new FieldReader(event.bytes, ROWS_FLAGS_AT + 2);
  if (!isVersion1(type)) reader.take(reader.uint(2) - 2);
  return reader;
}

/** Columns that an image has, in the order of their values. */
function presentColumns(bitmap: Buffer, map: TableMap): number[] {
  const present: number[] = [];
  for (let column = 0; column < map.columnCount; column += 1) {
    if (((bitmap[column >> 3] ?? 0) & (1 << (column & 7))) !== 0) present.push(column);
  }
  return present;
}

/**
 * The number of rows of an uncompressed rows event. Undefined where they cannot be told apart: a
 * type is not known, or the lengths do not add up to the event.
 */
export function countRows(event: LogEvent, map: TableMap): number | undefined {
  const { lengths } = map;
  if (lengths === undefined) return undefined;
  const reader = rowsReader(event, event.type);
  if (reader.lengthEncoded() !== map.columnCount) return undefined;
  const width = (map.columnCount + 7) >> 3;
  const before = lengthsOf(presentColumns(reader.take(width), map), lengths);
  const after = isUpdate(event.type)
    ? lengthsOf(presentColumns(reader.take(width), map), lengths)
    : undefined;
  const isPartial = event.type === EVENT.partialUpdateRows;
  const walk = new RowWalk(event.bytes, reader.at);
  let rows = 0;
  while (walk.at < event.bytes.length) {
    walk.passRow(before);
    if (after !== undefined) {
      if (isPartial) walk.passPartialBits(map.jsonColumns);
      walk.passRow(after);
    }
    rows += 1;
  }
  return walk.at === event.bytes.length ? rows : undefined;
}

function lengthsOf(columns: readonly number[], lengths: Int32Array): Int32Array {
  return Int32Array.from(columns, (column) => lengths[column] ?? 0);
}

/** Bytes beyond the end read as 0, so that a walk always ends, behind the end if it went wrong. */
class RowWalk {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  #byte(at: number): number {
    return this.#bytes[at] ?? 0;
  }

  passRow(lengths: Int32Array): void {
    const nulls = this.at;
    let at = nulls + ((lengths.length + 7) >> 3);
    for (let column = 0; column < lengths.length; column += 1) {
      if ((this.#byte(nulls + (column >> 3)) & (1 << (column & 7))) !== 0) continue;
      const length = lengths[column] ?? 0;
      at = length >= 0 ? at + length : this.#behindPrefixed(at, -length);
    }
    // A row without columns still has to move the walk on.
    this.at = at === nulls ? at + 1 : at;
  }

  #behindPrefixed(at: number, width: number): number {
    let length = 0;
    for (let index = width - 1; index >= 0; index -= 1)
      length = length * 256 + this.#byte(at + index);
    return at + width + length;
  }

  /** Options of the values, and where they include partial JSON, a bit for each JSON column. */
  passPartialBits(jsonColumns: number): void {
    const options = this.#byte(this.at);
    this.at += 1;
    if ((options & 1) !== 0) this.at += (jsonColumns + 7) >> 3;
  }
}
