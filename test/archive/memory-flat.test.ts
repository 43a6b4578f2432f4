// Goal: memory stays flat however many members there are. Method: the high-water mark of this
// process, which runs only this file.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { openFileSource } from '../../src/archive/byte-source.js';
import { MIB, append, begin, end, hexText, peak } from './memory.js';
import { withFolder } from './samples.js';

test('a hundred more members cost no more memory, to write and to check', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a');
    const writer = await begin(path);
    const block = hexText(2 * MIB);
    for (let count = 0; count < 20; count += 1) await append(writer, Buffer.from(block));
    const before = peak();
    for (let count = 0; count < 100; count += 1) await append(writer, Buffer.from(block));
    await end(writer, 120);
    const afterWriting = peak();
    const source = await openFileSource(path);
    const report = await checkArchive(source, { deep: () => [], parallel: 2 });
    await source.close();
    expect(report.damages).toEqual([]);
    // 200 MiB of SQL went through.
    expect(afterWriting - before).toBeLessThan(40);
    expect(peak() - afterWriting).toBeLessThan(60);
  });
});
