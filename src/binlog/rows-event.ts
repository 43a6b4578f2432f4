/**
 * The rows of a ROWS event, image by image and value by value, and the event that takes it back. Takes
 * uncompressed events without checksum, as our archives hold them.
 */
import { damagedEvent, EVENT, EVENT_HEADER_BYTES } from './event.js';
import { FieldReader } from './reader.js';
import { ROWS_FLAGS_AT, STATEMENT_END } from './row-count.js';
import type { TableMap } from './table-map.js';

export const ROWS_FLAG = { noForeignKeys: 2, relaxedUnique: 4, loggedCascades: 0x10 } as const;

/** A row as it was or is; buffers alias the event. */
export interface RowImage {
  readonly bytes: Buffer;
  /** Per column of the table: null is NULL, undefined that the image does not have it. */
  readonly values: readonly (Buffer | null | undefined)[];
}

export interface RowsEvent {
  readonly kind: 'inserted' | 'updated' | 'deleted';
  readonly flags: number;
  /** Of an insert the new row alone, of a delete the old one, of an update both. */
  readonly rows: readonly { readonly before?: RowImage; readonly after?: RowImage }[];
  /** Columns that an image lacks, by number. */
  readonly missing: ReadonlySet<number>;
}

const KINDS: ReadonlyMap<number, RowsEvent['kind']> = new Map([
  [EVENT.writeRowsV1, 'inserted'],
  [EVENT.writeRows, 'inserted'],
  [EVENT.updateRowsV1, 'updated'],
  [EVENT.updateRows, 'updated'],
  [EVENT.deleteRowsV1, 'deleted'],
  [EVENT.deleteRows, 'deleted'],
]);

const REVERSED: ReadonlyMap<number, number> = new Map([
  [EVENT.writeRowsV1, EVENT.deleteRowsV1],
  [EVENT.updateRowsV1, EVENT.updateRowsV1],
  [EVENT.deleteRowsV1, EVENT.writeRowsV1],
  [EVENT.writeRows, EVENT.deleteRows],
  [EVENT.updateRows, EVENT.updateRows],
  [EVENT.deleteRows, EVENT.writeRows],
]);

interface Layout {
  readonly type: number;
  readonly columns: number;
  /** One bitmap, or two of an update. */
  readonly bitmaps: readonly Buffer[];
  /** Where the number of columns stands, and where the rows begin. */
  readonly columnsAt: number;
  readonly rowsAt: number;
}

function layoutOf(event: Buffer, map: TableMap): Layout {
  const type = event[4] ?? 0;
  if (!KINDS.has(type)) throw damagedEvent('rows of an unknown kind');
  const reader = new FieldReader(event, ROWS_FLAGS_AT + 2);
  const isVersion2 = type >= EVENT.writeRows;
  if (isVersion2) {
    const extra = reader.uint(2);
    if (extra < 2) throw damagedEvent('a length is not valid');
    reader.take(extra - 2);
  }
  const columnsAt = reader.at;
  const columns = reader.lengthEncoded();
  if (columns !== map.columnCount) throw damagedEvent('rows of another number of columns');
  const width = (columns + 7) >> 3;
  const bitmaps = [reader.take(width)];
  if (KINDS.get(type) === 'updated') bitmaps.push(reader.take(width));
  return { type, columns, bitmaps, columnsAt, rowsAt: reader.at };
}

/** Throws PROTOCOL where the lengths of the values do not add up to the event. */
export function parseRowsEvent(event: Buffer, map: TableMap): RowsEvent {
  const { lengths } = map;
  if (lengths === undefined) throw damagedEvent('rows with a column of an unknown type');
  const { type, columns, bitmaps, rowsAt } = layoutOf(event, map);
  const kind = KINDS.get(type) ?? 'inserted';
  const reader = new FieldReader(event, rowsAt);
  const present = bitmaps.map((bitmap) => presentColumns(bitmap, columns));
  const rows: { before?: RowImage; after?: RowImage }[] = [];
  while (reader.remaining > 0) {
    const first = takeImage(event, reader, present[0] ?? [], columns, lengths);
    if (kind !== 'updated') rows.push(kind === 'deleted' ? { before: first } : { after: first });
    else {
      const after = takeImage(event, reader, present[1] ?? [], columns, lengths);
      rows.push({ before: first, after });
    }
  }
  const missing = new Set<number>();
  for (let column = 0; column < columns; column += 1) {
    if (!bitmaps.every((bitmap) => hasBit(bitmap, column))) missing.add(column);
  }
  return { kind, flags: event.readUInt16LE(ROWS_FLAGS_AT), rows, missing };
}

function hasBit(bits: Buffer, at: number): boolean {
  return ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
}

function presentColumns(bitmap: Buffer, columns: number): number[] {
  return Array.from({ length: columns }, (_, column) => column).filter((column) =>
    hasBit(bitmap, column),
  );
}

function takeImage(
  event: Buffer,
  reader: FieldReader,
  present: readonly number[],
  columns: number,
  lengths: Int32Array,
): RowImage {
  const start = reader.at;
  const values = new Array<Buffer | null | undefined>(columns).fill(undefined);
  const nulls = reader.take((present.length + 7) >> 3);
  for (const [at, column] of present.entries()) {
    values[column] = hasBit(nulls, at) ? null : takeValue(reader, lengths[column] ?? 0);
  }
  // An image of no columns has no bytes, and such rows would never come to an end.
  if (reader.at === start) throw damagedEvent('a row without columns');
  return { bytes: event.subarray(start, reader.at), values };
}

function takeValue(reader: FieldReader, length: number): Buffer {
  if (length >= 0) return reader.take(length);
  const prefix = reader.take(-length);
  return reader.take(prefix.readUIntLE(0, prefix.length));
}

/**
 * The event that takes the rows back: inserts become deletes and the reverse, updates change their
 * images, and the last row comes first. Foreign keys are not looked at while it runs, because what
 * they changed along is in the log as rows of its own, or nowhere; unique keys are.
 */
export function reverseRowsEvent(event: Buffer, map: TableMap): Buffer {
  const { type, bitmaps, columnsAt, rowsAt } = layoutOf(event, map);
  const { rows } = parseRowsEvent(event, map);
  const head = Buffer.from(event.subarray(0, ROWS_FLAGS_AT + 2));
  head[4] = REVERSED.get(type) ?? type;
  const flags = event.readUInt16LE(ROWS_FLAGS_AT) | ROWS_FLAG.noForeignKeys;
  head.writeUInt16LE(flags & ~ROWS_FLAG.relaxedUnique & ~STATEMENT_END, ROWS_FLAGS_AT);
  // Extra data names partitions, which are the other way round now; no server needs it.
  const extra = type >= EVENT.writeRows ? [Buffer.from([2, 0])] : [];
  const columns = event.subarray(columnsAt, rowsAt - bitmaps.reduce((sum, b) => sum + b.length, 0));
  const images = rows
    .toReversed()
    .flatMap(({ before, after }) => [
      ...(after === undefined ? [] : [after.bytes]),
      ...(before === undefined ? [] : [before.bytes]),
    ]);
  const bytes = Buffer.concat([head, ...extra, columns, ...bitmaps.toReversed(), ...images]);
  bytes.writeUInt32LE(bytes.length, EVENT_HEADER_BYTES - 10);
  return bytes;
}
