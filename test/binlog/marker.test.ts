// Goal: what a marker says survives the round trip whatever the names, and stays one ASCII line.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DDL_CLASSES,
  encodeMarker,
  isMarkerLine,
  markerLines,
  parseMarker,
} from '../../src/binlog/marker.js';
import type { Marker } from '../../src/binlog/marker.js';

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 64 });
const count = fc.maxSafeNat();
const rows = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const yes = fc.constant(true as const);

const markers: fc.Arbitrary<Marker> = fc.record(
  {
    gtid: fc.option(name),
    file: name,
    start: count,
    end: fc.option(count),
    at: fc.bigInt({ min: 0n, max: 2n ** 56n }).map(String),
    seconds: yes,
    kind: fc.constantFrom('rows', 'ddl', 'statement'),
    ddl: fc.constantFrom(...DDL_CLASSES),
    tables: fc.array(
      fc.record({ name, inserted: rows, updated: rows, deleted: rows }, { requiredKeys: ['name'] }),
      { maxLength: 4 },
    ),
    continued: yes,
    continues: yes,
  },
  { requiredKeys: ['gtid', 'file', 'start', 'end', 'at', 'kind', 'tables'] },
);

test('parsing inverts encoding, and the text is one line of ASCII', () => {
  fc.assert(
    fc.property(markers, (marker) => {
      const line = encodeMarker(marker);
      expect(line).toMatch(/^-- @transaction \{[\x20-\x7e]*\}\n$/);
      expect(isMarkerLine(line)).toBe(true);
      expect(parseMarker(line)).toEqual(JSON.parse(JSON.stringify(marker)));
    }),
  );
});

test('what is no marker is refused, naming the field', () => {
  const start = '-- @transaction ';
  expect(() => parseMarker(`${start}{`)).toThrow('not valid JSON');
  expect(() => parseMarker(`${start}{"gtid":1}`)).toThrow('gtid');
  const good: Marker = {
    gtid: null,
    file: 'binlog.000001',
    start: 4,
    end: 200,
    at: '1',
    kind: 'rows',
    tables: [],
  };
  expect(() => parseMarker(`${start}${JSON.stringify({ ...good, at: '1.5' })}`)).toThrow('at:');
  expect(() => parseMarker(`${start}${JSON.stringify({ ...good, kind: 'x' })}`)).toThrow('kind:');
});

test('fields of a later writer are passed over', () => {
  const line =
    '-- @transaction {"gtid":null,"file":"b","start":4,"end":5,"at":"1","kind":"rows","tables":[],"new":1}';
  expect(parseMarker(line)).not.toHaveProperty('new');
});

test('a comment of a statement behind a DELIMITER line is no marker', () => {
  const line = '-- @transaction {}';
  expect(markerLines(`;;\nDELIMITER ;\n${line}\n`)).toEqual([line]);
  expect(markerLines(`\n${line}\nDELIMITER ;;\n/*\n${line}\nDELIMITER ;\n${line}\n*/ `)).toEqual([
    line,
  ]);
});
