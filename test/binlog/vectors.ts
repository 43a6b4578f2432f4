/**
 * Logs recorded from real servers, under test/vectors/binlog, with what the servers' own reader says
 * is in them. `UPDATE_VECTORS=1` records them anew (which a new kind of event may need).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { eventSize } from '../../src/binlog/event.js';
import { EventAssembler } from '../../src/binlog/event-stream.js';
import type { PlacedEvent } from '../../src/binlog/event-stream.js';
import { LogConverter } from '../../src/binlog/log-converter.js';
import type { Converted } from '../../src/binlog/log-converter.js';
import type { ChangeMember } from '../../src/binlog/change-members.js';
import type { XaStore } from '../../src/binlog/xa.js';

export const FOLDER = 'test/vectors/binlog';
export const DATABASE = 'lib';

export interface Expectation {
  readonly flavour: 'mysql' | 'mariadb';
  /** `end_log_pos type`, as mysqlbinlog prints them; types without its numbers and names. */
  readonly events: readonly string[];
  /** Rows by `kind table`, as it decodes them. */
  readonly rows: Readonly<Record<string, number>>;
}

export const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.binlog'))
  .map((name) => name.slice(0, -'.binlog'.length))
  .sort();

export function readVector(name: string): Buffer {
  return readFileSync(join(FOLDER, `${name}.binlog`));
}

export function readExpectation(name: string): Expectation {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Expectation;
}

const MAGIC_BYTES = 4;

/** Feeds each event of a log file in pieces of at most `pieceBytes`. */
export function* decode(log: Buffer, pieceBytes: number): Generator<PlacedEvent> {
  const assembler = new EventAssembler();
  for (let at = MAGIC_BYTES; at < log.length;) {
    const size = log.length - at < 13 ? 13 : eventSize(log, at);
    const end = at + Math.max(size, 1);
    if (end > log.length) throw new Error('the log is cut');
    // A copy, because a reader may change the event.
    const event = Buffer.from(log.subarray(at, end));
    for (let from = 0; from < event.length; from += pieceBytes) {
      const piece = event.subarray(from, from + pieceBytes);
      yield* assembler.push(piece, from + pieceBytes >= event.length);
    }
    at = end;
  }
}

export interface Conversion {
  readonly members: readonly ChangeMember[];
  readonly converted: Converted;
}

export function converterFor(name: string, xaStore: XaStore): LogConverter {
  const place = { binlogFile: 'binlog.000001', position: MAGIC_BYTES };
  return new LogConverter({
    scope: { database: DATABASE },
    from: place,
    readFrom: place,
    gtidSet: '',
    flavour: name.startsWith('maria') ? 'mariadb' : 'mysql',
    pendingXa: [],
    collations: new Map([
      [8, { charset: 'latin1', collation: 'latin1_swedish_ci' }],
      [45, { charset: 'utf8mb4', collation: 'utf8mb4_general_ci' }],
      [255, { charset: 'utf8mb4', collation: 'utf8mb4_0900_ai_ci' }],
    ]),
    inflate: (deflated) => inflateSync(deflated),
    xaStore,
  });
}

export function storeInMemory(): XaStore {
  const held = new Map<string, Buffer[]>();
  return {
    append: (xid, sql) => held.set(xid, [...(held.get(xid) ?? []), sql]),
    pieces: (xid) => held.get(xid) ?? [],
    drop: (xid) => held.delete(xid),
  };
}

/** `when`: members are taken behind each event, as a capture does, or all of them at the end. */
export function convert(
  name: string,
  log: Buffer,
  pieceBytes: number,
  when: 'each' | 'last' = 'each',
): Conversion {
  const converter = converterFor(name, storeInMemory());
  const members: ChangeMember[] = [];
  for (const event of decode(log, pieceBytes)) {
    converter.feed(event);
    if (when === 'each') members.push(...converter.takeMembers());
  }
  const converted = converter.finish();
  return { members: [...members, ...converter.takeMembers()], converted };
}
