// Goal: logs of real servers are read as the servers' own reader reads them, whatever the pieces in
// which they come, and a damaged log is never taken for a sound one.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EVENT } from '../../src/binlog/event.js';
import { encodeMarker, isMarkerLine, parseMarker } from '../../src/binlog/marker.js';
import {
  convert,
  converterFor,
  decode,
  NAMES,
  readExpectation,
  readVector,
  storeInMemory,
} from './vectors.js';

const TYPE_NAMES = new Map<number, string>(
  Object.entries(EVENT).map(([name, code]) => [code, name]),
);

/** That reader tells neither the versions of row events nor tagged GTIDs apart. */
function readerName(type: number): string {
  return (TYPE_NAMES.get(type) ?? '?').replace(/V1$|Tagged$/, '');
}

/** That reader shows the events inside of a compressed transaction behind it, at its end. */
function eventLines(name: string): string[] {
  const lines: string[] = [];
  let inside: string[] = [];
  for (const event of decode(readVector(name), 1 << 20)) {
    if (event.isInside) inside.push(readerName(event.type));
    else {
      const names = [readerName(event.type), ...inside];
      lines.push(...names.map((type) => `${event.endPosition} ${type}`));
      inside = [];
    }
  }
  return lines;
}

/** So long that each is a member of its own. */
const PART_BYTES = 3_000_000;
const PIECES = 4;

function fingerprint(name: string, pieceBytes: number, when: 'each' | 'last' = 'each'): string {
  const { members, converted } = convert(name, readVector(name), pieceBytes, when);
  const hash = createHash('sha256');
  for (const { sql, ...rest } of members) hash.update(sql).update(JSON.stringify(rest));
  const text = JSON.stringify(converted, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return hash.update(text).digest('hex');
}

it('there are logs of both flavours', () => {
  expect(NAMES).toEqual(['mariadb-compressed', 'mariadb', 'mysql-compressed', 'mysql'].sort());
});

describe.each(NAMES)('%s', (name) => {
  it('has the events that the server’s own reader finds', () => {
    expect(eventLines(name)).toEqual(readExpectation(name).events);
  });

  it('gives the same members whenever they are taken', () => {
    expect(fingerprint(name, 1 << 20, 'last')).toBe(fingerprint(name, 1 << 20, 'each'));
  });

  it('takes the rows of an XA transaction back no faster than its members are taken', () => {
    const log = readVector(name);
    let drawn = 0;
    const store = storeInMemory();
    const pieces = function* (xid: string): Generator<Buffer> {
      const [sql = Buffer.alloc(0)] = store.pieces(xid);
      const long = Buffer.concat([sql, Buffer.alloc(PART_BYTES, '\n')]);
      for (let at = 0; at < PIECES; at += 1) {
        drawn += 1;
        yield long;
      }
    };
    const converter = converterFor(name, { ...store, pieces });
    let released = 0;
    for (const event of decode(log, 1 << 20)) {
      drawn = 0;
      converter.feed(event);
      expect(drawn).toBe(0);
      let taken = 0;
      for (const { sql } of converter.takeMembers()) {
        if (sql.length < PART_BYTES) continue;
        taken += 1;
        expect(drawn).toBe(taken);
      }
      if (taken > 0) released += 1;
    }
    expect(released).toBeGreaterThan(0);
  });

  it('has the rows that the server’s own reader decodes', () => {
    const rows: Record<string, number> = {};
    for (const { change } of convert(name, readVector(name), 1 << 20).members) {
      for (const { name: table, inserted, updated, deleted } of change.tables) {
        for (const [kind, count] of Object.entries({ inserted, updated, deleted })) {
          if (count > 0) rows[`${kind} ${table}`] = (rows[`${kind} ${table}`] ?? 0) + count;
        }
      }
    }
    const expected = { ...readExpectation(name).rows };
    // What was prepared and rolled back is in the log and in no archive.
    const undone = expected['inserted member'] ?? 0;
    expected['inserted member'] = undone - 1;
    expect(rows).toEqual(expected);
  });

  it('gives the same whatever the pieces are', () => {
    const whole = fingerprint(name, 1 << 20);
    for (const bytes of [1, 2, 3, 7, 18, 19, 20, 64, 257, 1000, 4096]) {
      expect(fingerprint(name, bytes), `pieces of ${bytes} bytes`).toBe(whole);
    }
  });

  it('says in markers what the index says', () => {
    const { members } = convert(name, readVector(name), 1 << 20);
    const texts = members.map(({ sql }) => sql.toString('latin1'));
    const lines = texts.flatMap((text) => text.split('\n').filter(isMarkerLine));
    const markers = lines.map((line) => parseMarker(line));
    expect(markers.map(encodeMarker)).toEqual(lines.map((line) => `${line}\n`));
    const counted = members.reduce((sum, { change }) => sum + change.transactions, 0);
    expect(markers.length).toBe(counted);
    expect(markers.length).toBeGreaterThan(20);
    for (const [at, { start }] of markers.entries()) {
      expect(start).toBeGreaterThanOrEqual(markers[at - 1]?.end ?? 4);
    }
    // Nothing of what a replaying user may not set, and no GTID of the source.
    const sql = texts.join('');
    expect(sql).not.toMatch(/pseudo_thread_id|sql_require_primary_key|sql_log_bin/i);
    expect(sql).not.toMatch(/GTID_NEXT = '(?!AUTOMATIC)/);
    expect(sql).not.toContain("BINLOG '\n'");
  });

  it('is refused with a byte changed, wherever that is', () => {
    const log = readVector(name);
    const missed: number[] = [];
    for (let at = 4; at < log.length; at += 97) {
      const damaged = Buffer.from(log);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      try {
        for (const event of decode(damaged, 1 << 20)) expect(event.bytes).toBeInstanceOf(Buffer);
        missed.push(at);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
    expect(missed).toEqual([]);
  });
});
