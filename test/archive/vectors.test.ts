// Goal: the committed archives are judged as test/vectors/archive/expectations.json says, for ever.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import { openArchiveSource } from '../../src/archive/archive-reader.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { probeSource } from '../../src/archive/probe-file.js';
import { ReshelveError } from '../../src/errors.js';
import { insertPrefix } from '../../src/sql/archive-text.js';
import { combineDigests } from '../../src/sql/digest.js';
import type { TableDigest } from '../../src/sql/digest.js';
import { digestImages, parseInserts } from '../../src/sql/insert-parser.js';
import { sha256 } from './samples.js';
import { SOUND_VECTOR, VECTORS_FOLDER, makeOtherVectors, makeSoundVector } from './vectors.js';

const EXPECTATIONS = join(VECTORS_FOLDER, 'expectations.json');
const isUpdate = process.env['UPDATE_VECTORS'] === '1';

interface Verdict {
  readonly kind: string;
  /** What opening it leads to: `sound`, or an error's code and message. */
  readonly open: string;
  /** What the check reports, or the code of what it throws. */
  readonly check: unknown;
  readonly members?: readonly string[];
}

async function judge(name: string): Promise<Verdict> {
  const bytes = await readFile(join(VECTORS_FOLDER, name));
  const source = memorySource(bytes, name);
  const { kind } = await probeSource(source);
  const check = await checkArchive(source).then(
    ({ damages }) => damages,
    (error: unknown) => codeOf(error),
  );
  try {
    const reader = await openArchiveSource(source);
    const members: string[] = [];
    for (const { number } of reader.members())
      members.push(sha256(await reader.readMember(number)));
    return { kind, open: 'sound', check, members };
  } catch (error) {
    return { kind, open: codeOf(error), check };
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof ReshelveError)) throw error;
  return `${error.code}: ${error.message}`;
}

async function update(): Promise<void> {
  const sound = await makeSoundVector();
  await writeFile(join(VECTORS_FOLDER, SOUND_VECTOR), sound);
  const verdicts: Record<string, Verdict> = { [SOUND_VECTOR]: await judge(SOUND_VECTOR) };
  for (const [name, bytes] of makeOtherVectors(sound)) {
    await writeFile(join(VECTORS_FOLDER, name), bytes);
    verdicts[name] = await judge(name);
  }
  await writeFile(EXPECTATIONS, `${JSON.stringify(verdicts, null, 1)}\n`);
}

if (isUpdate) await update();
const expectations = JSON.parse(await readFile(EXPECTATIONS, 'utf8')) as Record<string, Verdict>;

test('every vector has an expectation, and the other way round', async () => {
  const files = (await readdir(VECTORS_FOLDER)).filter((name) => name.endsWith('.gz'));
  expect(files.sort()).toEqual(Object.keys(expectations).sort());
});

test.each(Object.entries(expectations))('%s is judged as expected', async (name, expected) => {
  expect(await judge(name)).toEqual(expected);
});

test('only the sound one is sound', () => {
  const sound = Object.keys(expectations).filter((name) => expectations[name]?.open === 'sound');
  expect(sound).toEqual([SOUND_VECTOR]);
  for (const [name, { check, kind }] of Object.entries(expectations)) {
    const isOfOurs = kind === 'reshelve';
    expect(isOfOurs, name).toBe(name !== 'recompressed.sql.gz' && name !== 'foreign.sql.gz');
    if (name !== SOUND_VECTOR) expect(check, name).not.toEqual([]);
  }
});

test('the digests of the sound one are those of its rows', async () => {
  const bytes = await readFile(join(VECTORS_FOLDER, SOUND_VECTOR));
  const reader = await openArchiveSource(memorySource(bytes));
  const [book] = reader.index.tables;
  const prefix = insertPrefix('BOOK', book?.columns.map(({ name }) => name) ?? []);
  const parts: TableDigest[] = [];
  for (const { kind, number, range, table } of reader.members()) {
    if (kind !== 'data' || table !== 'BOOK') continue;
    const sql = await reader.readMember(number);
    const part = digestImages(parseInserts(sql, prefix, book?.columns ?? []).images);
    expect(reader.index.ranges[range ?? -1]).toMatchObject(part);
    parts.push(part);
  }
  expect(parts.length).toBe(2);
  const { rows, ...digest } = combineDigests(parts);
  expect(book).toMatchObject({ rows, digest });
});
