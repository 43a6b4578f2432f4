// Goal: exact reads, an honest error where bytes are missing, and places beyond 4 GiB.
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArchive } from '../../src/archive/archive-reader.js';
import { memorySource, openFileSource } from '../../src/archive/byte-source.js';
import { deflateSql } from '../../src/archive/compression.js';
import { encodeFooter } from '../../src/archive/footer.js';
import { assembleMember } from '../../src/archive/gzip-member.js';
import { encodeIndex } from '../../src/archive/index-document.js';
import type { ArchiveIndex, MemberEntry } from '../../src/archive/index-document.js';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { headerParts, tableEntry, withFolder } from './samples.js';

test('a source gives exactly the bytes asked for, or says that they are missing', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const bytes = Buffer.from('0123456789');
    await writeFile(path, bytes);
    for (const source of [await openFileSource(path), memorySource(bytes)]) {
      expect(source.size).toBe(10);
      expect((await source.read(3, 4)).toString()).toBe('3456');
      expect((await source.read(10, 0)).length).toBe(0);
      await expect(source.read(8, 3)).rejects.toMatchObject({ code: 'DAMAGED' });
      await source.close();
    }
    const source = await openFileSource(path);
    await truncate(path, 5);
    await expect(source.read(0, 10)).rejects.toMatchObject({
      code: 'DAMAGED',
      message: `${path}: expected at least 10 bytes but found 5`,
    });
    await source.close();
  });
});

test('what memory gives is a copy', async () => {
  const bytes = Buffer.from('0123456789');
  const read = await memorySource(bytes).read(0, 2);
  read.fill('x');
  expect(bytes.toString()).toBe('0123456789');
});

const GIB = 1024 ** 3;
const OPTIONS = { level: 3, strategy: 'default' } as const;

/** An index of a header, a table and two members of 3 GiB each, then a small one. */
function hugeIndex(small: Omit<MemberEntry, 'number' | 'offset'>): ArchiveIndex {
  const filler = { storedLength: 3 * GIB, sqlLength: 0, sha256: '0'.repeat(64), statements: 0 };
  const longestStatement = 0;
  const members: MemberEntry[] = [
    { number: 0, kind: 'header', offset: 0, ...filler, longestStatement },
    { number: 1, kind: 'table', table: 't', offset: 3 * GIB, ...filler, longestStatement },
    { number: 2, offset: 6 * GIB, ...small },
  ];
  const totals = { rows: 1, tables: 1, sqlBytes: small.sqlLength, longestStatement: 9 };
  const header = { ...headerParts(), totals };
  return { header, tables: [tableEntry('t', 1)], ranges: [], objects: [], changes: [], members };
}

test('a member beyond 4 GiB is read, and the damage before it is found', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'huge');
    const sql = Buffer.from('INSERT 1;\n');
    const member = assembleMember('data', 2, await deflateSql([sql], OPTIONS));
    const { storedLength, sha256 } = member;
    const counts = { rows: 1, statements: 1, longestStatement: 9, sqlLength: sql.length };
    const index = hugeIndex({ kind: 'data', table: 't', storedLength, sha256, ...counts });
    const indexSql = await deflateSql([...encodeIndex(index)], OPTIONS);
    const indexMember = assembleMember('index', 3, indexSql);
    const footer = encodeFooter({
      indexOffset: 6 * GIB + storedLength,
      indexLength: indexMember.storedLength,
      memberCount: 5,
      indexSha256: indexMember.sha256,
    });
    // The file is sparse: the 6 GiB before the member take no room.
    const handle = await open(path, 'w');
    const end = Buffer.concat([...member.parts, ...indexMember.parts, footer]);
    await handle.write(end, 0, end.length, 6 * GIB);
    await handle.close();

    const reader = await openArchive(path);
    expect(reader.size).toBe(6 * GIB + end.length);
    expect(reader.footer.indexOffset).toBe(6 * GIB + storedLength);
    expect(await reader.readMember(2)).toEqual(sql);
    await reader.close();

    const source = await openFileSource(path);
    const { damages } = await checkArchive(source);
    expect(damages.map(({ member: number }) => number)).toEqual([0, 1]);
    await source.close();
  });
});
