/** Rows events of real servers: taken back twice they are what they were, and damage never goes unseen. */
import { describe, expect, it } from 'vitest';
import { EVENT } from '../../src/binlog/event.js';
import { decodeEvents, isBinlogStatement } from '../../src/binlog/rewrite-rows.js';
import {
  binlogStatement,
  irreversible,
  reverseRows,
  rowsOfStatement,
} from '../../src/binlog/reverse-statement.js';
import { parseRowsEvent, reverseRowsEvent, ROWS_FLAG } from '../../src/binlog/rows-event.js';
import { ReshelveError } from '../../src/errors.js';
import { splitStatements } from '../../src/operations/load/archive-definitions.js';
import { convert, NAMES, readExpectation, readVector } from './vectors.js';

function statementsOf(name: string): Buffer[] {
  const { members } = convert(name, readVector(name), 1 << 20);
  return members
    .flatMap(({ sql }) => splitStatements(sql))
    .map(({ text }) => text)
    .filter(isBinlogStatement);
}

describe.each(NAMES)('%s', (name) => {
  const rows = statementsOf(name)
    .flatMap(rowsOfStatement)
    .filter((one) => irreversible(one) === undefined);

  it('has the rows that the server’s own reader counts', () => {
    const counts: Record<string, number> = {};
    for (const { bytes, map } of rows) {
      const parsed = parseRowsEvent(bytes, map);
      const key = `${parsed.kind} ${map.table}`;
      counts[key] = (counts[key] ?? 0) + parsed.rows.length;
    }
    const expected = readExpectation(name).rows;
    expect(Object.keys(counts).length).toBeGreaterThan(3);
    for (const [key, count] of Object.entries(counts)) {
      // Partial updates of JSON are left out above.
      expect([key, expected[key] ?? 0]).toEqual([key, Math.max(count, expected[key] ?? 0)]);
    }
  });

  it('is itself again when it is taken back twice', () => {
    expect(rows.length).toBeGreaterThan(5);
    for (const { bytes, map } of rows) {
      const once = reverseRowsEvent(bytes, map);
      const twice = reverseRowsEvent(once, map);
      expect(reverseRowsEvent(twice, map)).toEqual(once);
      const [before, after] = [parseRowsEvent(bytes, map), parseRowsEvent(twice, map)];
      expect(after.rows).toEqual(before.rows);
      expect(after.kind).toBe(before.kind);
      expect(parseRowsEvent(once, map).rows.toReversed()).toEqual(
        before.rows.map((row) => ({
          ...(row.after === undefined ? {} : { before: row.after }),
          ...(row.before === undefined ? {} : { after: row.before }),
        })),
      );
      expect(once.readUInt32LE(9)).toBe(once.length);
      expect(parseRowsEvent(once, map).flags & ROWS_FLAG.noForeignKeys).not.toBe(0);
    }
  });

  it('makes statements whose last event alone ends them, behind all table maps', () => {
    for (const text of statementsOf(name)) {
      const own = rowsOfStatement(text).filter((one) => irreversible(one) === undefined);
      if (own.length === 0) continue;
      const events = decodeEvents(binlogStatement(own.map(reverseRows).toReversed()));
      const types = events.map((event) => event[4] === EVENT.tableMap);
      expect(types.lastIndexOf(true)).toBeLessThan(types.indexOf(false));
      const ends = events
        .filter((_, at) => types[at] === false)
        .map((event) => (event[25] ?? 0) & 1);
      expect(ends).toEqual(ends.map((_, at) => (at === ends.length - 1 ? 1 : 0)));
    }
  });

  it('is refused or read, never half read, where it is cut', () => {
    for (const { bytes, map } of rows.slice(0, 20)) {
      const whole = parseRowsEvent(bytes, map).rows.length;
      for (let at = 27; at < bytes.length; at += 1) {
        let found = 0;
        try {
          found = parseRowsEvent(bytes.subarray(0, at), map).rows.length;
        } catch (error) {
          expect(error).toBeInstanceOf(ReshelveError);
        }
        // A cut between two rows looks like fewer rows; that is why events carry their size.
        expect(found).toBeLessThan(whole);
      }
    }
  });
});
