// Goal: the writer keeps the order of kinds, bounds its work, and no failure goes unseen or leaves
// a file behind.
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { ArchiveFile } from '../../src/archive/archive-file.js';
import { openArchive } from '../../src/archive/archive-reader.js';
import { ArchiveWriter } from '../../src/archive/archive-writer.js';
import type { MemberInput } from '../../src/archive/archive-writer.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { fileError } from '../../src/file-errors.js';
import { ReshelveError } from '../../src/errors.js';
import { faultyFile, systemError } from './faulty-file.js';
import type { Faults } from './faulty-file.js';
import {
  headerParts,
  sampleMembers,
  sampleParts,
  tableEntry,
  withFolder,
  writeArchive,
} from './samples.js';

/** Data members of very different sizes, so that the small ones overtake the large ones. */
function manyMembers(count: number): MemberInput[] {
  const simple = { statements: 1, longestStatement: 10 };
  const data = Array.from({ length: count }, (_, position) => {
    const line = `INSERT INTO t VALUES\n(${position});\n`;
    const sql = Buffer.from(line.repeat(position % 3 === 0 ? 20_000 : 1));
    return { kind: 'data', table: 't', sql, rows: 1, ...simple } satisfies MemberInput;
  });
  return [
    { kind: 'header', sql: Buffer.from('SET @a = 1;\n'), ...simple },
    { kind: 'table', table: 't', sql: Buffer.from('CREATE TABLE t (a INT);\n'), ...simple },
    ...data,
    { kind: 'object', object: { type: 'view', name: 'v' }, sql: Buffer.from('-- v\n'), ...simple },
    { kind: 'object', object: { type: 'view', name: 'w' }, sql: Buffer.from('-- w\n'), ...simple },
  ];
}

function partsOfMany(count: number): ReturnType<typeof sampleParts> {
  const definitionSha256 = 'c'.repeat(64);
  return {
    header: headerParts(),
    tables: [tableEntry('t', count)],
    ranges: [],
    objects: [
      { type: 'view', name: 'v', definitionSha256 },
      { type: 'view', name: 'w', definitionSha256 },
    ],
  };
}

async function writeMany(
  file: ArchiveFile,
  count: number,
  options: { inFlightBytes?: number; parallel?: number } = {},
): Promise<ArchiveWriter> {
  const writer = new ArchiveWriter(file, options);
  try {
    // All calls at once, as several readers would make them.
    await Promise.all(manyMembers(count).map((member) => writer.append(member)));
    await writer.finish(partsOfMany(count));
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer;
}

test('members given all at once keep the order of their kinds, and each comes back', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const count = 40;
    const file = await ArchiveFile.create(path);
    const writer = await writeMany(file, count, { inFlightBytes: 500_000 });
    const reader = await openArchive(path);
    const members = reader.members();
    const kinds = members.map(({ kind }) => kind).join(' ');
    expect(kinds).toBe(`header table ${'data '.repeat(count)}object object`);
    expect(members.slice(-2).map(({ object }) => object?.name)).toEqual(['v', 'w']);
    const texts = new Set<string>();
    for (const { number } of members) texts.add((await reader.readMember(number)).toString());
    const expected = manyMembers(count).map(({ sql }) => sql.toString());
    for (const text of expected.slice(1)) expect(texts).toContain(text);
    expect(writer.stats).toEqual({
      members: count + 4,
      sqlBytes: reader.index.header.totals.sqlBytes,
      storedBytes: reader.size,
    });
    await reader.close();
  });
});

test('buffers are released once each, and only a bounded number is held', async () => {
  await withFolder(async (folder) => {
    const writer = await ArchiveWriter.create(join(folder, 'a'), { parallel: 2 });
    const [header, table, ...rest] = manyMembers(30);
    let held = 0;
    let heldMost = 0;
    let released = 0;
    const release = (): void => {
      held -= 1;
      released += 1;
    };
    for (const member of [header, table, ...rest]) {
      if (member === undefined) continue;
      await writer.append({ ...member, release });
      held += 1;
      heldMost = Math.max(heldMost, held);
    }
    await writer.finish(partsOfMany(30));
    expect(held).toBe(0);
    expect(released).toBe(34);
    expect(heldMost).toBeLessThanOrEqual(3);
  });
});

test('a member larger than the whole budget is taken alone', async () => {
  await withFolder(async (folder) => {
    const file = await ArchiveFile.create(join(folder, 'a'));
    await writeMany(file, 10, { inFlightBytes: 1 });
    const reader = await openArchive(join(folder, 'a'));
    expect(reader.members().length).toBe(14);
    await reader.close();
  });
});

test.each<[string, Faults]>([
  ['one byte at a time', { bytesPerWriteMax: 1 }],
  ['31 bytes at a time', { bytesPerWriteMax: 31 }],
])('short writes (%s) are completed', async (_what, faults) => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const writer = new ArchiveWriter(await faultyFile(path, faults));
    for (const member of sampleMembers()) await writer.append(member);
    await writer.finish(sampleParts());
    const { damages } = await checkArchive(memorySource(await readFile(path)));
    expect(damages).toEqual([]);
  });
});

test.each<[string, Faults, string, RegExp]>([
  ['a full disk at once', { failAfterBytes: 0 }, 'DISK_FULL', /the disk of .* is full/],
  ['a full disk later', { failAfterBytes: 300 }, 'DISK_FULL', /cannot write .*ENOSPC/],
  ['a quota', { failAfterBytes: 300, systemCode: 'EDQUOT' }, 'DISK_FULL', /EDQUOT/],
  ['a bad disk', { failAfterBytes: 300, systemCode: 'EIO' }, 'IO', /cannot write .*EIO/],
  ['a failed sync', { failSync: true, systemCode: 'EIO' }, 'IO', /cannot sync/],
  ['a failed close', { failClose: true }, 'DISK_FULL', /cannot close/],
  ['writes that take nothing', { bytesPerWriteMax: 0 }, 'IO', /cannot write/],
])('%s is reported and leaves no file', async (_what, faults, code, message) => {
  await withFolder(async (folder) => {
    const file = await faultyFile(join(folder, 'a'), faults);
    const error = await writeMany(file, 20).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ReshelveError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((error as Error).message).toContain(folder);
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a really full device is reported', async () => {
  const handle = await open('/dev/full', 'w');
  const file = {
    writev: (buffers: readonly Buffer[], position: number) =>
      handle.write(Buffer.concat(buffers), 0, null, position),
    sync: () => Promise.resolve(),
    close: () => handle.close(),
  };
  await withFolder(async (folder) => {
    const archiveFile = new ArchiveFile(file, join(folder, 'a'));
    await expect(writeMany(archiveFile, 3)).rejects.toMatchObject({ code: 'DISK_FULL' });
  });
});

test('after a failure every later call throws it', async () => {
  await withFolder(async (folder) => {
    const writer = new ArchiveWriter(await faultyFile(join(folder, 'a'), { failAfterBytes: 50 }));
    const [header, table] = sampleMembers();
    if (header === undefined || table === undefined) throw new Error('the samples are there');
    await writer.append(header);
    await expect(writer.finish(sampleParts())).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(writer.append(table)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(writer.finish(sampleParts())).rejects.toMatchObject({ code: 'DISK_FULL' });
    await writer.abort();
    await writer.abort();
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });
});

test('a signal stops the writer with its reason, at whatever member it comes', async () => {
  for (let stopAt = 0; stopAt < 6; stopAt += 1) {
    await withFolder(async (folder) => {
      const controller = new AbortController();
      const { signal } = controller;
      const writer = await ArchiveWriter.create(join(folder, 'a'), { signal });
      const reason = new ReshelveError('INTERRUPTED', 'stopped by SIGINT');
      const run = async (): Promise<void> => {
        for (const [position, member] of sampleMembers().entries()) {
          if (position === stopAt) controller.abort(reason);
          await writer.append(member);
        }
      };
      await expect(run()).rejects.toBe(reason);
      await expect(writer.finish(sampleParts())).rejects.toBe(reason);
      await writer.abort();
      expect(await readdir(folder)).toEqual([]);
    });
  }
});

test('abort in the middle of everything leaves no file', async () => {
  await withFolder(async (folder) => {
    const writer = await ArchiveWriter.create(join(folder, 'a'));
    const calls = manyMembers(30).map((member) => writer.append(member));
    const outcomes = Promise.allSettled(calls);
    await writer.abort();
    expect(await readdir(folder)).toEqual([]);
    const rejected = (await outcomes).filter(({ status }) => status === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
  });
});

test('abort after finish leaves the file alone', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const writer = await ArchiveWriter.create(path);
    for (const member of sampleMembers()) await writer.append(member);
    await writer.finish(sampleParts());
    await writer.abort();
    expect(existsSync(path)).toBe(true);
  });
});

test('an existing file is never overwritten', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    await writeFile(path, 'precious');
    await expect(ArchiveWriter.create(path)).rejects.toMatchObject({ code: 'DIRECTORY' });
    expect(await readFile(path, 'utf8')).toBe('precious');
  });
});

test('a folder that is not there or is a file is named', async () => {
  await withFolder(async (folder) => {
    await expect(ArchiveWriter.create(join(folder, 'no', 'a'))).rejects.toMatchObject({
      code: 'DIRECTORY',
      message: expect.stringContaining(join(folder, 'no', 'a')) as string,
    });
    await writeFile(join(folder, 'file'), '');
    await expect(ArchiveWriter.create(join(folder, 'file', 'a'))).rejects.toMatchObject({
      code: 'DIRECTORY',
    });
    await mkdir(join(folder, 'taken'));
    await expect(openArchive(join(folder, 'taken'))).rejects.toMatchObject({
      code: 'NOT_A_BACKUP',
    });
    await expect(openArchive(join(folder, 'none'))).rejects.toMatchObject({
      code: 'BACKUP_NOT_FOUND',
    });
  });
});

test('defects of a caller are caught at once', async () => {
  await withFolder(async (folder) => {
    const members = sampleMembers();
    const wrong = [...members.slice(0, 5), ...members.slice(1, 2)];
    await expect(writeArchive(join(folder, 'a'), wrong, sampleParts())).rejects.toThrow(
      'a table member may not follow data',
    );
    await expect(writeArchive(join(folder, 'b'), members.slice(1), sampleParts())).rejects.toThrow(
      'a table member may not follow nothing',
    );
    const parts = { ...sampleParts(), tables: [tableEntry('BOOK', 1), tableEntry('LOAN', 3)] };
    await expect(writeArchive(join(folder, 'c'), members, parts)).rejects.toThrow(
      'table `LOAN`: rows of its data members: expected 3 but found 2',
    );
  });
});

function codeOfError(error: Error): unknown {
  return error instanceof ReshelveError ? error.code : error;
}

test('each system error becomes the code that tells the user what to do', () => {
  const codeOf = (systemCode: string): unknown =>
    codeOfError(fileError(systemError(systemCode), 'open', '/b/x'));
  expect(codeOf('EMFILE')).toBe('FILE_LIMIT');
  expect(codeOf('ENFILE')).toBe('FILE_LIMIT');
  expect(codeOf('EROFS')).toBe('DIRECTORY');
  expect(codeOf('EACCES')).toBe('DIRECTORY');
  expect(codeOf('ESTALE')).toBe('IO');
  const defect = new TypeError('a bug');
  expect(fileError(defect, 'open', '/b/x')).toBe(defect);
  const known = new ReshelveError('DAMAGED', 'x');
  expect(fileError(known, 'open', '/b/x')).toBe(known);
});
