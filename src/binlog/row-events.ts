/** TABLE_MAP and ROWS events: which are ours, and into which statement they go. */
import { isOurs } from '../sql/logged-statement-scope.js';
import type { ReplayScope } from '../sql/logged-statement-scope.js';
import { damagedEvent } from './event.js';
import type { LogEvent } from './event.js';
import type { Inflate } from './query-event.js';
import { countRows, inflateRows, ROWS_FLAGS_AT, rowsKind, STATEMENT_END } from './row-count.js';
import { parseTableMap, tableIdOf } from './table-map.js';
import type { TableMap } from './table-map.js';
import type { Transaction } from './transaction.js';

interface KnownMap extends TableMap {
  readonly bytes: Buffer;
  readonly isOurs: boolean;
}

export class RowEvents {
  readonly #scope: ReplayScope;
  readonly #inflate: Inflate;
  readonly #maps = new Map<number, KnownMap>();
  /** Maps of earlier statements, for they come again and again. */
  readonly #earlier = new Map<number, KnownMap>();

  constructor(scope: ReplayScope, inflate: Inflate) {
    this.#scope = scope;
    this.#inflate = inflate;
  }

  takeMap(event: LogEvent): void {
    const tableId = tableIdOf(event);
    const earlier = this.#earlier.get(tableId);
    if (earlier !== undefined && isSameMap(earlier.bytes, event.bytes)) {
      this.#maps.set(tableId, earlier);
      return;
    }
    const map = parseTableMap(event);
    const bytes = Buffer.from(event.bytes);
    bytes.writeUInt32LE(bytes.length, 9);
    const known = { ...map, bytes, isOurs: isOurs(map.database, this.#scope) };
    this.#maps.set(tableId, known);
    if (this.#earlier.size >= EARLIER_MAPS_MAX) this.#earlier.clear();
    this.#earlier.set(tableId, known);
  }

  takeRows(logged: LogEvent, transaction: Transaction): void {
    const map = this.#maps.get(tableIdOf(logged));
    const isEnd = (logged.bytes.readUInt16LE(ROWS_FLAGS_AT) & STATEMENT_END) !== 0;
    if (map?.isOurs === true && !transaction.isIgnored) {
      const event = inflateRows(logged, this.#inflate);
      const kind = rowsKind(event.type);
      if (kind === undefined) throw damagedEvent('rows of an unknown kind');
      // At least one row is in there, even if its lengths tell us nothing.
      const count = countRows(event, map) ?? 1;
      transaction.addRows(map.table, this.#ourMaps(), event.bytes, kind, count);
    } else if (map === undefined && !isDummy(logged)) {
      throw damagedEvent('rows of a table that was not announced');
    }
    if (!isEnd) return;
    transaction.endRowStatement();
    this.#maps.clear();
  }

  *#ourMaps(): Generator<Buffer> {
    for (const { isOurs: isWanted, bytes } of this.#maps.values()) if (isWanted) yield bytes;
  }

  forgetMaps(): void {
    this.#maps.clear();
  }
}

const EARLIER_MAPS_MAX = 4096;

/** The same but for time, position and server in the header. */
function isSameMap(known: Buffer, logged: Buffer): boolean {
  return known.subarray(19).equals(logged.subarray(19));
}

/** A rows event that only ends its statement. */
const DUMMY_TABLE_ID = 0xffffff;

function isDummy(event: LogEvent): boolean {
  return tableIdOf(event) === DUMMY_TABLE_ID;
}
