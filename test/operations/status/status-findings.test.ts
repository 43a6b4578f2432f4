import { describe, expect, it } from 'vitest';
import type { CatalogEntry } from '../../../src/catalog/records.js';
import { ReshelveError } from '../../../src/errors.js';
import type { StatusFacts, StatusFinding } from '../../../src/operations/status/status-finding.js';
import { judgeStatus } from '../../../src/operations/status/status-findings.js';

const NOW = new Date('2026-03-10T09:00:00Z');
const DAY_MS = 24 * 3600 * 1000;

let serial = 0;

/** A full backup of `days` ago. */
function full(days: number, fields: Partial<CatalogEntry> = {}): CatalogEntry {
  serial += 1;
  const at = new Date(NOW.getTime() - days * DAY_MS).toISOString();
  return {
    id: `run-${serial}`,
    type: 'full',
    status: 'success',
    database: 'LibraryDB',
    file: `LibraryDB_${serial}.sql.gz`,
    startedAt: at,
    finishedAt: at,
    durationMs: 1000,
    sizeBytes: 1_000_000,
    host: 'here',
    trigger: 'schedule',
    ...fields,
  };
}

function proven(days: number, method: 'restore' | 'file' = 'restore'): Partial<CatalogEntry> {
  return {
    verifiedAt: new Date(NOW.getTime() - days * DAY_MS).toISOString(),
    verification: { status: 'success', method, runId: 'v' },
  };
}

function facts(entries: readonly CatalogEntry[], other: Partial<StatusFacts> = {}): StatusFacts {
  return {
    now: NOW,
    database: 'LibraryDB',
    directoryShown: 'backups',
    entries,
    catalogProblem: undefined,
    existingFiles: new Set(entries.flatMap(({ file }) => file ?? [])),
    schedule: {
      expression: '0 2 * * *',
      next: new Date('2026-03-11T02:00:00Z'),
      intervalMs: DAY_MS,
    },
    freeBytes: 1e12,
    setAside: [],
    unfinished: [],
    ...other,
  };
}

/** `topic: text → next` of what needs attention. */
function problems(found: readonly StatusFinding[]): string[] {
  return found
    .filter(({ status }) => status === 'attention')
    .map(({ topic, text, next }) => `${topic}: ${text} → ${next ?? ''}`);
}

const attentionOf = (
  entries: readonly CatalogEntry[],
  other: Partial<StatusFacts> = {},
): string[] => problems(judgeStatus(facts(entries, other)));

describe('judgeStatus', () => {
  it('is content with a young backup, a young proof and no failure', () => {
    const found = judgeStatus(facts([full(8, proven(8)), full(1), full(0.3)]));
    expect(problems(found)).toEqual([]);
    expect(found.map(({ topic }) => topic)).toEqual([
      'newest backup',
      'newest proof',
      'last runs',
      'recovery drill',
      'next run',
      'disk',
    ]);
    expect(found[0]?.text).toMatch(/^LibraryDB_\d+\.sql\.gz, 7 h old$/);
  });

  it('wants a backup within two intervals of the schedule', () => {
    const weekly = { expression: '0 2 * * 0', next: NOW, intervalMs: 7 * DAY_MS };
    expect(attentionOf([full(1.9, proven(1))])).toEqual([]);
    expect(attentionOf([full(2.1, proven(1))])).toEqual([
      expect.stringMatching(
        /^newest backup: .*, 2 days old, more than two .* → npx reshelve full$/,
      ),
    ]);
    expect(attentionOf([full(13, proven(1))], { schedule: weekly })).toEqual([]);
    expect(attentionOf([full(15, proven(1))], { schedule: weekly })).toHaveLength(1);
  });

  it('counts neither failed, removed, lost nor others’ backups', () => {
    const gone = full(0.1);
    const entries = [
      full(0.1, { database: 'Other' }),
      full(0.2, { removedAt: NOW.toISOString(), removedReason: 'old' }),
      full(0.3, { status: 'failed', file: null, error: { code: 'CONNECT', message: 'no' } }),
      gone,
    ];
    const files = new Set(entries.flatMap(({ file }) => file ?? []));
    files.delete(gone.file ?? '');
    expect(attentionOf(entries, { existingFiles: files })).toEqual([
      'newest backup: there is no backup of LibraryDB in backups → npx reshelve full',
      'newest backup: 1 listed backup is not in backups → npx reshelve list',
    ]);
  });

  it('wants a proof by restore, not of the file alone, within five weeks', () => {
    expect(attentionOf([full(0.1)])).toEqual([
      'newest proof: no backup was ever proven by a test restore → npx reshelve verify',
    ]);
    expect(attentionOf([full(0.1, proven(0.1, 'file'))])).toHaveLength(1);
    expect(attentionOf([full(40, proven(34)), full(0.1)])).toEqual([]);
    expect(attentionOf([full(40, proven(36)), full(0.1)])).toEqual([
      expect.stringContaining('proven by a test restore 36 days ago → npx reshelve verify'),
    ]);
  });

  it('does not pass over a newest backup that failed its verification', () => {
    const failed = {
      verifiedAt: NOW.toISOString(),
      verification: { status: 'failed', method: 'restore', runId: 'v' },
    } as const;
    expect(attentionOf([full(1, proven(1)), full(0.1, failed)])).toEqual([
      expect.stringContaining('failed its verification → npx reshelve full'),
    ]);
  });

  it('tells the last run of each kind that failed, until one of that kind works', () => {
    const error = { code: 'CONNECT', message: 'cannot connect' };
    const failure = full(0.2, { type: 'verify', status: 'failed', file: null, error });
    const before = full(0.3, proven(0.2));
    expect(attentionOf([before, failure])).toEqual([
      'last runs: the last verify failed 4 h ago: CONNECT: cannot connect → npx reshelve verify',
    ]);
    expect(attentionOf([before, failure, full(0.1, { type: 'verify' })])).toEqual([]);
  });

  it('says how long a recovery takes, as the last drill measured', () => {
    const drill = { steps: [], recoveryMs: 50_000, expectedMs: 61_230 };
    const found = judgeStatus(facts([full(3), full(2, { type: 'verify', drill })]));
    expect(found.find(({ topic }) => topic === 'recovery drill')).toEqual({
      topic: 'recovery drill',
      status: 'ok',
      text: 'a recovery takes about 61.2 s, measured 2 days ago',
    });
    const none = judgeStatus(facts([full(3)])).find(({ topic }) => topic === 'recovery drill');
    expect(none).toMatchObject({ status: 'ok', next: 'npx reshelve drill' });
  });

  it('names what waits for a finish, a schedule that is none, a full disk and a lost server', () => {
    const good = [full(0.3, proven(1))];
    const before = { name: 'LibraryDB__before_20260301_100000', role: 'before' } as const;
    expect(judgeStatus(facts(good, { setAside: [before] }))).toContainEqual({
      topic: 'set aside',
      status: 'ok',
      text: `${before.name} holds the tables as they were before the online recovery`,
      next: 'npx reshelve recover --finish',
    });
    expect(attentionOf(good, { freeBytes: 1_500_000 })).toEqual([
      expect.stringMatching(/^disk: 1\.4 MB free in backups, the last full backup took 1\.0 MB/),
    ]);
    const down = new ReshelveError('CONNECT', 'cannot connect to db:3306');
    expect(attentionOf(good, { setAside: down })).toEqual([
      'set aside: cannot connect to db:3306 → npx reshelve doctor',
    ]);
    const wrong = new ReshelveError('CONFIG', 'BACKUP_CRON_SCHEDULE: expected', { hint: 'Five.' });
    expect(attentionOf(good, { schedule: wrong })).toEqual([
      'next run: BACKUP_CRON_SCHEDULE: expected → Five.',
    ]);
    const damaged = new ReshelveError('CATALOG_DAMAGED', 'it is damaged');
    expect(attentionOf([], { catalogProblem: damaged })[0]).toBe(
      'last runs: it is damaged → npx reshelve catalog rebuild',
    );
  });
});

describe('an unfinished recovery', () => {
  const about = { message: 'the recovery is not finished', commands: 'Run `recover --resume`' };

  it.each(['old-gone', 'new-unproven', 'rolling-back', undefined] as const)(
    'comes first where the database may be in between: %s',
    (phase) => {
      const found = judgeStatus(facts([], { unfinished: [{ ...about, phase }] }));
      expect(found[0]).toMatchObject({
        topic: 'recovery',
        status: 'attention',
        next: about.commands,
      });
    },
  );

  it('that changed nothing is told, and one that keeps old tables is not', () => {
    const unfinished = [
      { ...about, phase: 'unchanged' as const },
      { ...about, phase: 'kept' as const },
    ];
    const found = judgeStatus(facts([full(0.1)], { unfinished }));
    expect(found.filter(({ topic }) => topic === 'recovery')).toMatchObject([{ status: 'ok' }]);
  });
});
