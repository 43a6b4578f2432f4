/** Retention: cases with their reasons, then a second model written as rules over the outcome. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDatabaseName } from '../../src/catalog/database-name.js';
import type { CatalogEntry } from '../../src/catalog/records.js';
import { planRetention } from '../../src/catalog/retention.js';
import type { RetentionInput, RetentionPlan } from '../../src/catalog/retention.js';
import { entryOf } from './support.js';

const NOW = new Date('2026-02-01T00:00:00Z');
const FAILED = { code: 'IO', message: 'x' };
const proven = { status: 'success', method: 'restore', runId: 'v' } as const;
const checked = { status: 'success', method: 'file', runId: 'v' } as const;
const refuted = { status: 'failed', method: 'restore', runId: 'v' } as const;

/** A full backup of the given day of January. */
function full(day: number, fields: Partial<CatalogEntry> = {}): CatalogEntry {
  const date = `202601${String(day).padStart(2, '0')}`;
  const database = fields.database ?? 'LibraryDB';
  return entryOf({
    id: `full-${day}`,
    file: `${encodeDatabaseName(database)}_${date}_020000.sql.gz`,
    startedAt: `2026-01-${String(day).padStart(2, '0')}T02:00:00Z`,
    ...fields,
  });
}

function plan(entries: CatalogEntry[], fields: Partial<RetentionInput> = {}): RetentionPlan {
  const existingFiles = new Set(entries.flatMap(({ file }) => (file === null ? [] : [file])));
  return planRetention({
    entries,
    existingFiles,
    database: 'LibraryDB',
    keepFulls: 2,
    now: NOW,
    ...fields,
  });
}

function shown({ keep, remove, unlisted }: RetentionPlan): Record<string, unknown> {
  return {
    keep: keep.map(({ entry, reasons }) => [entry.id, ...reasons]),
    remove: remove.map(({ entry, reason }) => [entry.id, reason]),
    unlisted,
  };
}

describe('cases', () => {
  test('the newest stay, the older go, oldest first', () => {
    expect(shown(plan([full(1), full(2), full(3), full(4, { status: 'warning' })]))).toEqual({
      keep: [
        ['full-4', 'one of the newest 2 full backups'],
        ['full-3', 'one of the newest 2 full backups'],
      ],
      remove: [
        ['full-1', 'older than the newest 2 full backups'],
        ['full-2', 'older than the newest 2 full backups'],
      ],
      unlisted: [],
    });
  });

  test('failed runs do not count, even where they name a file', () => {
    const entries = [full(1), full(2), full(3, { status: 'failed', error: FAILED })];
    expect(shown(plan(entries))).toMatchObject({ remove: [] });
  });

  test('the newest proven one stays beside the newest ones, and one checked more lightly too', () => {
    const entries = [
      full(1, { verification: proven }),
      full(2, { verification: proven }),
      full(3, { verification: checked }),
      full(4, { verification: checked }),
      full(5),
      full(6),
    ];
    expect(shown(plan(entries))).toEqual({
      keep: [
        ['full-6', 'one of the newest 2 full backups'],
        ['full-5', 'one of the newest 2 full backups'],
        ['full-4', 'the newest verified one'],
        ['full-2', 'the newest one proven by a test restore'],
      ],
      remove: [
        ['full-1', 'older than the newest 2 full backups'],
        ['full-3', 'older than the newest 2 full backups'],
      ],
      unlisted: [],
    });
  });

  test('one that failed verification does not count, and goes when enough newer ones are good', () => {
    const entries = [full(1), full(2, { verification: refuted }), full(3)];
    expect(shown(plan(entries))).toEqual({
      keep: [
        ['full-3', 'one of the newest 2 full backups'],
        ['full-2', 'failed verification; newer ones are too few yet'],
        ['full-1', 'one of the newest 2 full backups'],
      ],
      remove: [],
      unlisted: [],
    });
    expect(shown(plan([...entries, full(4)]))).toMatchObject({
      remove: [
        ['full-1', 'older than the newest 2 full backups'],
        ['full-2', 'failed verification, and 2 newer full backups are good'],
      ],
    });
  });

  test('an incremental keeps its whole chain', () => {
    const incremental = (id: string, baseId: string): CatalogEntry =>
      entryOf({ id, type: 'incremental', baseId, file: `incremental/${id}` });
    const entries = [
      full(1),
      incremental('i1', 'full-1'),
      incremental('i2', 'i1'),
      full(2),
      full(3),
    ];
    const kept = plan(entries, {
      existingFiles: new Set([...files(entries)].filter((path) => !path.endsWith('i1'))),
    });
    expect(shown(kept)).toMatchObject({ remove: [] });
    expect(shown(kept)).toHaveProperty('keep.2', ['full-1', 'an incremental backup builds on it']);
    const gone = new Set([...files(entries)].filter((path) => !path.startsWith('incremental/')));
    expect(plan(entries, { existingFiles: gone }).remove.map(({ entry }) => entry.id)).toEqual([
      'full-1',
    ]);
  });

  test('a clock that was wrong: the future is not judged, what was just made stays', () => {
    const entries = [full(1), full(2), full(3), full(20), full(21)];
    const input = { now: new Date('2026-01-10T00:00:00Z'), protectedIds: new Set(['full-1']) };
    expect(shown(plan([...entries, full(4)], input))).toEqual({
      keep: [
        ['full-21', 'dated in the future, so not judged'],
        ['full-20', 'dated in the future, so not judged'],
        ['full-4', 'one of the newest 2 full backups'],
        ['full-3', 'one of the newest 2 full backups'],
        ['full-1', 'in use by this run'],
      ],
      remove: [['full-2', 'older than the newest 2 full backups']],
      unlisted: [],
    });
  });

  test('others’ files and names that are not ours are never touched', () => {
    const entries = [
      full(1, { database: 'Other' }),
      full(2, { file: 'important.sql.gz' }),
      full(3, { file: '/etc/LibraryDB_20260103_020000.sql.gz' }),
      full(4, { file: 'incremental/incremental_LibraryDB_20260104_020000.sql.gz' }),
      full(5, { file: 'Other_20260105_020000.sql.gz' }),
      full(6, { type: 'verify' }),
      full(7, { removedAt: '2026-01-09T00:00:00Z' }),
      full(8),
      full(9),
    ];
    const { remove, unlisted } = plan(entries);
    expect(remove).toEqual([]);
    expect(unlisted).toEqual(['LibraryDB_20260107_020000.sql.gz']);
  });

  test('a file that two entries claim stays, and does not count', () => {
    const twin = full(1, { id: 'twin' });
    const { keep, remove } = plan([full(1), twin, full(2), full(3), full(4)]);
    expect(remove.map(({ entry }) => entry.id)).toEqual(['full-2']);
    expect(keep.map(({ entry }) => entry.id)).toEqual(['full-4', 'full-3', 'twin', 'full-1']);
  });

  test.each([0, -1, 1.5, Number.NaN])('keeping %d is a defect of the caller', (keepFulls) => {
    expect(() => plan([], { keepFulls })).toThrow(/assertion/);
  });
});

function files(entries: readonly CatalogEntry[]): Set<string> {
  return new Set(entries.flatMap(({ file }) => (file === null ? [] : [file])));
}

const entries = fc
  .array(
    fc.record({
      day: fc.integer({ min: 1, max: 28 }),
      type: fc.constantFrom('full', 'full', 'full', 'incremental', 'incremental', 'verify'),
      status: fc.constantFrom('success', 'success', 'success', 'success', 'warning', 'failed'),
      database: fc.constantFrom(...Array<string>(8).fill('LibraryDB'), 'Other', 'Library'),
      verification: fc.constantFrom(undefined, proven, checked, refuted),
      base: fc.nat({ max: 13 }),
      isRemoved: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    }),
    { minLength: 3, maxLength: 14 },
  )
  .map((rows) =>
    rows.map(({ day, type, status, database, verification, base, isRemoved }, index) => ({
      ...full(day, { database, type, status, id: `run-${index}` }),
      ...(status === 'failed' ? { error: FAILED } : {}),
      ...(verification === undefined ? {} : { verification }),
      ...(type === 'incremental' ? { baseId: `run-${base}`, file: `incremental/${index}` } : {}),
      ...(isRemoved ? { removedAt: '2026-01-30T00:00:00Z' } : {}),
    })),
  );

const inputs = fc
  .record({
    entries,
    keepFulls: fc.integer({ min: 1, max: 4 }),
    today: fc.integer({ min: 10, max: 31 }),
    missing: fc.array(fc.nat({ max: 13 }), { maxLength: 5 }),
    protectedIndex: fc.nat({ max: 30 }),
    strangers: fc.subarray([
      'x.sql.gz',
      'LibraryDB_20251231_235959.sql.gz',
      'Other_20251231_235959.sql.gz',
    ]),
  })
  .map(
    ({ entries: some, keepFulls, today, missing, protectedIndex, strangers }): RetentionInput => {
      const gone = new Set(missing.map((index) => some[index]?.file));
      return {
        entries: some,
        existingFiles: new Set([...files(some), ...strangers].filter((path) => !gone.has(path))),
        database: 'LibraryDB',
        keepFulls,
        now: new Date(`2026-01-${today}T12:00:00Z`),
        protectedIds: new Set([`run-${protectedIndex}`]),
      };
    },
  );

/**
 * The oracle asks of one entry alone whether it must go, by counting what outranks it: no sorting,
 * no windows, no reasons.
 */
function mustGo(entry: CatalogEntry, input: RetentionInput): boolean {
  const exists = (one: CatalogEntry): boolean =>
    one.file !== null &&
    input.existingFiles.has(one.file) &&
    one.removedAt === undefined &&
    one.status !== 'failed';
  const isOurs = (one: CatalogEntry): boolean =>
    one.type === 'full' &&
    exists(one) &&
    one.database === 'LibraryDB' &&
    /^LibraryDB_\d{8}_\d{6}\.sql\.gz$/.test(one.file ?? '');
  if (!isOurs(entry) || input.protectedIds?.has(entry.id) === true) return false;
  const ours = input.entries.filter(isOurs);
  const claims = (one: CatalogEntry): number => ours.filter(({ file }) => file === one.file).length;
  if (claims(entry) > 1 || new Date(entry.startedAt) > input.now) return false;
  const dependents = (id: string, seen: string[]): boolean =>
    input.entries.some(
      (one) =>
        one.baseId === id &&
        !seen.includes(one.id) &&
        ((one.type === 'incremental' && exists(one)) || dependents(one.id, [...seen, one.id])),
    );
  if (dependents(entry.id, [entry.id])) return false;
  const betterThan = (one: CatalogEntry, counts: (other: CatalogEntry) => boolean): number =>
    ours.filter(
      (other) =>
        claims(other) === 1 &&
        new Date(other.startedAt) <= input.now &&
        other.verification?.status !== 'failed' &&
        counts(other) &&
        other.startedAt > one.startedAt,
    ).length;
  if (betterThan(entry, () => true) < input.keepFulls) return false;
  if (entry.verification?.status !== 'success') return true;
  const newerVerified = betterThan(entry, (other) => other.verification !== undefined);
  const newerProven = betterThan(entry, (other) => other.verification?.method === 'restore');
  return newerVerified > 0 && (entry.verification.method === 'file' || newerProven > 0);
}

describe('against the oracle', () => {
  test('the same entries go', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { remove } = planRetention(input);
        const expected = input.entries.filter((entry) => mustGo(entry, input));
        expect(remove.map(({ entry }) => entry.id).sort()).toEqual(
          expected.map(({ id }) => id).sort(),
        );
      }),
      { numRuns: 5000 },
    );
  });

  test('what goes and what stays are apart, ordered, explained, and really there', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { keep, remove, unlisted } = planRetention(input);
        const kept = new Set(keep.map(({ entry }) => entry.file));
        const listed = files(input.entries.filter(({ removedAt }) => removedAt === undefined));
        for (const { entry, reason } of remove) {
          expect(kept.has(entry.file)).toBe(false);
          expect(input.existingFiles.has(entry.file ?? '')).toBe(true);
          expect(reason).not.toBe('');
        }
        for (const { reasons } of keep) expect(reasons.length).toBeGreaterThan(0);
        for (const path of unlisted) expect(listed.has(path)).toBe(false);
        const times = remove.map(({ entry }) => entry.startedAt);
        expect([...times].sort()).toEqual(times);
        const keptTimes = keep.map(({ entry }) => entry.startedAt);
        expect([...keptTimes].sort().reverse()).toEqual(keptTimes);
      }),
    );
  });

  test('carrying a plan out and planning again removes nothing more', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const gone = new Set(planRetention(input).remove.map(({ entry }) => entry.file));
        const left = [...input.existingFiles].filter((path) => !gone.has(path));
        expect(planRetention({ ...input, existingFiles: new Set(left) }).remove).toEqual([]);
      }),
    );
  });
});
