/** Rebuilding keeps what is known, salvaging finds what is whole, trimming keeps what is needed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRebuilt, salvageEntries, trimEntries } from '../../src/catalog/merge.js';
import { formatCatalog } from '../../src/catalog/records.js';
import type { CatalogEntry } from '../../src/catalog/records.js';
import { anyText, entryOf } from './support.js';

const verification = { status: 'success', method: 'restore', runId: 'v' } as const;

describe('merging what was found in the backups', () => {
  test('new ones are added in order of time, known ones keep what the backup cannot tell', () => {
    const known = [
      entryOf({
        id: 'b',
        file: 'b',
        startedAt: '2026-01-02T00:00:00Z',
        verification,
        trigger: 'schedule',
      }),
      entryOf({ id: 'v', type: 'verify', file: 'b', startedAt: '2026-01-03T00:00:00Z' }),
    ];
    const rebuilt = [
      entryOf({ id: 'b', file: 'b', startedAt: '2026-01-02T00:00:00Z', rows: 7 }),
      entryOf({ id: 'a', file: 'a', startedAt: '2026-01-01T00:00:00Z' }),
    ];
    const merged = mergeRebuilt(known, rebuilt);
    expect(merged.map(({ id }) => id)).toEqual(['a', 'b', 'v']);
    expect(merged[1]).toMatchObject({ verification, trigger: 'schedule', rows: 7 });
    expect(mergeRebuilt(merged, rebuilt)).toEqual(merged);
  });

  test('one that was marked as removed is listed again, the same file under another id once', () => {
    const removed = entryOf({ id: 'x', removedAt: '2026-01-05T00:00:00Z', removedReason: 'old' });
    const [again, ...more] = mergeRebuilt([removed], [entryOf({ id: 'y' })]);
    expect(more).toEqual([]);
    expect(again).toEqual(entryOf({ id: 'x' }));
  });

  test('a run that failed stays failed, whatever file it left', () => {
    const error = { code: 'IO', message: 'x' };
    const failed = entryOf({ id: 'x', status: 'failed', file: null, error });
    expect(mergeRebuilt([failed], [entryOf({ id: 'x', rows: 7 })])).toEqual([failed]);
  });

  test('a file with other content is another backup', () => {
    const merged = mergeRebuilt(
      [entryOf({ id: 'x', verification })],
      [entryOf({ id: 'y', sizeBytes: 9 })],
    );
    expect(merged.map(({ id }) => id)).toEqual(['x', 'y']);
    expect(merged[1]?.verification).toBeUndefined();
  });
});

describe('salvaging', () => {
  const entries = fc.uniqueArray(
    fc.record({ id: anyText.filter((id) => id !== ''), database: anyText, note: anyText }),
    { selector: ({ id }) => id, maxLength: 8 },
  );

  test('a sound catalog comes back whole', () => {
    fc.assert(
      fc.property(entries, (some) => {
        const catalog = some.map((fields) => entryOf(fields));
        expect(salvageEntries(formatCatalog(catalog))).toEqual(catalog);
      }),
    );
  });

  test('cut anywhere, every entry before the cut comes back', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (some, at) => {
        const catalog = some.map((fields) => entryOf(fields));
        const text = formatCatalog(catalog);
        const cut = text.slice(0, at % text.length);
        const whole = catalog.filter((_, index) =>
          cut.startsWith(formatCatalog(catalog.slice(0, index + 1)).slice(0, -3)),
        );
        expect(salvageEntries(cut)).toEqual(whole);
      }),
    );
  });

  test('one spoilt entry does not cost the others, and nothing is made up', () => {
    const [first, second, third] = ['a', 'b', 'c'].map((id) => entryOf({ id }));
    const text = formatCatalog([first, second, third] as CatalogEntry[]);
    const spoilt = text.replace('"id": "b"', '"id": "b');
    expect(salvageEntries(spoilt)).toEqual([first, third]);
    expect(salvageEntries(text.replace('"id": "b"', '"id": "a"'))).toEqual([first, third]);
    expect(salvageEntries('\0\0\0')).toEqual([]);
  });
});

describe('trimming', () => {
  const ids = (entries: readonly CatalogEntry[]): string[] => entries.map(({ id }) => id);
  const named = (id: string, fields: Partial<CatalogEntry> = {}): CatalogEntry =>
    entryOf({ id, file: id, ...fields });

  test('the newest stay, and older ones whose backup exists', () => {
    const entries = ['a', 'b', 'c', 'd', 'e'].map((id) => named(id));
    expect(ids(trimEntries(entries, 2, (path) => path === 'b'))).toEqual(['b', 'd', 'e']);
    expect(ids(trimEntries(entries, 9, () => false))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('what a kept incremental builds on stays, directly or not', () => {
    const entries = [
      named('full'),
      named('other'),
      named('i1', { type: 'incremental', baseId: 'full' }),
      named('i2', { type: 'incremental', baseId: 'i1' }),
      named('last'),
    ];
    expect(ids(trimEntries(entries, 1, (path) => path === 'i2'))).toEqual([
      'full',
      'i1',
      'i2',
      'last',
    ]);
  });

  test('checks of an existing backup do not stay for its sake; an emergency backup does', () => {
    const entries = [
      named('v', { type: 'verify', file: 'b' }),
      named('r', { type: 'recover', emergencyFile: 'e' }),
      named('last'),
    ];
    expect(ids(trimEntries(entries, 1, (path) => path === 'b' || path === 'e'))).toEqual([
      'r',
      'last',
    ]);
  });
});
