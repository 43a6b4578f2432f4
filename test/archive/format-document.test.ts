// Goal: docs/FORMAT.md is enough for a stranger. Method: the Python reader printed in it, which
// shares nothing with our code, reads our archives and recomputes their digests.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { openArchiveSource } from '../../src/archive/archive-reader.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { MEMBER_KIND_CODES } from '../../src/archive/member-kinds.js';
import { flipBit } from './damage.js';
import { sha256, smallestArchive, withFolder } from './samples.js';
import { SOUND_VECTOR, VECTORS_FOLDER } from './vectors.js';

const SOUND = join(VECTORS_FOLDER, SOUND_VECTOR);

/** Prints what the stranger's reader makes of an archive. */
const REPORT = `
import sys
index, members = read_archive(sys.argv[1])
tables = {table["name"]: table for table in index["table"]}
found = {}
for name, table in tables.items():
    data = [sql for sql, member in zip(members, index["member"])
            if member["kind"] == "data" and member["table"] == name]
    found[name] = digest(table, data)
print(json.dumps({"index": index, "digests": found,
                  "members": [hashlib.sha256(sql).hexdigest() for sql in members]}))
`;

/** Flips one bit at a time, every eleventh, prints those that the stranger's reader does not see. */
const FLIPS = `
import os, sys
data, missed = open(sys.argv[1], "rb").read(), []
path = sys.argv[1] + ".flipped"
for bit in range(0, len(data) * 8, 11):
    copy = bytearray(data)
    copy[bit // 8] ^= 1 << bit % 8
    with open(path, "wb") as file:
        file.write(copy)
    try:
        read_archive(path)
        missed.append(bit)
    except (ValueError, KeyError, IndexError, zlib.error, struct.error):
        pass
print(json.dumps(missed))
`;

let reader = '';
let document = '';

beforeAll(async () => {
  document = await readFile('docs/FORMAT.md', 'utf8');
  const blocks = [...document.matchAll(/```python\n(.*?)```/gs)].map((match) => match[1]);
  expect(blocks.length).toBe(2);
  reader = blocks.join('\n');
});

async function runPython(program: string, archive: string): Promise<unknown> {
  return withFolder(async (folder) => {
    const path = join(folder, 'reader.py');
    await writeFile(path, reader + program);
    return JSON.parse(execFileSync('python3', [path, archive], { encoding: 'utf8' })) as unknown;
  });
}

test('the reader of the document reads the sound archive, and its digests are right', async () => {
  const ours = await openArchiveSource(memorySource(await readFile(SOUND)));
  const hashes: string[] = [];
  for (const { number } of ours.members()) hashes.push(sha256(await ours.readMember(number)));
  const { header, tables, ranges, objects, members } = ours.index;
  const digests = tables.map(({ name, rows, digest }) => [name, { rows, ...digest }] as const);
  expect(await runPython(REPORT, SOUND)).toEqual({
    index: {
      archive: [{ format: 1, ...header }],
      table: tables,
      range: ranges,
      object: objects,
      change: [],
      member: members,
      end: [
        {
          tables: tables.length,
          ranges: ranges.length,
          objects: objects.length,
          members: members.length,
        },
      ],
    },
    members: hashes,
    digests: Object.fromEntries(digests),
  });
});

test('the reader of the document sees a flipped bit wherever it is', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a.sql.gz');
    await writeFile(path, await smallestArchive());
    expect(await runPython(FLIPS, path)).toEqual([]);
  });
});

test('the commands of the document give what they say', async () => {
  const shell = (command: string): string =>
    execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  shell(`gunzip -t ${SOUND}`);
  const index = shell(`gunzip -c ${SOUND} | grep '^-- {' | cut -c4-`).trim().split('\n');
  const ours = await openArchiveSource(memorySource(await readFile(SOUND)));
  const { tables, ranges, objects, members } = ours.index;
  const lines = 2 + tables.length + ranges.length + objects.length + members.length;
  expect(index.map((line) => Object.keys(JSON.parse(line) as object).length)).toEqual(
    Array.from({ length: lines }, () => 1),
  );
  for (const { number, offset, storedLength } of members) {
    const command = `tail -c +$((${offset} + 1)) ${SOUND} | head -c ${storedLength} | gunzip`;
    expect(shell(`${command} | sha256sum`).slice(0, 64)).toBe(
      sha256(await ours.readMember(number)),
    );
  }
});

test('the document names every kind of member with its code', () => {
  for (const [kind, code] of Object.entries(MEMBER_KIND_CODES)) {
    expect(document).toContain(`\n| ${code} | \`${kind}\` |`);
  }
});

test('the document names every field of the index', async () => {
  const { index } = await openArchiveSource(memorySource(await readFile(SOUND)));
  const fields = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) fields.add(key);
      collect(inner);
    }
  };
  const { header, tables, ranges, objects, members } = index;
  for (const entry of [header, ...tables, ...ranges, ...objects, ...members]) collect(entry);
  expect(fields.size).toBeGreaterThan(40);
  for (const field of fields) expect(document, field).toMatch(new RegExp(`\\b${field}\\b`));
});

test('our check agrees with the document on a damaged file', async () => {
  const damaged = flipBit(await readFile(SOUND), 12_345);
  expect((await checkArchive(memorySource(damaged))).damages.length).toBe(1);
});
