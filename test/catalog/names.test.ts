/** File names: built as the contract says, read back exactly, never mistaken for one another. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  databaseNameProblem,
  decodeDatabaseName,
  encodeDatabaseName,
} from '../../src/catalog/database-name.js';
import {
  compareBackupNames,
  compareText,
  formatBackupPath,
  localTimestamp,
  newBackupPath,
  parseBackupFileName,
  parseBackupPath,
  parsePartialPath,
  partialPath,
} from '../../src/catalog/names.js';
import type { BackupName } from '../../src/catalog/names.js';
import { databaseNames } from './support.js';

const free = (): boolean => false;

const backupNames: fc.Arbitrary<BackupName> = fc.record({
  kind: fc.constantFrom('full', 'incremental', 'emergency'),
  database: databaseNames,
  localTime: fc
    .date({ min: new Date('1000-01-01Z'), max: new Date('9999-12-31Z'), noInvalidDate: true })
    .map((date) => localTimestamp(date, 'UTC')),
  ordinal: fc.integer({ min: 1, max: 99 }),
});

describe('paths of the contract', () => {
  const startedAt = new Date('2026-01-02T02:00:00Z');
  test.each([
    ['full', 'LibraryDB_20260102_020000.sql.gz'],
    ['incremental', 'incremental/incremental_LibraryDB_20260102_020000.sql.gz'],
    ['emergency', 'emergency/pre_restore_LibraryDB_20260102_020000.sql.gz'],
  ] as const)('%s: %s', (kind, path) => {
    const backup = { kind, database: 'LibraryDB', startedAt, timeZone: 'UTC' };
    expect(newBackupPath(backup, free)).toBe(path);
    expect(parseBackupPath(path)).toEqual({
      kind,
      database: 'LibraryDB',
      localTime: '20260102_020000',
      ordinal: 1,
    });
  });

  test('the time is that of the time zone, at any hour and on both sides of a day', () => {
    const at = (iso: string, zone: string): string => localTimestamp(new Date(iso), zone);
    expect(at('2026-01-02T02:00:00Z', 'Asia/Kolkata')).toBe('20260102_073000');
    expect(at('2026-01-02T02:00:00Z', 'America/New_York')).toBe('20260101_210000');
    expect(at('2026-01-02T00:00:59.999Z', 'UTC')).toBe('20260102_000059');
    expect(at('2025-12-31T23:59:59Z', 'Pacific/Kiritimati')).toBe('20260101_135959');
    expect(at('2026-06-02T22:00:00Z', 'Europe/Berlin')).toBe('20260603_000000');
  });

  test('the same local second, also in the hour that comes twice, gets the next ordinal', () => {
    const taken = new Set<string>();
    const make = (iso: string): string => {
      const backup = {
        kind: 'full',
        database: 'LibraryDB',
        startedAt: new Date(iso),
        timeZone: 'Europe/Berlin',
      } as const;
      const path = newBackupPath(backup, (candidate) => taken.has(candidate));
      taken.add(path);
      return path;
    };
    expect(make('2026-10-25T00:30:00.100Z')).toBe('LibraryDB_20261025_023000.sql.gz');
    expect(make('2026-10-25T00:30:00.900Z')).toBe('LibraryDB_20261025_023000_02.sql.gz');
    expect(make('2026-10-25T01:30:00Z')).toBe('LibraryDB_20261025_023000_03.sql.gz');
    expect([...taken].sort()).toEqual([...taken]);
    const parsed = [...taken].map((path) => parseBackupPath(path)?.ordinal);
    expect(parsed).toEqual([1, 2, 3]);
    expect(() =>
      newBackupPath(
        { kind: 'full', database: 'x', startedAt: new Date(0), timeZone: 'UTC' },
        () => true,
      ),
    ).toThrow(/assertion/);
  });
});

describe('building and reading', () => {
  test('what is built reads back, with folder and without', () => {
    fc.assert(
      fc.property(backupNames, (name) => {
        const path = formatBackupPath(name);
        expect(parseBackupPath(path)).toEqual(name);
        expect(parseBackupFileName(path.slice(path.lastIndexOf('/') + 1))).toEqual(name);
      }),
    );
  });

  test('only names that would be built that way are read', () => {
    fc.assert(
      fc.property(backupNames, fc.nat(), fc.string({ maxLength: 3 }), (name, at, insert) => {
        const path = formatBackupPath(name);
        const position = at % (path.length + 1);
        const altered = path.slice(0, position) + insert + path.slice(position + 1);
        const parsed = parseBackupPath(altered);
        if (parsed !== undefined) expect(formatBackupPath(parsed)).toBe(altered);
      }),
    );
  });

  test('paths are safe everywhere: plain ASCII, short enough, no option, not hidden', () => {
    fc.assert(
      fc.property(backupNames, (name) => {
        const path = formatBackupPath(name);
        expect(path).toMatch(
          /^(?:incremental\/|emergency\/)?[A-Za-z0-9_@][A-Za-z0-9_@-]*\.sql\.gz$/,
        );
        const temporary = partialPath(path, 'a'.repeat(24));
        const fileName = temporary.slice(temporary.lastIndexOf('/') + 1);
        expect(Buffer.byteLength(fileName) + '.gpg'.length).toBeLessThanOrEqual(255);
      }),
    );
  });

  test('text order is time order, ordinals included', () => {
    fc.assert(
      fc.property(backupNames, backupNames, (left, other) => {
        const right = { ...other, kind: left.kind, database: left.database };
        const byText = compareText(formatBackupPath(left), formatBackupPath(right));
        expect(Math.sign(compareBackupNames(left, right))).toBe(byText);
      }),
    );
  });

  test.each([
    'LibraryDB.sql.gz',
    'LibraryDB_20260102_020000.sql',
    'LibraryDB_20260102_020000.sql.gz.gpg',
    'LibraryDB_20260102_020000_1.sql.gz',
    'LibraryDB_20260102_020000_00.sql.gz',
    'LibraryDB_20260102_020000_01.sql.gz',
    'LibraryDB_20260102_020000_100.sql.gz',
    'LibraryDB_20261302_020000.sql.gz',
    'LibraryDB_20260230_020000.sql.gz',
    'LibraryDB_20260102_240000.sql.gz',
    'LibraryDB_20260102_026000.sql.gz',
    '_20260102_020000.sql.gz',
    '-rf_20260102_020000.sql.gz',
    'Library DB_20260102_020000.sql.gz',
    'L@0069b_20260102_020000.sql.gz',
    'L@002F_20260102_020000.sql.gz',
    'backup_logs.json',
    './LibraryDB_20260102_020000.sql.gz',
    '../LibraryDB_20260102_020000.sql.gz',
    'incremental/LibraryDB_20260102_020000.sql.gz',
    'incremental_LibraryDB_20260102_020000.sql.gz',
    'archives/weekly/LibraryDB_20260102_020000.sql.gz',
    'LibraryDB_20260102_020000.sql.gz\n',
    '',
  ])('not ours: %j', (path) => {
    expect(parseBackupPath(path)).toBeUndefined();
  });
});

describe('database names in file names', () => {
  test.each([
    ['LibraryDB', 'LibraryDB'],
    ['my-app_2', 'my-app_2'],
    ['-rf', '@002drf'],
    ['a/b', 'a@002fb'],
    ['..', '@002e@002e'],
    ['100%', '100@0025'],
    ['größe', 'gr@00f6@00dfe'],
    ['a b', 'a@0020b'],
    ['@0041', '@00400041'],
    ['incremental_x', '@0069ncremental_x'],
    ['pre_restore_x', '@0070re_restore_x'],
    ['incremental', 'incremental'],
  ])('%s is %s', (name, encoded) => {
    expect(encodeDatabaseName(name)).toBe(encoded);
    expect(decodeDatabaseName(encoded)).toBe(name);
  });

  test('the longest name that a server takes fits and comes back', () => {
    const longest = '図'.repeat(64);
    const encoded = encodeDatabaseName(longest);
    expect(encoded).toMatch(/^@@[A-Za-z0-9_-]{171}$/);
    expect(decodeDatabaseName(encoded)).toBe(longest);
  });

  test('no two names share an encoding, and nothing else decodes', () => {
    fc.assert(
      fc.property(databaseNames, databaseNames, (left, right) => {
        expect(databaseNameProblem(left)).toBeUndefined();
        expect(decodeDatabaseName(encodeDatabaseName(left))).toBe(left);
        expect(encodeDatabaseName(left) === encodeDatabaseName(right)).toBe(left === right);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[@0-9a-fA-F_-]{1,20}$/), (encoded) => {
        const name = decodeDatabaseName(encoded);
        if (name !== undefined) expect(encodeDatabaseName(name)).toBe(encoded);
      }),
    );
  });

  test.each(['', 'x'.repeat(65), 'a\0b', '💥', '\ud800', 'ends '])('no server takes %j', (name) => {
    expect(databaseNameProblem(name)).toMatch(/^expected .* but found/);
    expect(() => encodeDatabaseName(name)).toThrow(/assertion/);
  });
});

describe('names of unfinished backups', () => {
  test('hidden, beside the finished one, and never a finished name', () => {
    fc.assert(
      fc.property(backupNames, fc.stringMatching(/^[0-9a-z]{4,24}$/), (name, id) => {
        const path = formatBackupPath(name);
        const partial = partialPath(path, id);
        expect(partial.slice(0, partial.lastIndexOf('/') + 1)).toBe(
          path.slice(0, path.lastIndexOf('/') + 1),
        );
        expect(partial.slice(partial.lastIndexOf('/') + 1)).toMatch(/^\..*\.partial$/);
        expect(parseBackupPath(partial)).toBeUndefined();
        expect(parsePartialPath(partial)).toEqual({ path, id });
        expect(parsePartialPath(path)).toBeUndefined();
      }),
    );
    expect(partialPath('LibraryDB_20260102_020000.sql.gz', '3f2a')).toBe(
      '.LibraryDB_20260102_020000.sql.gz.3f2a.partial',
    );
  });

  test('others’ partial files are not ours', () => {
    expect(parsePartialPath('.video.mp4.abcd.partial')).toBeUndefined();
    expect(() => partialPath('LibraryDB_20260102_020000.sql.gz', 'A/B')).toThrow(/assertion/);
  });
});
