// Goal: what the writer wrote, the reader and plain gzip read back byte for byte.
import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArchive } from '../../src/archive/archive-reader.js';
import { SIGNATURE_LINE } from '../../src/archive/format.js';
import { sampleMembers, sampleParts, withFolder, writeArchive } from './samples.js';

test('a small archive comes back through the reader, gzip -t and zcat', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a.sql.gz');
    const members = sampleMembers();
    const texts = members.map(({ kind, sql }) =>
      kind === 'header' ? Buffer.concat([Buffer.from(SIGNATURE_LINE), sql]) : sql,
    );
    const finished = await writeArchive(path, members, sampleParts());
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path)).length).toBe(finished.size);

    const reader = await openArchive(path);
    expect(reader.index).toEqual(finished.index);
    for (const [number, sql] of texts.entries()) {
      expect(await reader.readMember(number)).toEqual(sql);
      const stored = await reader.readStored(number);
      expect(execFileSync('gzip', ['-dc'], { input: stored })).toEqual(sql);
    }
    await reader.close();

    execFileSync('gzip', ['-t', path]);
    const text = execFileSync('zcat', [path]);
    const sql = Buffer.concat(texts);
    expect(text.subarray(0, sql.length)).toEqual(sql);
    const rest = text.toString('latin1', sql.length);
    expect(rest).toMatch(/^(-- \{[\x20-\x7e]*\}\n)+$/);
  });
});
