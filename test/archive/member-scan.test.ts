// Goal: a pipe is split into the same members as the file, however its bytes are cut up, and a
// scan that ends well saw the whole archive.
import { expect, test } from 'vitest';
import { openArchiveSource } from '../../src/archive/archive-reader.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { inflateScanned, scanMembers } from '../../src/archive/member-scan.js';
import type { ScannedMember } from '../../src/archive/member-scan.js';
import { parseIndex } from '../../src/archive/index-document.js';
import { flipBit, rearrangements } from './damage.js';
import { encodeAsFormat } from './later-format.js';
import { sampleArchive, sha256, smallestArchive } from './samples.js';

const archive = await sampleArchive();
const reader = await openArchiveSource(memorySource(archive));

async function* chunked(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
  }
}

async function scan(bytes: Buffer, length = bytes.length): Promise<ScannedMember[]> {
  const members: ScannedMember[] = [];
  for await (const member of scanMembers(chunked(bytes, length))) members.push(member);
  return members;
}

test('any split gives the same members, each with its SQL, the index last', async () => {
  for (const length of [1, 7, 29, 30, 31, 100, archive.length]) {
    const members = await scan(archive, length);
    const index = members.pop();
    expect(members.map(({ offset }) => offset)).toEqual(
      reader.members().map(({ offset }) => offset),
    );
    for (const { header, stored } of members) {
      expect(await inflateScanned(stored)).toEqual(await reader.readMember(header.number));
    }
    const indexSql = await inflateScanned(index?.stored ?? Buffer.alloc(0));
    expect(parseIndex(indexSql)).toEqual(reader.index);
  }
});

test('a stream that ends early or goes on is refused', async () => {
  for (let length = 0; length < archive.length; length += 1) {
    await expect(scan(archive.subarray(0, length)), `${length}`).rejects.toMatchObject({
      code: 'DAMAGED',
    });
  }
  const longer = Buffer.concat([archive, Buffer.alloc(1)]);
  await expect(scan(longer)).rejects.toMatchObject({ code: 'DAMAGED' });
});

test('members swapped, dropped or doubled are refused', async () => {
  for (const { what, bytes } of rearrangements(archive)) {
    await expect(scan(bytes), what).rejects.toMatchObject({ code: 'DAMAGED' });
  }
});

test('every flipped bit is refused by the scan, by inflating, or by the hashes of the index', async () => {
  const small = await smallestArchive();
  const { index } = await openArchiveSource(memorySource(small));
  const passes = async (bytes: Buffer): Promise<boolean> => {
    try {
      const members = await scan(bytes);
      for (const { stored } of members) await inflateScanned(stored);
      return members.slice(0, -1).every(({ stored }, position) => {
        return sha256(stored) === index.members[position]?.sha256;
      });
    } catch (error) {
      expect(error).toMatchObject({ code: 'DAMAGED' });
      return false;
    }
  };
  expect(await passes(small)).toBe(true);
  for (let bit = 0; bit < small.length * 8; bit += 3) {
    expect(await passes(flipBit(small, bit)), `bit ${bit}`).toBe(false);
  }
});

test('a later format is refused by name', async () => {
  await expect(scan(encodeAsFormat(archive, 2))).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
});
