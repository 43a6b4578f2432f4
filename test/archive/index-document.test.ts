// Goal: the index survives the round trip whatever the names in it, and nothing malformed is read.
import fc from 'fast-check';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MemberInput } from '../../src/archive/archive-writer.js';
import { checkContents } from '../../src/archive/contents-check.js';
import { encodeIndex, parseIndex } from '../../src/archive/index-document.js';
import type { ArchiveIndex } from '../../src/archive/index-document.js';
import { CHAIN_METHODS, COLUMN_ENCODINGS, OBJECT_TYPES } from '../../src/archive/index-types.js';
import { MEMBER_KIND_CODES } from '../../src/archive/member-kinds.js';
import type { MemberKind } from '../../src/archive/member-kinds.js';
import { headerParts, sampleParts, withFolder, writeArchive } from './samples.js';

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

const coordinates = {
  binlogFile: fc.option(name),
  binlogPosition: fc.option(count),
  gtidSet: fc.option(text),
};
const place = fc.record({ binlogFile: name, position: count });
const microseconds = fc.bigInt({ min: 0n, max: 2n ** 56n }).map(String);

const indexes: fc.Arbitrary<ArchiveIndex> = fc.record({
  header: fc
    .record(
      {
        database: name,
        serverUuid: fc.option(name),
        coordinates: fc.record(coordinates),
        binlog: fc.record({
          fileCreatedAt: fc.option(count),
          format: fc.option(name),
          gtidMode: fc.option(name),
          pendingXa: fc.array(fc.record({ xid: name, file: name, position: count }), {
            maxLength: 2,
          }),
          unreplayable: fc.option(name),
        }),
        chain: fc.record({
          fullId: fc.uuid(),
          previousId: fc.uuid(),
          method: fc.constantFrom(...CHAIN_METHODS),
          from: fc.record({ ...coordinates, serverUuid: fc.option(name) }),
        }),
        warnings: fc.array(fc.record({ code: name, message: text }), { maxLength: 2 }),
        totals: fc.record({ rows: count, tables: count, sqlBytes: count, longestStatement: count }),
      },
      { requiredKeys: ['database', 'serverUuid', 'coordinates', 'warnings', 'totals'] },
    )
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
  changes: fc.array(
    fc.record({
      member: count,
      transactions: count,
      firstAt: microseconds,
      lastAt: microseconds,
      from: place,
      to: place,
      gtids: fc.option(name),
      tables: fc.array(
        fc.record({ name, inserted: count, updated: count, deleted: count, ddl: fc.boolean() }),
        { maxLength: 2 },
      ),
    }),
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
  changes: [],
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

test('the lines of changes are those of the change members, in order', async () => {
  const place = { binlogFile: 'binlog.000002', position: 157 };
  const change = {
    transactions: 2,
    firstAt: '1767322800000000',
    lastAt: '1767322801000001',
    from: place,
    to: { ...place, position: 900 },
    gtids: 'a1b2c3d4-0000-11ef-8000-000000000001:5-6',
    tables: [{ name: 'BOOK', inserted: 1, updated: 0, deleted: 2, ddl: false }],
  };
  const text = { statements: 1, longestStatement: 9 };
  const members: MemberInput[] = [
    { kind: 'header', sql: Buffer.from('SET @a=1;\n'), ...text },
    { kind: 'change', sql: Buffer.from('SELECT 1;\n'), ...text, change },
    { kind: 'change', sql: Buffer.from('SELECT 2;\n'), ...text, change },
  ];
  const id = headerParts().id;
  const from = { binlogFile: 'b', binlogPosition: 4, gtidSet: null, serverUuid: null };
  const header = {
    ...headerParts(),
    type: 'incremental' as const,
    chain: { fullId: id, previousId: id, method: 'binlog' as const, from },
  };
  await withFolder(async (folder) => {
    const parts = { header, tables: [], ranges: [], objects: [] };
    const { index } = await writeArchive(join(folder, 'a.gz'), members, parts);
    expect(index.changes).toEqual([
      { member: 1, ...change },
      { member: 2, ...change },
    ]);
    expect(parseIndex(encode(index))).toEqual(index);
    expect(checkContents(index)).toEqual([]);
    const oneMissing = { ...index, changes: index.changes.slice(1) };
    expect(checkContents(oneMissing).map(({ message }) => message)).toEqual([
      'changes: expected those of 2 members but found 1',
    ]);
    const asFull = { ...index, header: { ...index.header, type: 'full' as const } };
    expect(checkContents(asFull).map(({ message }) => message)).toEqual([
      'a full archive follows no other',
      'a full archive has no changes',
    ]);
  });
});
