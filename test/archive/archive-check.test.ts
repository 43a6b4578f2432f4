// Goal: each rule between index, footer and file is really checked. Method: break one at a time.
import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import {
  assertStructure,
  checkStructure,
  compareWithIndex,
} from '../../src/archive/archive-check.js';
import { openArchiveSource } from '../../src/archive/archive-reader.js';
import { memorySource } from '../../src/archive/byte-source.js';
import type { ArchiveIndex } from '../../src/archive/index-types.js';
import { sampleArchive } from './samples.js';

const archive = await sampleArchive();
const { index, footer } = await openArchiveSource(memorySource(archive));

type Loose = Record<string, unknown>;

/** The first message about the sample's index after `edit` changed a copy of it. */
function problemAfter(edit: (index: Record<keyof ArchiveIndex, Loose & Loose[]>) => void): string {
  const copy = structuredClone(index);
  edit(copy as unknown as Record<keyof ArchiveIndex, Loose & Loose[]>);
  return checkStructure(copy, footer, archive.length)[0]?.message ?? 'sound';
}

test('the sample keeps every rule', () => {
  expect(checkStructure(index, footer, archive.length)).toEqual([]);
});

type Edit = Parameters<typeof problemAfter>[0];

const set = (list: keyof ArchiveIndex, position: number, fields: Loose): Edit => {
  return (copy) => {
    Object.assign(copy[list][position] ?? {}, fields);
  };
};

test.each<[string, Edit, RegExp]>([
  ['a number', set('members', 3, { number: 5 }), /expected member 3 but found 5/],
  ['an offset', set('members', 3, { offset: 1 }), /expected offset \d+ but found 1/],
  ['a length', set('members', 3, { storedLength: 1 }), /expected offset/],
  ['the order', set('members', 2, { kind: 'sequence' }), /sequence member may not follow table/],
  ['the first', set('members', 0, { kind: 'table' }), /table member may not follow nothing/],
  ['a second header', set('members', 1, { kind: 'header' }), /header member may not follow header/],
  ['an index listed', set('members', 7, { kind: 'index' }), /index member may not follow/],
  ['a table of a view', set('members', 5, { table: 'BOOK' }), /fields of a object member/],
  ['rows of a table', set('members', 1, { rows: 0 }), /fields of a table member/],
  ['an unknown table', set('members', 3, { table: 'X' }), /unknown table `X`/],
  ['a table undefined', set('members', 1, { table: 'LOAN' }), /`BOOK`: definitions: expected 1/],
  ['an unknown view', set('members', 5, { object: { type: 'view', name: 'X' } }), /unknown view/],
  ['a view twice', set('members', 6, { object: { type: 'view', name: 'V' } }), /second member/],
  ['rows of a member', set('members', 4, { rows: 3 }), /`LOAN`: rows of its data members/],
  ['rows of a table', set('tables', 1, { rows: 3 }), /`LOAN`: rows of its data members/],
  ['a table twice', set('tables', 1, { name: 'BOOK' }), /`BOOK` is listed twice/],
  ['a view listed twice', set('objects', 1, { name: 'V' }), /view `V` is listed twice/],
  ['a range of nothing', set('ranges', 0, { table: 'X' }), /range of the unknown table `X`/],
  ['an ordinal', set('ranges', 0, { ordinal: 1 }), /ranges: expected 0 but found 1/],
  ['rows of a range', set('ranges', 0, { rows: 2 }), /rows of its ranges/],
  ['a sum', set('ranges', 0, { sum: 'f'.repeat(16) }), /sum of its ranges/],
  ['an xor', set('ranges', 0, { xor: 'f'.repeat(16) }), /xor of its ranges/],
  ['a range of a member', set('members', 3, { range: 7 }), /range 7: expected listed/],
  ['a longest statement', set('members', 3, { longestStatement: 9999 }), /total longestStatement/],
  ['a SQL length', set('members', 3, { sqlLength: 9999 }), /total sqlBytes/],
])('%s that does not fit is found', (_what, edit, message) => {
  expect(problemAfter(edit)).toMatch(message);
});

test('members that are missing altogether are found', () => {
  const empty = { ...index, members: [] };
  const messages = checkStructure(empty, footer, archive.length).map(({ message }) => message);
  expect(messages).toContain('expected a header member but found none');
  expect(messages).toContain('view `V` has no member');
  const short = { ...index, members: index.members.slice(0, -1) };
  const shortMessages = checkStructure(short, footer, archive.length).map((p) => p.message);
  expect(shortMessages).toContainEqual(expect.stringMatching(/^offset of the index: expected/));
  expect(shortMessages).toContainEqual(expect.stringMatching(/^number of members: expected 9/));
});

test('a sequence belongs into a sequence member, and no other object does', () => {
  const asSequence = problemAfter((copy) => {
    Object.assign(copy.objects[0] ?? {}, { type: 'sequence' });
    Object.assign(copy.members[5] ?? {}, { object: { type: 'sequence', name: 'V' } });
  });
  expect(asSequence).toBe('sequence `V` is in a member of another kind');
});

test('the digests of several ranges add up modulo 2^64', () => {
  const ranges = [
    {
      table: 'BOOK',
      ordinal: 0,
      lower: null,
      upper: ['5'],
      rows: 1,
      sum: 'f'.repeat(16),
      xor: '00000000000000ff',
    },
    {
      table: 'BOOK',
      ordinal: 1,
      lower: ['5'],
      upper: null,
      rows: 0,
      sum: '0000000000000002',
      xor: '000000000000000f',
    },
  ];
  const [book, loan] = index.tables;
  const digest = { sum: '0000000000000001', xor: '00000000000000f0' };
  const tables = [{ ...book, digest }, loan] as ArchiveIndex['tables'];
  expect(checkStructure({ ...index, tables, ranges }, footer, archive.length)).toEqual([]);
});

test('a file of another size is found', () => {
  const [problem] = checkStructure(index, footer, archive.length + 1);
  expect(problem?.message).toMatch(/^size of the file: expected \d+ but found \d+$/);
});

test('an incremental archive need not define its tables', () => {
  const header = { ...index.header, type: 'incremental' as const };
  const tables = index.tables.map((table) => ({ ...table, rows: 1 }));
  const messages = checkStructure({ ...index, header, tables }, footer, archive.length);
  expect(messages.map(({ message }) => message)).toEqual(['total rows: expected 3 but found 2']);
});

test('the writer asserts the same rules', () => {
  expect(() => {
    assertStructure({ ...index, tables: [] });
  }).toThrow('assertion failed: the index is consistent');
});

test('a header that says other than the index is found', () => {
  const entry = index.members[3];
  assert(entry !== undefined, 'the sample has eight members');
  const { kind, number, storedLength } = entry;
  expect(compareWithIndex({ kind, number, storedLength }, entry)).toEqual([]);
  expect(compareWithIndex({ kind: 'table', number: 9, storedLength: 1 }, entry)).toEqual([
    'kind: the index says data but the member says table',
    'number: the index says 3 but the member says 9',
    `storedLength: the index says ${storedLength} but the member says 1`,
  ]);
});
