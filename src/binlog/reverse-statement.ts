/** A BINLOG statement of ours, the other way round. */
import { EVENT, readEvent } from './event.js';
import { decodeEvents } from './rewrite-rows.js';
import { ROWS_FLAGS_AT, rowsKind, STATEMENT_END } from './row-count.js';
import type { RowsEvent } from './rows-event.js';
import { parseRowsEvent, reverseRowsEvent } from './rows-event.js';
import { parseTableMap, tableIdOf } from './table-map.js';
import type { TableMap } from './table-map.js';

export interface MappedRows {
  readonly map: TableMap;
  /** The TABLE_MAP event. */
  readonly mapBytes: Buffer;
  /** The ROWS event. */
  readonly bytes: Buffer;
}

/** What of a logged change cannot be taken back. */
export type Irreversible = 'partial-json' | 'unknown-type';

/** The rows events of a statement with the table that each is of, in their order. */
export function rowsOfStatement(text: Buffer): MappedRows[] {
  const maps = new Map<number, { readonly map: TableMap; readonly mapBytes: Buffer }>();
  const rows: MappedRows[] = [];
  for (const bytes of decodeEvents(text)) {
    const event = readEvent(bytes, bytes.length);
    if (event.type === EVENT.tableMap) {
      const map = parseTableMap(event);
      maps.set(map.tableId, { map, mapBytes: bytes });
    } else if (rowsKind(event.type) !== undefined) {
      const known = maps.get(tableIdOf(event));
      if (known !== undefined) rows.push({ ...known, bytes });
    }
  }
  return rows;
}

/** Why the rows cannot be told apart; undefined where they can. */
export function irreversible({ map, bytes }: MappedRows): Irreversible | undefined {
  if (bytes[4] === EVENT.partialUpdateRows) return 'partial-json';
  return map.lengths === undefined ? 'unknown-type' : undefined;
}

export interface ReversedRows extends MappedRows {
  readonly table: string;
  /** What the log had. */
  readonly logged: RowsEvent;
}

/** Throws PROTOCOL where a rows event is damaged; all must be reversible. */
export function reverseRows(rows: MappedRows): ReversedRows {
  const { map, mapBytes, bytes } = rows;
  const logged = parseRowsEvent(bytes, map);
  return { map, mapBytes, bytes: reverseRowsEvent(bytes, map), table: map.table, logged };
}

/** One statement of several rows events; the table maps come first, the last event ends it. */
export function binlogStatement(rows: readonly MappedRows[]): Buffer {
  const maps = new Set(rows.map(({ mapBytes }) => mapBytes));
  const events = rows.map(({ bytes }, at) => {
    if (at < rows.length - 1) return bytes;
    const last = Buffer.from(bytes);
    last.writeUInt16LE(last.readUInt16LE(ROWS_FLAGS_AT) | STATEMENT_END, ROWS_FLAGS_AT);
    return last;
  });
  const lines = [...maps, ...events].map((event) => event.toString('base64'));
  return Buffer.from(`BINLOG '\n${lines.join('\n')}\n'`, 'latin1');
}
