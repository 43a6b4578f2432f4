// Goal: a BINLOG statement for another database, or for some tables, holds the same rows of those tables
// to the byte, ends its statement, and is taken apart by a reader that shares no code with the rewriting.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBinlogStatement, rewriteRows } from '../../src/binlog/rewrite-rows.js';

interface Rows {
  readonly table: number;
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

function event(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(19);
  header.writeUInt32LE(1_700_000_000, 0);
  header.writeUInt8(type, 4);
  header.writeUInt32LE(7, 5);
  header.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([header, body]);
}

function tableId(table: number): Buffer {
  const id = Buffer.alloc(6);
  id.writeUIntLE(0x1_0000_0000 + table, 0, 6);
  return id;
}

function tableMap(table: number, database: string, name: string, rest: Uint8Array): Buffer {
  const text = (value: string): Buffer[] => {
    const bytes = Buffer.from(value, 'utf8');
    return [Buffer.from([bytes.length]), bytes, Buffer.from([0])];
  };
  return event(
    19,
    Buffer.concat([tableId(table), Buffer.from([1, 0]), ...text(database), ...text(name), rest]),
  );
}

function rowsEvent({ table, type, flags, body }: Rows): Buffer {
  return event(type, Buffer.concat([tableId(table), Buffer.from([flags, 0]), body]));
}

const statementOf = (events: readonly Buffer[]): Buffer =>
  Buffer.from(`BINLOG '\n${events.map((one) => one.toString('base64')).join('\n')}\n'`, 'latin1');

/** What a server would read: each event in hex, with its name parts where it is a TABLE_MAP. */
function readBack(text: Buffer) {
  const inside = /^BINLOG '([^']*)'$/.exec(text.toString('latin1'))?.[1] ?? '';
  return inside
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const bytes = Buffer.from(line, 'base64');
      expect(bytes.readUInt32LE(9)).toBe(bytes.length);
      const id = bytes.readUIntLE(19, 6) - 0x1_0000_0000;
      if (bytes[4] !== 19) {
        return { id, flags: bytes.readUInt16LE(25), rows: bytes.subarray(27).toString('hex') };
      }
      const databaseEnd = 28 + (bytes[27] ?? 0);
      const nameStart = databaseEnd + 2;
      const nameEnd = nameStart + (bytes[databaseEnd + 1] ?? 0);
      expect([bytes[databaseEnd], bytes[nameEnd]]).toEqual([0, 0]);
      return {
        id,
        database: bytes.toString('utf8', 28, databaseEnd),
        name: bytes.toString('utf8', nameStart, nameEnd),
        rest: bytes.subarray(nameEnd + 1).toString('hex'),
      };
    });
}

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 16 });
const bytes = fc.uint8Array({ maxLength: 40 });
const statements = fc
  .record({
    database: name,
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    rest: bytes,
    picks: fc.array(
      fc.record({
        table: fc.nat(3),
        type: fc.constantFrom(23, 24, 25, 30, 31, 32, 39),
        body: bytes,
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ database, names, rest, picks }) => {
    const rows = picks.map(({ table, ...one }, at) => ({
      ...one,
      table: table % names.length,
      flags: at === picks.length - 1 ? 1 : 0,
    }));
    const maps = names.map((table, at) => tableMap(at, database, table, rest));
    return { database, names, rows, text: statementOf([...maps, ...rows.map(rowsEvent)]) };
  });

test('keeps the rows of the wanted tables to the byte', () => {
  fc.assert(
    fc.property(statements, name, fc.nat(15), (statement, target, mask) => {
      const { names, rows, text, database } = statement;
      const isWanted = (at: number): boolean => (mask & (1 << at)) !== 0;
      const tables = new Set(names.filter((_, at) => isWanted(at)));
      const before = readBack(text);
      const written = rewriteRows(Buffer.from(text), { database: target, tables });
      const kept = rows.filter(({ table }) => isWanted(table));
      if (kept.length === 0) {
        expect(written).toBeUndefined();
        return;
      }
      if (written === undefined) throw new Error('expected a statement');
      expect(isBinlogStatement(written)).toBe(true);
      const expected = before
        .filter(({ id }) => isWanted(id))
        .map((one) => ('database' in one ? { ...one, database: target } : one));
      const last = expected.at(-1);
      // The server applies nothing before an event says that the statement ends.
      const ended = last !== undefined && 'flags' in last ? { ...last, flags: 1 } : last;
      expect(readBack(written)).toEqual([...expected.slice(0, -1), ended]);
      const sameNames = rewriteRows(Buffer.from(text), { database });
      expect(sameNames).toEqual(text);
    }),
    { numRuns: 500 },
  );
});

test('a longer and a shorter name change the length alone', () => {
  const rows = rowsEvent({ table: 0, type: 30, flags: 1, body: Buffer.from('row') });
  const text = statementOf([tableMap(0, 'lib', 'book', Buffer.from('x')), rows]);
  for (const database of ['l', 'ü'.repeat(64)]) {
    const [map] = readBack(rewriteRows(Buffer.from(text), { database }) ?? Buffer.alloc(0));
    expect(map).toMatchObject({ database, name: 'book', rest: '78' });
  }
});

test('leaves a format description as it is', () => {
  const text = statementOf([event(15, Buffer.alloc(80))]);
  expect(rewriteRows(text, { database: 'other', tables: new Set() })).toBe(text);
});

test.each([
  ['no quotes', Buffer.from('BINLOG x')],
  ['half an event', statementOf([event(15, Buffer.alloc(80)).subarray(0, 40)])],
  ['a byte more', statementOf([Buffer.concat([event(30, Buffer.alloc(10)), Buffer.from([0])])])],
  ['no base64', Buffer.from("BINLOG '\n****\n'")],
])('refuses %s', (_, text) => {
  expect(() => rewriteRows(text, { database: 'other' })).toThrow(/something other than events/);
});
