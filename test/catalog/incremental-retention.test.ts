/** Retention of incrementals: cases with their reasons, then rules over any outcome. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planIncrementalRetention } from '../../src/catalog/incremental-retention.js';
import type {
  IncrementalRetentionInput,
  IncrementalRetentionPlan,
} from '../../src/catalog/incremental-retention.js';
import type { CatalogEntry } from '../../src/catalog/records.js';
import { entryOf } from './support.js';

const NOW = new Date('2026-02-01T00:00:00Z');
const refuted = { status: 'failed', method: 'restore', runId: 'v' } as const;

/** The backup of an hour of January; ids are `full-7` and `inc-8`. */
function backup(type: 'full' | 'incremental', hour: number, base?: string): CatalogEntry {
  const at = new Date(Date.UTC(2026, 0, 1, hour));
  const stamp = at.toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '_');
  return entryOf({
    id: `${type === 'full' ? 'full' : 'inc'}-${hour}`,
    type,
    file:
      type === 'full'
        ? `LibraryDB_${stamp}.sql.gz`
        : `incremental/incremental_LibraryDB_${stamp}.sql.gz`,
    startedAt: at.toISOString(),
    ...(base === undefined ? {} : { baseId: base }),
  });
}

function plan(
  entries: readonly CatalogEntry[],
  fields: Partial<IncrementalRetentionInput> = {},
): IncrementalRetentionPlan {
  return planIncrementalRetention({
    entries,
    existingFiles: new Set(entries.flatMap(({ file }) => file ?? [])),
    database: 'LibraryDB',
    keepIncrementals: 2,
    now: NOW,
    ...fields,
  });
}

function shown({ keep, remove }: IncrementalRetentionPlan): Record<string, unknown> {
  return {
    keep: keep.map(({ entry, reasons }) => [entry.id, ...reasons]),
    remove: remove.map(({ entry, reason }) => [entry.id, reason]),
  };
}

describe('cases', () => {
  const oldChain = [
    backup('full', 1),
    backup('incremental', 2, 'full-1'),
    backup('incremental', 3, 'inc-2'),
  ];
  const newChain = [
    backup('full', 10),
    backup('incremental', 11, 'full-10'),
    backup('incremental', 12, 'inc-11'),
  ];

  test('segments of a continuous capture count as one for each hour', () => {
    const segments = [20, 20.25, 20.5, 21, 21.25].map((hour, at, all): CatalogEntry => {
      const minutes = new Date(Date.UTC(2026, 0, 1, 0, hour * 60)).toISOString();
      const entry = backup('incremental', hour, at === 0 ? 'full-10' : `inc-${all[at - 1] ?? 0}`);
      const chain = { fullId: 'full-10', method: 'binlog', serverFlavour: 'mysql' } as const;
      return {
        ...entry,
        startedAt: minutes,
        chain: { ...chain, snapshotAt: minutes, segment: true },
      };
    });
    const found = plan([...oldChain, backup('full', 10), ...segments], { keepIncrementals: 3 });
    expect(found.remove).toEqual([]);
    const kept = new Map(found.keep.map(({ entry, reasons }) => [entry.id, reasons]));
    expect(kept.get('inc-20')).toContain('one of the newest 3 incremental backups');
    expect(kept.get('inc-3')).toContain('one of the newest 3 incremental backups');
    expect(kept.get('inc-2')).toEqual(['an incremental backup that is kept builds on it']);
  });

  test('a chain that only older restore points belong to goes from its end', () => {
    expect(shown(plan([...oldChain, ...newChain]))).toEqual({
      keep: [
        ['inc-12', 'one of the newest 2 incremental backups'],
        [
          'inc-11',
          'one of the newest 2 incremental backups',
          'an incremental backup that is kept builds on it',
        ],
      ],
      remove: [
        ['inc-3', 'older than the newest 2 incremental backups'],
        ['inc-2', 'older than the newest 2 incremental backups'],
      ],
    });
  });

  test('what a kept one builds on stays, however many there are', () => {
    const ids = plan([...oldChain, ...newChain], { keepIncrementals: 3 }).keep.map(
      ({ entry }) => entry.id,
    );
    expect(ids).toEqual(['inc-12', 'inc-11', 'inc-3', 'inc-2']);
  });

  test('what cannot be restored does not count', () => {
    const lost = backup('incremental', 20, 'gone');
    const bad = { ...backup('incremental', 21, 'full-10'), verification: refuted };
    const outcome = shown(plan([...oldChain, ...newChain, lost, bad]));
    expect(outcome).toMatchObject({
      keep: [
        ['inc-21', 'cannot be restored; newer restore points are too few yet'],
        ['inc-20', 'cannot be restored; newer restore points are too few yet'],
        ['inc-12', 'one of the newest 2 incremental backups'],
        ['inc-11', expect.anything(), expect.anything()],
      ],
    });
    const older = backup('incremental', 5, 'gone');
    expect(shown(plan([...newChain, older]))).toMatchObject({
      remove: [['inc-5', 'cannot be restored, and 2 newer incremental backups can']],
    });
  });

  test('other databases, files that are gone and odd names are not judged', () => {
    const other = { ...backup('incremental', 4, 'full-1'), database: 'Other' };
    const odd = { ...backup('incremental', 5, 'full-1'), file: 'incremental/mine.sql.gz' };
    const outcome = plan([...newChain, other, odd], { keepIncrementals: 1 });
    const judged = [...outcome.keep, ...outcome.remove].map(({ entry }) => entry.id);
    expect(judged).toEqual(['inc-12', 'inc-11']);
  });
});

const forests = fc
  .array(
    fc.record({
      parent: fc.integer({ min: 0, max: 30 }),
      isFull: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      exists: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
      isBad: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      isFuture: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((specs) => {
    const entries: CatalogEntry[] = [];
    const files = new Set<string>();
    for (const [at, spec] of specs.entries()) {
      const parent = entries[spec.parent % Math.max(1, entries.length)];
      const hour = spec.isFuture ? 24 * 60 + at : at;
      const base =
        parent === undefined || spec.isFull
          ? backup('full', hour)
          : backup('incremental', hour, parent.id);
      const entry = spec.isBad ? { ...base, verification: refuted } : base;
      entries.push(entry);
      if (spec.exists) files.add(entry.file ?? '');
    }
    return { entries, files };
  });

describe('any catalog', () => {
  test('never breaks a restore point that stays, and never drops one without reason', () => {
    fc.assert(
      fc.property(forests, fc.integer({ min: 1, max: 6 }), ({ entries, files }, keep) => {
        const outcome = plan(entries, { existingFiles: files, keepIncrementals: keep });
        const gone = outcome.remove.map(({ entry }) => entry.id);
        const left = new Set(
          [...files].filter((file) => !outcome.remove.some(({ entry }) => entry.file === file)),
        );
        const restorable = (entry: CatalogEntry, there: ReadonlySet<string>): boolean => {
          if (!there.has(entry.file ?? '') || entry.verification?.status === 'failed') return false;
          if (entry.type === 'full') return true;
          const base = entries.find(({ id }) => id === entry.baseId);
          return base !== undefined && restorable(base, there);
        };
        const points = entries
          .filter((entry) => entry.type === 'incremental' && restorable(entry, files))
          .filter((entry) => Date.parse(entry.startedAt) <= NOW.getTime())
          .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
        for (const point of points.slice(0, keep)) expect(restorable(point, left)).toBe(true);
        for (const { entry } of outcome.keep) {
          expect(restorable(entry, left)).toBe(restorable(entry, files));
        }
        for (const { entry } of outcome.remove) {
          const newer = points.filter(
            (point) => Date.parse(point.startedAt) > Date.parse(entry.startedAt),
          );
          expect(newer.length).toBeGreaterThanOrEqual(keep);
          expect(Date.parse(entry.startedAt)).toBeLessThanOrEqual(NOW.getTime());
          const place = gone.indexOf(entry.id);
          if (gone.includes(entry.baseId ?? '')) {
            expect(gone.indexOf(entry.baseId ?? '')).toBeGreaterThan(place);
          }
        }
        expect(outcome.keep.length + outcome.remove.length).toBe(
          entries.filter(({ type, file }) => type === 'incremental' && files.has(file ?? ''))
            .length,
        );
      }),
      { numRuns: 500 },
    );
  });
});
