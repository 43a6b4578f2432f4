/**
 * Goal: a member that is read in windows is judged as strictly as one that is read whole. Method: the
 * same damages as elsewhere, on a member of 9 MiB, some of them hidden behind a SHA-256 made to fit.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ByteSource } from '../../src/archive/byte-source.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { deflateSql } from '../../src/archive/compression.js';
import { assembleMember } from '../../src/archive/gzip-member.js';
import { isHugeMember, readHugeMember } from '../../src/archive/huge-member.js';
import type { MemberEntry } from '../../src/archive/index-types.js';
import { ReshelveError } from '../../src/errors.js';
import { MIB, hexText } from './memory.js';

const SQL = hexText(9 * MIB);
const COMPRESSED = await deflateSql([SQL], { level: 1, strategy: 'huffman' });
const MEMBER = assembleMember('data', 2, COMPRESSED);
const STORED = Buffer.concat(MEMBER.parts);

function entryOf(stored: Buffer, sqlLength = SQL.length): MemberEntry {
  return {
    ...{ number: 2, kind: 'data', table: 't', offset: 100, storedLength: stored.length },
    ...{ sqlLength, sha256: createHash('sha256').update(stored).digest('hex') },
    ...{ rows: 1, statements: 1, longestStatement: 9 },
  };
}

async function read(source: ByteSource, entry: MemberEntry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readHugeMember(source, entry)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The member at offset 100 of a larger file. */
function fileOf(stored: Buffer): ByteSource {
  return memorySource(Buffer.concat([Buffer.alloc(100, 'x'), stored, Buffer.alloc(50, 'y')]));
}

test('a sound member is read in pieces', async () => {
  const entry = entryOf(STORED);
  expect(isHugeMember(entry)).toBe(true);
  expect((await read(fileOf(STORED), entry)).equals(SQL)).toBe(true);
});

test('a changed byte is found before any SQL is handed out', async () => {
  for (const at of [0, 30, 4 * 1000 * 1000, STORED.length - 9, STORED.length - 1]) {
    const damaged = Buffer.from(STORED);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
    const pieces = readHugeMember(fileOf(damaged), entryOf(STORED));
    await expect(pieces.next()).rejects.toMatchObject({ code: 'DAMAGED' });
  }
});

test.each([
  ['bytes behind the end of the deflate stream', [...COMPRESSED.deflated, Buffer.from('more')]],
  ['a deflate stream without its end', [Buffer.concat(COMPRESSED.deflated).subarray(0, -1000)]],
  ['no deflate stream', [Buffer.alloc(5 * MIB, 0xff)]],
])('%s is damage even with a fitting SHA-256', async (_, deflated) => {
  const stored = Buffer.concat(assembleMember('data', 2, { ...COMPRESSED, deflated }).parts);
  await expect(read(fileOf(stored), entryOf(stored))).rejects.toMatchObject({ code: 'DAMAGED' });
});

test.each([
  ['another CRC-32', { crc32: COMPRESSED.crc32 ^ 1 }],
  ['more SQL than was promised', { sqlLength: SQL.length - 1 }],
  ['less SQL than was promised', { sqlLength: SQL.length + 1 }],
])('%s is damage even with a fitting SHA-256', async (_, change) => {
  const changed = { ...COMPRESSED, ...change };
  const stored = Buffer.concat(assembleMember('data', 2, changed).parts);
  const entry = entryOf(stored, changed.sqlLength);
  await expect(read(fileOf(stored), entry)).rejects.toMatchObject({ code: 'DAMAGED' });
});

test('a failure to read is no damage', async () => {
  const sound = fileOf(STORED);
  let reads = 0;
  const failing: ByteSource = {
    ...sound,
    read: async (offset, length) => {
      reads += 1;
      // The second pass over the windows: the inflating one.
      if (reads === 6) throw new ReshelveError('IO', 'the disk does not answer');
      return sound.read(offset, length);
    },
  };
  await expect(read(failing, entryOf(STORED))).rejects.toMatchObject({ code: 'IO' });
});

test('who stops reading early leaves nothing behind that fails', async () => {
  for await (const piece of readHugeMember(fileOf(STORED), entryOf(STORED))) {
    expect(piece.equals(SQL.subarray(0, piece.length))).toBe(true);
    break;
  }
});
