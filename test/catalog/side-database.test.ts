import { describe, expect, it } from 'vitest';
import {
  sideDatabaseName,
  sideDatabasesOf,
  sideDatabaseTime,
} from '../../src/catalog/side-database.js';

const AT = new Date('2026-01-02T15:30:45Z');

describe('sideDatabaseName', () => {
  it('says whose database it is, what for and since when', () => {
    expect(sideDatabaseName('LibraryDB', 'before', AT, 'UTC')).toBe(
      'LibraryDB__before_20260102_153045',
    );
    expect(sideDatabaseName('LibraryDB', 'staging', AT, 'Europe/Berlin')).toBe(
      'LibraryDB__staging_20260102_163045',
    );
  });

  it.each(['before', 'staging', 'undone'] as const)('fits a name of 64 characters: %s', (role) => {
    const long = 'é'.repeat(64);
    const name = sideDatabaseName(long, role, AT, 'UTC');
    expect(name).toHaveLength(64);
    expect(sideDatabaseTime(name, long, role)).toBe('20260102_153045');
  });
});

describe('sideDatabasesOf', () => {
  it('finds those of this database and role alone, oldest first', () => {
    const names = [
      'LibraryDB__before_20260103_000000',
      'librarydb__before_20260102_153045',
      'LibraryDB__before_2026',
      'LibraryDB__staging_20260102_153045',
      'Other__before_20260102_153045',
      'LibraryDB',
      'XLibraryDB__before_20260102_153045',
    ];
    expect(sideDatabasesOf(names, 'LibraryDB', 'before')).toEqual([
      'librarydb__before_20260102_153045',
      'LibraryDB__before_20260103_000000',
    ]);
  });
});
