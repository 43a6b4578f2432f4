/** Small archives for the tests of this folder. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveWriter } from '../../src/archive/archive-writer.js';
import type {
  ArchiveWriterOptions,
  FinishedArchive,
  IndexParts,
  MemberInput,
} from '../../src/archive/archive-writer.js';
import type { TableEntry } from '../../src/archive/index-types.js';

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const ZERO_HASH = '0'.repeat(16);

export function tableEntry(name: string, rows: number): TableEntry {
  return {
    name,
    engine: 'InnoDB',
    transactional: true,
    autoIncrement: '18446744073709551615',
    definitionSha256: sha256(`CREATE TABLE ${name}`),
    columns: [
      { name: 'id', expression: '`id`', encoding: 'number' },
      {
        name: 'título',
        expression: 'CAST(`título` AS BINARY)',
        encoding: 'charset',
        introducer: '_sjis',
      },
    ],
    key: ['id'],
    rows,
    digest: { sum: ZERO_HASH, xor: ZERO_HASH },
  };
}

export function headerParts(): IndexParts['header'] {
  return {
    id: '0f8fad5b-d9cb-469f-a165-70867728950e',
    type: 'full',
    database: 'LibraryDB',
    characterSet: 'utf8mb4',
    collation: 'utf8mb4_0900_ai_ci',
    serverVersion: '9.7.0',
    serverFlavour: 'mysql',
    serverUuid: 'a1b2c3d4-0000-11ef-8000-000000000001',
    toolVersion: '0.1.0',
    startedAt: '2026-01-02T02:00:00.000Z',
    snapshotAt: '2026-01-02T02:00:00.125Z',
    finishedAt: '2026-01-02T02:00:01.500Z',
    consistency: 'flush-lock',
    consistencyNote: 'one instant for all tables',
    coordinates: { binlogFile: 'binlog.000001', binlogPosition: 157, gtidSet: null },
    timeZone: '+00:00',
    sqlMode: 'NO_AUTO_VALUE_ON_ZERO',
    warnings: [{ code: 'BROKEN_VIEW', message: 'view `vue cassée` names a missing table' }],
  };
}

/** The members of a library with two tables, a view and a broken view. */
export function sampleMembers(): MemberInput[] {
  const statement = (
    sql: string,
  ): Pick<MemberInput, 'sql' | 'statements' | 'longestStatement'> => ({
    sql: Buffer.from(sql),
    statements: 1,
    longestStatement: Buffer.byteLength(sql) - 1,
  });
  const loans = "INSERT INTO `LOAN` (`id`,`título`) VALUES\n(1,_sjis 0x955C),\n(2,'');\n";
  return [
    { kind: 'header', ...statement(`SET FOREIGN_KEY_CHECKS=0;\n`) },
    { kind: 'table', table: 'BOOK', ...statement('CREATE TABLE `BOOK` (`id` INT);\n') },
    { kind: 'table', table: 'LOAN', ...statement('CREATE TABLE `LOAN` (`id` INT);\n') },
    {
      kind: 'data',
      table: 'BOOK',
      rows: 1,
      range: 0,
      ...statement('INSERT INTO `BOOK` (`id`) VALUES\n(1);\n'),
    },
    { kind: 'data', table: 'LOAN', rows: 2, compression: 'huffman', ...statement(loans) },
    {
      kind: 'object',
      object: { type: 'view', name: 'V' },
      ...statement('CREATE VIEW `V` AS SELECT 1;\n'),
    },
    {
      kind: 'object',
      object: { type: 'view', name: 'vue cassée' },
      ...statement('-- CREATE VIEW …\n'),
    },
    { kind: 'closing', ...statement('SET FOREIGN_KEY_CHECKS=1;\n') },
  ];
}

export function sampleParts(): IndexParts {
  return {
    header: headerParts(),
    tables: [tableEntry('BOOK', 1), tableEntry('LOAN', 2)],
    ranges: [
      {
        table: 'BOOK',
        ordinal: 0,
        lower: null,
        upper: null,
        rows: 1,
        sum: ZERO_HASH,
        xor: ZERO_HASH,
      },
    ],
    objects: [
      { type: 'view', name: 'V', definitionSha256: sha256('V') },
      { type: 'view', name: 'vue cassée', definitionSha256: sha256('W'), broken: 'table is gone' },
    ],
  };
}

/** Runs `use` with the path of a fresh folder, which is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-archive-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes an archive to `path`; members in the order given, where `options` do not say otherwise. */
export async function writeArchive(
  path: string,
  members: readonly MemberInput[],
  parts: IndexParts,
  options: ArchiveWriterOptions = {},
): Promise<FinishedArchive> {
  const writer = await ArchiveWriter.create(path, { parallel: 1, ...options });
  try {
    for (const member of members) await writer.append(member);
    return await writer.finish(parts);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The bytes of the sample archive. */
export async function sampleArchive(): Promise<Buffer> {
  return withFolder(async (folder) => {
    const path = join(folder, 'sample.sql.gz');
    await writeArchive(path, sampleMembers(), sampleParts());
    return readFile(path);
  });
}

/** The bytes of the smallest archive that has rows. */
export async function smallestArchive(): Promise<Buffer> {
  return withFolder(async (folder) => {
    const path = join(folder, 'smallest.sql.gz');
    const [header, table, , data] = sampleMembers();
    assert(header !== undefined && table !== undefined && data !== undefined, 'samples are there');
    const { header: headerFields, tables } = sampleParts();
    const parts = { header: headerFields, tables: tables.slice(0, 1), ranges: [], objects: [] };
    const { kind, sql, rows, statements, longestStatement } = data;
    const rowsOnly = { kind, table: 'BOOK', sql, statements, longestStatement, rows: rows ?? 0 };
    await writeArchive(path, [header, table, rowsOnly], parts);
    return readFile(path);
  });
}
