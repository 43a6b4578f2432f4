// Goal: a huge member costs its SQL once and its compressed bytes once. Method: the high-water mark
// of this process, which runs only this file.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { openArchive } from '../../src/archive/archive-reader.js';
import { openFileSource } from '../../src/archive/byte-source.js';
import { MIB, append, begin, end, hexText, peak } from './memory.js';
import { withFolder } from './samples.js';

test('a member of 60 MiB is never copied', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const writer = await begin(path);
    const sql = hexText(60 * MIB);
    const before = peak();
    await append(writer, sql);
    await end(writer, 1);
    const afterWriting = peak();
    // Huffman codes take hexadecimal digits down to half: 30 MiB, and some room to work.
    expect(afterWriting - before).toBeLessThan(30 + 20);

    const source = await openFileSource(path);
    expect((await checkArchive(source)).damages).toEqual([]);
    await source.close();
    expect(peak() - afterWriting).toBeLessThan(60);

    const reader = await openArchive(path);
    const read = await reader.readMember(2);
    await reader.close();
    expect(read.equals(sql)).toBe(true);
    expect(peak() - afterWriting).toBeLessThan(30 + 60 + 20);
  });
});
