/** Emergency backups: the newest stay, and every one that an unfinished recovery may need. */
import { expect, test } from 'vitest';
import type { EmergencyJournal } from '../../src/catalog/emergency-retention.js';
import { planEmergencies } from '../../src/catalog/emergency-retention.js';

const file = (day: number, database = 'LibraryDB'): string =>
  `emergency/pre_restore_${database}_2026010${day}_020000.sql.gz`;
const journal = (day: number, isFinished: boolean, files = [file(day)]): EmergencyJournal => ({
  path: `emergency/recovery_LibraryDB_2026010${day}_020000.journal`,
  database: 'LibraryDB',
  files,
  isFinished,
});
const FILES = [1, 2, 3, 4, 5].map((day) => file(day));

function plan(journals: readonly EmergencyJournal[], keep = 3, files = FILES) {
  return planEmergencies({ database: 'LibraryDB', keep, files, journals });
}

test('the newest stay, the others go, oldest first, with reasons', () => {
  const { keep, remove } = plan([]);
  expect(keep.map(({ path }) => path)).toEqual([file(5), file(4), file(3)]);
  expect(keep[0]?.reason).toBe('one of the newest 3 emergency backups');
  expect(remove).toEqual([
    { path: file(1), reason: 'older than the newest 3 emergency backups' },
    { path: file(2), reason: 'older than the newest 3 emergency backups' },
  ]);
});

test('one that an unfinished recovery names stays, however old', () => {
  const { keep, remove } = plan([journal(1, false), journal(2, true)]);
  expect(keep.at(-1)).toEqual({ path: file(1), reason: 'an unfinished recovery may need it' });
  expect(remove.map(({ path }) => path)).toEqual([file(2), journal(2, true).path]);
});

test('while a journal cannot be read nothing goes', () => {
  expect(plan([journal(3, false, [])]).remove).toEqual([]);
});

test('a finished journal goes after its backup, and never before', () => {
  const { remove } = plan([journal(1, true), journal(4, true), journal(5, true)]);
  expect(remove.map(({ path }) => path)).toEqual([file(1), file(2), journal(1, true).path]);
});

test('other databases, other files and journals of others are not judged', () => {
  const foreign = [file(1, 'Other'), 'emergency/notes.txt', 'emergency/.x.partial'];
  const others = { ...journal(1, false, []), database: 'Other' };
  const { keep, remove } = plan([others], 1, [...FILES, ...foreign]);
  expect([...keep, ...remove].map(({ path }) => path).sort()).toEqual([...FILES].sort());
  expect(remove).toHaveLength(4);
});
