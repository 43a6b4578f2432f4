/** Catalog entries for tests: a sound one, and generators of arbitrary ones. */
import fc from 'fast-check';
import type { CatalogEntry } from '../../src/catalog/records.js';

export function entryOf(fields: Partial<CatalogEntry> = {}): CatalogEntry {
  return {
    id: 'run-1',
    type: 'full',
    status: 'success',
    database: 'LibraryDB',
    file: 'LibraryDB_20260102_020000.sql.gz',
    startedAt: '2026-01-02T02:00:00.000Z',
    finishedAt: '2026-01-02T02:00:12.345Z',
    durationMs: 12_345,
    sizeBytes: 1_234_567,
    host: 'db1',
    trigger: 'manual',
    ...fields,
  };
}

/** Text as users have it: any characters, names that mean something to JavaScript included. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', '', '\n  },\n', '"', '\\'),
);

/** Names that a server accepts. */
export const databaseNames = fc
  .oneof(
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
    fc
      .array(fc.integer({ min: 0x4e00, max: 0x9fff }), { minLength: 1, maxLength: 64 })
      .map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom(
      'incremental_LibraryDB',
      'pre_restore_x',
      'incremental',
      '-rf',
      '..',
      'a/b',
      '%2F',
    ),
    fc.constantFrom(
      'x_20260102_020000',
      'x_20260102_020000_02',
      '20260102_020000',
      '_',
      '@0041',
      '@@QQ',
    ),
  )
  .map((name) => name.replaceAll(/[\0\u{10000}-\u{10ffff}]|\p{Surrogate}/gu, '_').slice(0, 64))
  .map((name) => name.replace(/ +$/, '_'))
  .filter((name) => name !== '');
