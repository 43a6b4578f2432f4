/** Journals on disk: found again, gone on with, and torn ones repaired. */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newJournalPath } from '../../src/catalog/names.js';
import { ensureBackupDirectory } from '../../src/catalog/store-files.js';
import {
  createJournal,
  findJournals,
  findUnfinishedJournals,
  reopenJournal,
} from '../../src/catalog/store-journal.js';
import { BEGIN, ROLLED_BACK } from './journal-records.js';

let directory: string;
const now = (): Date => new Date('2026-01-02T15:30:45Z');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reshelve-journal-'));
  await ensureBackupDirectory(directory);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function pathFor(database = 'LibraryDB', taken = false): string {
  const request = { database, startedAt: now(), timeZone: 'UTC' };
  let asked = 0;
  return join(
    directory,
    newJournalPath(request, () => taken && asked++ === 0),
  );
}

test('its name is that of the emergency backup beside it', () => {
  expect(pathFor()).toBe(join(directory, 'emergency/recovery_LibraryDB_20260102_153045.journal'));
  expect(pathFor('LibraryDB', true)).toMatch(/153045_02\.journal$/);
});

test('private, and there with its first record as soon as it is created', async () => {
  const journal = await createJournal(pathFor(), 'recover', BEGIN, now);
  expect(statSync(journal.path).mode & 0o777).toBe(0o600);
  expect(readFileSync(journal.path, 'utf8').split('\n')).toHaveLength(2);
  await journal.close();
  await journal.close();
  expect(await findUnfinishedJournals(directory)).toMatchObject([
    { database: 'LibraryDB', state: { phase: 'unchanged', begin: { pid: 4711 } } },
  ]);
});

test('every record is in the file when append resolves', async () => {
  const journal = await createJournal(pathFor(), 'recover', BEGIN, now);
  for (const [at, step] of ROLLED_BACK.slice(1).entries()) {
    await journal.append(step);
    const [found] = await findJournals(directory);
    expect(found?.state?.lastStep).toBe(step.step);
    expect(readFileSync(journal.path, 'utf8').split('\n')).toHaveLength(at + 3);
  }
  await journal.close();
  expect(await findUnfinishedJournals(directory)).toEqual([]);
  expect(await findJournals(directory)).toHaveLength(1);
});

test('a torn last record is cut off before the next one is written', async () => {
  const journal = await createJournal(pathFor(), 'recover', BEGIN, now);
  await journal.close();
  appendFileSync(journal.path, '{"at":"2026-01-02T15:3');
  const again = await reopenJournal(journal.path, now);
  expect(again.state.phase).toBe('unchanged');
  const [, step] = ROLLED_BACK;
  if (step !== undefined) await again.append(step);
  await again.close();
  const [found] = await findJournals(directory);
  expect(found?.state).toMatchObject({ lastStep: 'emergency' });
});

test('a damaged one is found, says why, and counts as unfinished', async () => {
  const journal = await createJournal(pathFor(), 'recover', BEGIN, now);
  await journal.close();
  const text = readFileSync(journal.path, 'utf8');
  writeFileSync(journal.path, text.replace('LibraryDB', 'LibraryDC'));
  const found = await findUnfinishedJournals(directory);
  expect(found).toMatchObject([{ database: 'LibraryDB', problem: { code: 'JOURNAL_DAMAGED' } }]);
  await expect(reopenJournal(journal.path, now)).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' });
});

test('one whose first record was torn is none, since its run had done nothing', async () => {
  writeFileSync(pathFor(), '{"at":');
  expect(await findUnfinishedJournals(directory)).toEqual([]);
});

test('a directory that does not exist has none', async () => {
  expect(await findUnfinishedJournals(join(directory, 'nowhere'))).toEqual([]);
});
