/**
 * The archives under test/vectors/archive: one sound, and that one damaged in every typical way.
 * They are committed; `UPDATE_VECTORS=1` makes them anew, which only a new format should need.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { IndexParts, MemberInput } from '../../src/archive/archive-writer.js';
import type { RangeEntry, TableEntry } from '../../src/archive/index-types.js';
import type { ColumnPlan } from '../../src/sql/column-plan.js';
import { combineDigests } from '../../src/sql/digest.js';
import { digestImages } from '../../src/sql/insert-parser.js';
import { formatRowImage } from '../../src/sql/row-image.js';
import type { RowValues } from '../../src/sql/row-image.js';
import { encodeTuple } from '../../src/sql/row-literal.js';
import { flipBit, splitMembers } from './damage.js';
import { encodeAsFormat } from './later-format.js';
import { headerParts, sha256, withFolder, writeArchive } from './samples.js';

export const VECTORS_FOLDER = 'test/vectors/archive';
export const SOUND_VECTOR = 'sound.sql.gz';

const BOOK_COLUMNS: readonly ColumnPlan[] = [
  { name: 'id', expression: '`id`', encoding: 'number' },
  { name: 'título', expression: '`título`', encoding: 'text' },
  { name: 'weight', expression: 'CAST(`weight` AS DOUBLE)', encoding: 'real' },
  { name: 'cover', expression: '`cover`', encoding: 'binary' },
  {
    name: 'kana',
    expression: 'CAST(`kana` AS BINARY)',
    encoding: 'charset',
    introducer: '_sjis',
  },
  { name: 'extra', expression: '`extra`', encoding: 'json' },
];

const SESSION = `SET NAMES utf8mb4;
SET SESSION time_zone = '+00:00';
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
SET SESSION foreign_key_checks = 0;
SET SESSION unique_checks = 0;
`;

const CLOSING = `SET SESSION foreign_key_checks = 1;
SET SESSION unique_checks = 1;
SET SESSION sql_mode = DEFAULT;
`;

/** What a table of nothing but generated columns has. */
const ECHO_COLUMNS: readonly ColumnPlan[] = [
  { name: 'a', expression: 'NULL', encoding: 'default' },
];

const text = (value: string): Buffer => Buffer.from(value);

/** Two ranges of rows with every encoding and every length of a length. */
function bookRows(): readonly (readonly RowValues[])[] {
  const special = text("O'Brien\\ \0\n\r\x1a\t„“ ;\n");
  const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const sjis = Buffer.from('955c835c', 'hex');
  return [
    [
      [text('1'), special, text('-0'), allBytes, sjis, text('{"price": 1.10, "a\'b": [1e10]}')],
      [text('2'), text(''), text('1.5e-7'), Buffer.alloc(0), Buffer.alloc(0), text('[]')],
      [text('2'), text(''), text('1.5e-7'), Buffer.alloc(0), Buffer.alloc(0), text('[]')],
    ],
    [
      [text('10'), null, null, null, null, null],
      [text('11'), Buffer.alloc(70_000, 'x'), text('3'), allBytes.subarray(0, 251), null, null],
      [text('12'), text('x'.repeat(250)), text('4'), Buffer.alloc(1_048_577, "'"), null, null],
    ],
  ];
}

function member(kind: MemberInput['kind'], sql: Buffer, fields: Partial<MemberInput>): MemberInput {
  return { kind, sql, statements: 1, longestStatement: sql.length, ...fields };
}

function definition(table: string, create: Buffer): Buffer {
  return Buffer.concat([text(`DROP TABLE IF EXISTS \`${table}\`;\n`), create, text(';\n')]);
}

function dataMember(rows: readonly RowValues[], range: number): MemberInput {
  const tuples = rows.map((row) => encodeTuple(formatRowImage(row), BOOK_COLUMNS));
  const names = BOOK_COLUMNS.map(({ name }) => `\`${name}\``).join(',');
  const prefix = text(`INSERT INTO \`BOOK\` (${names}) VALUES\n`);
  const lines = tuples.flatMap((tuple) => [tuple, text(',\n')]).slice(0, -1);
  const sql = Buffer.concat([prefix, ...lines, text(';\n')]);
  return member('data', sql, { table: 'BOOK', rows: rows.length, range });
}

function bookEntries(create: Buffer): { table: TableEntry; ranges: RangeEntry[] } {
  const digests = bookRows().map((rows) => digestImages(rows.map(formatRowImage)));
  const { rows, ...digest } = combineDigests(digests);
  const table: TableEntry = {
    name: 'BOOK',
    engine: 'InnoDB',
    transactional: true,
    autoIncrement: '13',
    definitionSha256: sha256(create),
    columns: BOOK_COLUMNS,
    key: ['id'],
    rows,
    digest,
  };
  const bounds = [
    { lower: null, upper: ['10'] },
    { lower: ['10'], upper: null },
  ];
  const ranges = digests.map((part, ordinal): RangeEntry => {
    const { lower, upper } = bounds[ordinal] ?? { lower: null, upper: null };
    return { table: 'BOOK', ordinal, lower, upper, ...part };
  });
  return { table, ranges };
}

/** The entry of a table without a key and ranges. */
function smallTable(
  name: string,
  create: Buffer,
  columns: readonly ColumnPlan[],
  rowValues: readonly RowValues[],
): TableEntry {
  const { rows, ...digest } = digestImages(rowValues.map(formatRowImage));
  return {
    name,
    engine: 'InnoDB',
    transactional: true,
    definitionSha256: sha256(create),
    columns,
    key: null,
    rows,
    digest,
  };
}

/** Members and index of the sound archive. */
function library(): { members: MemberInput[]; parts: IndexParts } {
  const create = text(
    'CREATE TABLE `BOOK` (\n  `id` int NOT NULL,\n  `título` mediumtext,\n  `weight` float,\n' +
      '  `cover` longblob,\n  `kana` varchar(9) CHARACTER SET sjis,\n  `extra` json\n) ENGINE=InnoDB',
  );
  const empty = text('CREATE TABLE `FINE` (\n  `id` int\n) ENGINE=InnoDB');
  const generated = text('CREATE TABLE `ECHO` (\n  `a` int GENERATED ALWAYS AS (1)\n)');
  const view = text('CREATE VIEW `V` AS select `BOOK`.`id` AS `id` from `BOOK`');
  const book = bookEntries(create);
  const fine = smallTable('FINE', empty, BOOK_COLUMNS.slice(0, 1), []);
  const echo = smallTable('ECHO', generated, ECHO_COLUMNS, [[null], [null]]);
  return {
    members: [
      member('header', text(SESSION), { statements: 5, longestStatement: 80 }),
      member('table', definition('BOOK', create), { table: 'BOOK', statements: 2 }),
      member('table', definition('FINE', empty), { table: 'FINE', statements: 2 }),
      member('table', definition('ECHO', generated), { table: 'ECHO', statements: 2 }),
      ...bookRows().map(dataMember),
      member('data', text('INSERT INTO `ECHO` (`a`) VALUES\n(DEFAULT),\n(DEFAULT);\n'), {
        table: 'ECHO',
        rows: 2,
      }),
      member('object', Buffer.concat([view, text(';\n')]), { object: { type: 'view', name: 'V' } }),
      member('closing', text(CLOSING), { statements: 3, longestStatement: 40 }),
    ],
    parts: {
      header: headerParts(),
      tables: [book.table, fine, echo],
      ranges: book.ranges,
      objects: [{ type: 'view', name: 'V', definitionSha256: sha256(view) }],
    },
  };
}

/** Writes the sound archive. */
export async function makeSoundVector(): Promise<Buffer> {
  const { members, parts } = library();
  return withFolder(async (folder) => {
    const path = join(folder, SOUND_VECTOR);
    // One at a time, so that the members always come in the same order.
    await writeArchive(path, members, parts, { parallel: 1, level: 9 });
    return readFile(path);
  });
}

/** Numbers of the sound archive's members: its two data members of BOOK, index and footer. */
const FIRST = 4;
const SECOND = 5;
const INDEX = 9;
const FOOTER = 10;

/** Every damaged or foreign file, made from the sound archive. */
export function makeOtherVectors(sound: Buffer): ReadonlyMap<string, Buffer> {
  const members = splitMembers(sound);
  const [header, book, fine, echo, first, second] = members;
  assert(header && book && fine && echo && first && second, 'the sound archive has them');
  const startOf = (position: number): number =>
    members.slice(0, position).reduce((sum, { length }) => sum + length, 0);
  const flip = (position: number, byte: number): Buffer =>
    flipBit(sound, (startOf(position) + byte) * 8 + 3);
  return new Map([
    ['flipped-magic.sql.gz', flip(0, 0)],
    ['flipped-flags.sql.gz', flip(0, 3)],
    ['flipped-data.sql.gz', flip(FIRST, 60)],
    ['flipped-trailer.sql.gz', flip(FIRST, first.length - 1)],
    ['flipped-index.sql.gz', flip(INDEX, 100)],
    ['flipped-footer.sql.gz', flip(FOOTER, 40)],
    ['cut-in-data.sql.gz', sound.subarray(0, startOf(SECOND) - 5)],
    ['cut-in-footer.sql.gz', sound.subarray(0, -1)],
    ['cut-before-index.sql.gz', sound.subarray(0, startOf(INDEX))],
    ['appended.sql.gz', Buffer.concat([sound, Buffer.from('\n')])],
    ['doubled-archive.sql.gz', Buffer.concat([sound, sound])],
    [
      'swapped.sql.gz',
      Buffer.concat([header, book, fine, echo, second, first, sound.subarray(startOf(6))]),
    ],
    [
      'dropped.sql.gz',
      Buffer.concat([sound.subarray(0, startOf(SECOND)), sound.subarray(startOf(6))]),
    ],
    [
      'doubled.sql.gz',
      Buffer.concat([sound.subarray(0, startOf(SECOND)), first, sound.subarray(startOf(SECOND))]),
    ],
    ['zeroed-start.sql.gz', Buffer.concat([Buffer.alloc(200), sound.subarray(200)])],
    ['footer-alone.sql.gz', sound.subarray(startOf(FOOTER))],
    ['later-format.sql.gz', encodeAsFormat(sound, 2)],
    ['recompressed.sql.gz', gzipSync(gunzipSync(sound))],
    ['foreign.sql.gz', gzipSync('-- MySQL dump 10.13\nCREATE TABLE t (a int);\n')],
  ]);
}
