// Goal: the index survives the round trip whatever the names in it, and nothing malformed is read.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeIndex, parseIndex } from '../../src/archive/index-document.js';
import type { ArchiveIndex } from '../../src/archive/index-document.js';
import { COLUMN_ENCODINGS, OBJECT_TYPES } from '../../src/archive/index-types.js';
import { MEMBER_KIND_CODES } from '../../src/archive/member-kinds.js';
import type { MemberKind } from '../../src/archive/member-kinds.js';
import { headerParts, sampleParts } from './samples.js';

const encode = (index: ArchiveIndex): Buffer => Buffer.concat([...encodeIndex(index)]);

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 64 });
const text = fc.string({ unit: 'binary' });
const count = fc.maxSafeNat();
const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const literals = fc.option(fc.array(text, { minLength: 1, maxLength: 3 }));

const columns = fc.array(
  fc.record(
    { name, expression: name, encoding: fc.constantFrom(...COLUMN_ENCODINGS), introducer: name },
    { requiredKeys: ['name', 'expression', 'encoding'] },
  ),
  { maxLength: 3 },
);

const indexes: fc.Arbitrary<ArchiveIndex> = fc.record({
  header: fc
    .record({
      database: name,
      serverUuid: fc.option(name),
      coordinates: fc.record({
        binlogFile: fc.option(name),
        binlogPosition: fc.option(count),
        gtidSet: fc.option(text),
      }),
      warnings: fc.array(fc.record({ code: name, message: text }), { maxLength: 2 }),
      totals: fc.record({ rows: count, tables: count, sqlBytes: count, longestStatement: count }),
    })
    .map((fields) => ({ ...headerParts(), ...fields })),
  tables: fc.array(
    fc.record(
      {
        name,
        engine: name,
        transactional: fc.boolean(),
        autoIncrement: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
        definitionSha256: hex(64),
        columns,
        key: fc.option(fc.array(name, { minLength: 1, maxLength: 3 })),
        rows: count,
        digest: fc.record({ sum: hex(16), xor: hex(16) }),
      },
      {
        requiredKeys: [
          ...(['name', 'engine', 'transactional', 'definitionSha256', 'columns'] as const),
          ...(['key', 'rows', 'digest'] as const),
        ],
      },
    ),
    { maxLength: 3 },
  ),
  ranges: fc.array(
    fc.record({
      table: name,
      ordinal: count,
      lower: literals,
      upper: literals,
      rows: count,
      sum: hex(16),
      xor: hex(16),
    }),
    { maxLength: 3 },
  ),
  objects: fc.array(
    fc.record(
      {
        type: fc.constantFrom(...OBJECT_TYPES),
        name,
        table: name,
        definitionSha256: hex(64),
        broken: text,
      },
      { requiredKeys: ['type', 'name', 'definitionSha256'] },
    ),
    { maxLength: 3 },
  ),
  members: fc.array(
    fc.record(
      {
        number: count,
        kind: fc.constantFrom(...(Object.keys(MEMBER_KIND_CODES) as MemberKind[])),
        offset: count,
        storedLength: count,
        sqlLength: count,
        sha256: hex(64),
        table: name,
        object: fc.record({ type: fc.constantFrom(...OBJECT_TYPES), name }),
        range: count,
        rows: count,
        statements: count,
        longestStatement: count,
      },
      {
        requiredKeys: [
          ...(['number', 'kind', 'offset', 'storedLength', 'sqlLength', 'sha256'] as const),
          ...(['statements', 'longestStatement'] as const),
        ],
      },
    ),
    { maxLength: 4 },
  ),
});

test('parsing inverts encoding, and the text is ASCII comments whatever the names', () => {
  fc.assert(
    fc.property(indexes, (index) => {
      const sql = encode(index);
      expect(sql.toString('latin1')).toMatch(/^(?:-- \{[\x20-\x7e]*\}\n)+$/);
      // JSON cannot tell -0 from 0 nor an object's prototype; both sides go through it.
      expect(parseIndex(sql)).toEqual(JSON.parse(JSON.stringify(index)));
    }),
    { numRuns: process.env['SLOW'] === '1' ? 2000 : 150 },
  );
});

const sample: ArchiveIndex = {
  ...sampleParts(),
  header: {
    ...headerParts(),
    totals: { rows: 3, tables: 2, sqlBytes: 100, longestStatement: 50 },
  },
  members: [
    {
      number: 0,
      kind: 'header',
      offset: 0,
      storedLength: 60,
      sqlLength: 100,
      sha256: 'a'.repeat(64),
      statements: 1,
      longestStatement: 50,
    },
  ],
};

test('an index of many members is encoded in pieces', () => {
  const [member] = sample.members;
  const members = Array.from({ length: 5000 }, (_, number) => ({ ...member, number }));
  const index = { ...sample, members: members as ArchiveIndex['members'] };
  expect([...encodeIndex(index)].length).toBeGreaterThan(3);
  expect(parseIndex(encode(index))).toEqual(index);
});

/** The sample's text with the first occurrence of `part` replaced. */
function edited(part: string | RegExp, replacement: string): Buffer {
  const before = encode(sample).toString('latin1');
  const after = before.replace(part, replacement);
  expect(after).not.toBe(before);
  return Buffer.from(after, 'latin1');
}

test.each([
  ['no line break at the end', /\n$/, '', /line break/],
  ['a missing last line', /-- \{"end.*\n/, '', /last line/],
  ['a line after the last', /$/, '-- {"table":{}}\n', /wrong place/],
  ['a second archive line', /\n/, '\n-- {"archive":{}}\n', /wrong place/],
  ['a missing archive line', /^.*\n/, '', /wrong place/],
  ['SQL among the comments', '-- {"table', 'SET @a=1; -- {"table', /comment/],
  ['a broken line', '{"table":{', '{"table":{{', /valid JSON/],
  ['two entries in a line', '{"table":{', '{"x":1,"table":{', /one entry but found 2/],
  ['no entry in a line', /\{"range.*/, '{}', /one entry but found 0/],
  ['a missing field', '"engine":"InnoDB",', '', /engine/],
  ['a number as text', '"rows":1', '"rows":"1"', /rows: expected number but found "1"/],
  ['a negative count', '"rows":1', '"rows":-1', /rows/],
  ['a fraction', '"storedLength":60', '"storedLength":60.5', /storedLength/],
  ['a number that is not exact', '"rows":1', '"rows":9007199254740993', /rows/],
  ['a short hash', '"sum":"0', '"sum":"', /sum/],
  ['a hash in capitals', /"sha256":"a/, '"sha256":"A', /sha256/],
  ['an unknown encoding', '"encoding":"number"', '"encoding":"blob"', /encoding/],
  ['an unknown kind of member', '"kind":"header"', '"kind":"extra"', /kind/],
  ['an unknown type of object', '"type":"view"', '"type":"table"', /type/],
  ['an unknown type of archive', '"type":"full"', '"type":"partial"', /type/],
  ['a date that is none', '2026-01-02T02:00:00.000Z', 'yesterday', /startedAt/],
  ['an empty name', '"name":"BOOK"', '"name":""', /name/],
  ['a format that is no number', '"format":1', '"format":"1"', /number of an archive format/],
  ['a table too few', /-- \{"table.*\n/, '', /expected 2 tables but found 1/],
])('%s is refused', (_what, part, replacement, message) => {
  expect(() => parseIndex(edited(part, replacement))).toThrow(
    expect.objectContaining({
      code: 'DAMAGED',
      message: expect.stringMatching(message) as string,
    }),
  );
});

test('an empty index is refused', () => {
  expect(() => parseIndex(Buffer.alloc(0))).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
});

test('a later format is refused by name before anything else of it is judged', () => {
  const later = Buffer.from('-- {"archive":{"format":3,"anything":true}}\n');
  expect(() => parseIndex(later)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
});

test('lines and fields that a reader can do without are passed over', () => {
  const extraField = edited('"engine":"InnoDB"', '"comment":"new","engine":"InnoDB"');
  expect(parseIndex(extraField)).toEqual(sample);
  const extraLine = edited('-- {"table"', '-- {"transaction":{"gtid":"x"}}\n-- {"table"');
  expect(parseIndex(extraLine)).toEqual(sample);
});
