import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnEncoding, ColumnPlan } from '../../src/sql/column-plan.js';
import { parseInserts } from '../../src/sql/insert-parser.js';
import { formatRowImage, parseRowImage } from '../../src/sql/row-image.js';
import { encodeTuple, encodeValue } from '../../src/sql/row-literal.js';
import { table } from './arbitraries.js';

function literal(encoding: ColumnEncoding, value: Buffer | string | null): string {
  const plan: ColumnPlan = { name: 'c', expression: '`c`', encoding };
  const introduced = encoding === 'charset' ? { ...plan, introducer: '_sjis' } : plan;
  return encodeValue(value === null ? null : Buffer.from(value), introduced).toString('latin1');
}

describe('encodeValue', () => {
  it.each<[ColumnEncoding, Buffer | string | null, string]>([
    ['number', '-12.50', '-12.50'],
    ['number', null, 'NULL'],
    ['real', '1.5', '1.5e0'],
    ['real', '-0', '-0e0'],
    ['real', '1e-45', '1e-45'],
    ['text', '', "''"],
    ['text', Buffer.from('00610a0d1a275c22ff', 'hex'), `'\\0a\\n\\r\\Z\\'\\\\"\xff'`],
    ['binary', '', "''"],
    ['binary', Buffer.from([0, 0x27, 0xff]), '0x0027FF'],
    ['charset', Buffer.from([0x83, 0x5c]), '_sjis 0x835C'],
    ['charset', '', "''"],
    ['charset', null, 'NULL'],
    ['json', '[1.10]', "JSON_SET('[1.10]', '$[0]', 1.10)"],
    ['default', null, 'DEFAULT'],
  ])('writes %s %j as %s', (encoding, value, expected) => {
    expect(literal(encoding, value)).toBe(expected);
  });

  it('writes binary values above 1 MiB raw', () => {
    expect(literal('binary', Buffer.alloc(2 ** 20, 1))).toBe(`0x${'01'.repeat(2 ** 20)}`);
    const above = literal('binary', Buffer.alloc(2 ** 20 + 1, 0x27));
    expect(above).toBe(`_binary '${"\\'".repeat(2 ** 20 + 1)}'`);
  });

  it.each<[ColumnEncoding, string]>([
    ['number', '1e5'],
    ['number', '1;'],
    ['number', ''],
    ['real', '1e0'],
    ['real', 'inf'],
    ['default', '1'],
  ])('refuses %s %j', (encoding, value) => {
    expect(() => literal(encoding, value)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });
});

describe('a row', () => {
  it('is the same after encoding and parsing, and stays on its line', () => {
    const prefix = Buffer.from('INSERT INTO `t` VALUES\n');
    fc.assert(
      fc.property(table({ maxRows: 1 }), ({ columns, rows }) => {
        for (const image of rows.map(formatRowImage)) {
          const tuple = encodeTuple(image, columns);
          expect(tuple.includes('\n')).toBe(false);
          const sql = Buffer.concat([prefix, tuple, Buffer.from(';\n')]);
          const { images } = parseInserts(sql, prefix, columns);
          expect(images.map((found) => found.equals(image))).toStrictEqual([true]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseRowImage', () => {
  it('is the inverse of formatRowImage at each border of the length', () => {
    for (const length of [0, 1, 250, 251, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24]) {
      const values = [Buffer.alloc(length, 'x'), null, Buffer.from('y')];
      const parsed = parseRowImage(formatRowImage(values), 3);
      expect(parsed.map((value) => value?.length)).toStrictEqual([length, undefined, 1]);
    }
  });

  it.each([
    ['a column too few', '0161', 2],
    ['a column too many', '01610161', 1],
    ['a value cut short', '0561', 1],
    ['a length cut short', 'fc01', 1],
    ['a length that is none', 'ff00', 1],
    ['a length longer than need be', 'fc010061', 1],
    ['a length beyond the row', 'feffffffffffffff7f', 1],
  ])('refuses %s', (_name, hex, columns) => {
    const image = Buffer.from(hex, 'hex');
    expect(() => parseRowImage(image, columns)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL' }),
    );
  });
});
