// Goal: the check finds all damage. Method: a small archive with every bit flipped, cut at every
// byte, with members swapped, dropped and doubled; a check that finds nothing is the failure.
import { expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/archive-check-file.js';
import type { CheckOptions, CheckReport } from '../../src/archive/archive-check-file.js';
import { openArchiveSource } from '../../src/archive/archive-reader.js';
import { memorySource } from '../../src/archive/byte-source.js';
import { probeSource } from '../../src/archive/probe-file.js';
import { flipBit, rearrangements, splitMembers } from './damage.js';
import { encodeAsFormat } from './later-format.js';
import { sampleArchive, smallestArchive } from './samples.js';

const archive = await sampleArchive();
const members = splitMembers(archive);

function check(bytes: Buffer, options: CheckOptions = {}): Promise<CheckReport> {
  return checkArchive(memorySource(bytes), options);
}

async function kindOf(bytes: Buffer): Promise<string> {
  return (await probeSource(memorySource(bytes))).kind;
}

/** Reads everything that a restore would; true where nothing was refused. */
async function readsAsSound(bytes: Buffer): Promise<boolean> {
  try {
    const reader = await openArchiveSource(memorySource(bytes));
    for (const { number } of reader.members()) await reader.readMember(number);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'DAMAGED' });
    return false;
  }
}

test('a sound archive has no damage, quick or deep', async () => {
  const quick = await check(archive);
  expect(quick.damages).toEqual([]);
  expect(quick.membersChecked).toBe(members.length - 2);
  let sqlBytes = 0;
  const deep = await check(archive, {
    deep: async (_, pieces) => {
      for await (const piece of pieces) sqlBytes += piece.length;
      return [];
    },
  });
  expect(deep).toMatchObject({ damages: [], deep: true });
  expect(sqlBytes).toBe(deep.index?.header.totals.sqlBytes);
  expect(await readsAsSound(archive)).toBe(true);
});

test('every flipped bit is found, and the file still counts as ours', async () => {
  const missed: number[] = [];
  const small = await smallestArchive();
  for (let bit = 0; bit < small.length * 8; bit += 1) {
    const damaged = flipBit(small, bit);
    const { damages } = await check(damaged);
    if (damages.length === 0 || (await kindOf(damaged)) !== 'reshelve') missed.push(bit);
  }
  expect(missed).toEqual([]);
});

test('every flipped bit stops the reader too, and a deep check finds it', async () => {
  const missed: number[] = [];
  // A step without a common factor with 8 meets each bit of a byte alike.
  for (let bit = 0; bit < archive.length * 8; bit += 7) {
    const damaged = flipBit(archive, bit);
    const { damages } = await check(damaged, { deep: () => [] });
    if (damages.length === 0 || (await readsAsSound(damaged))) missed.push(bit);
  }
  expect(missed).toEqual([]);
});

test('a cut at every byte is found', async () => {
  const missed: number[] = [];
  for (let length = 0; length < archive.length; length += 1) {
    const damaged = archive.subarray(0, length);
    const { damages } = await check(damaged);
    if (damages.length === 0) missed.push(length);
    // With less than one header left there is nothing to know it by.
    if (length >= 30) expect(await kindOf(damaged), `cut at ${length}`).toBe('reshelve');
  }
  expect(missed).toEqual([]);
});

test('a lost start is found, and the rest still counts as ours', async () => {
  for (let from = 1; from <= archive.length - 96; from += 13) {
    const damaged = archive.subarray(from);
    expect((await check(damaged)).damages).not.toEqual([]);
    expect(await kindOf(damaged), `from ${from}`).toBe('reshelve');
  }
});

test('appended bytes are found', async () => {
  for (const extra of [Buffer.alloc(1), Buffer.alloc(96), Buffer.from('text'), archive]) {
    const damaged = Buffer.concat([archive, extra]);
    const { damages } = await check(damaged);
    expect(damages).not.toEqual([]);
    expect(await readsAsSound(damaged)).toBe(false);
  }
});

test('a byte inserted or removed anywhere is found', async () => {
  for (let at = 0; at < archive.length; at += 5) {
    const before = archive.subarray(0, at);
    const inserted = Buffer.concat([before, Buffer.from([0x42]), archive.subarray(at)]);
    const removed = Buffer.concat([before, archive.subarray(at + 1)]);
    expect((await check(inserted)).damages, `inserted at ${at}`).not.toEqual([]);
    expect((await check(removed)).damages, `removed at ${at}`).not.toEqual([]);
  }
});

test('members swapped, dropped or doubled are found', async () => {
  let cases = 0;
  for (const { what, bytes } of rearrangements(archive)) {
    expect((await check(bytes)).damages, what).not.toEqual([]);
    expect(await readsAsSound(bytes), what).toBe(false);
    cases += 1;
  }
  expect(cases).toBeGreaterThan(70);
});

test('damage names its member, table and place', async () => {
  const loans = members.slice(0, 4).reduce((sum, member) => sum + member.length, 0);
  const { damages } = await check(flipBit(archive, (loans + 40) * 8));
  expect(damages).toEqual([
    {
      message: expect.stringMatching(/^expected SHA-256 [0-9a-f]{64} but found /) as string,
      offset: loans,
      member: 4,
      table: 'LOAN',
    },
  ]);
});

test('with the footer gone the index is still found, and names what is missing', async () => {
  const kept = members.filter((_, position) => position !== 4 && position !== members.length - 1);
  const report = await check(Buffer.concat(kept));
  expect(report.index?.header.database).toBe('LibraryDB');
  const messages = report.damages.map(({ message }) => message);
  expect(messages[0]).toMatch(/^footer: /);
  expect(report.damages).toContainEqual(
    expect.objectContaining({
      member: 4,
      table: 'LOAN',
      message: expect.stringContaining('missing') as string,
    }),
  );
});

test('with index and footer gone each damaged member is still named', async () => {
  const bytes = Buffer.concat(members.slice(0, -2));
  const start = (members[0]?.length ?? 0) + 35;
  const report = await check(flipBit(bytes, start * 8));
  expect(report.index).toBeNull();
  expect(report.membersChecked).toBe(members.length - 2);
  const numbers = report.damages.map(({ member }) => member);
  expect(numbers).toContain(1);
  expect(numbers).not.toContain(2);
});

test('problems that a deep check is told of become damage of that member', async () => {
  const { damages } = await check(archive, {
    deep: ({ kind }) => (kind === 'data' ? ['rows differ'] : []),
  });
  expect(damages.map(({ message, table }) => `${table ?? ''}: ${message}`)).toEqual([
    'BOOK: rows differ',
    'LOAN: rows differ',
  ]);
});

test('an archive of a later format is refused, not called damaged', async () => {
  const later = encodeAsFormat(archive, 2);
  await expect(check(later)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  await expect(openArchiveSource(memorySource(later))).rejects.toMatchObject({
    code: 'FORMAT_TOO_NEW',
    message: expect.stringMatching(/^memory: footer: archive format 2 .* than 1,/) as string,
  });
  const cut = later.subarray(0, later.length - 10);
  await expect(check(cut)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  expect(await kindOf(later)).toBe('reshelve');
});

test('a signal stops the check', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(check(archive, { signal })).rejects.toThrow('stopped');
});

test('progress rises to the bytes of all members', async () => {
  const seen: number[] = [];
  await check(archive, { onProgress: (done) => seen.push(done), parallel: 1 });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  const { footer } = await openArchiveSource(memorySource(archive));
  expect(seen.at(-1)).toBe(footer.indexOffset);
});

test('a failure to read is thrown, not reported as damage', async () => {
  const source = memorySource(archive);
  let reads = 0;
  const failing = {
    ...source,
    read: (offset: number, length: number) => {
      reads += 1;
      return reads > 3
        ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
        : source.read(offset, length);
    },
  };
  await expect(checkArchive(failing)).rejects.toThrow('EIO');
});
