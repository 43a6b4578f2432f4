// Goal: a replay takes a prefix of the log without what is skipped, and a transaction wholly or not at all.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Marker } from '../../src/binlog/marker.js';
import { isBefore, latestCommit, ReplayUntil } from '../../src/binlog/replay-until.js';
import type { ReplayEnd } from '../../src/binlog/replay-until.js';

interface Logged {
  readonly at: number;
  readonly seconds: boolean;
  readonly parts: number;
}

/** Transaction `n` has GTID `s:n`, begins at `n * 100` and is in the file of its hundred. */
function markersOf(log: readonly Logged[]): Marker[] {
  return log.flatMap(({ at, seconds, parts }, n) =>
    Array.from({ length: parts }, (_, part): Marker => ({
      gtid: `s:${n}`,
      file: fileOf(n),
      start: n * 100,
      end: part === parts - 1 ? n * 100 + 100 : null,
      at: String(at),
      ...(seconds && { seconds: true as const }),
      kind: 'rows',
      tables: [],
      ...(part > 0 && { continued: true as const }),
      ...(part < parts - 1 && { continues: true as const }),
    })),
  );
}

/** Beyond 999999 the number gets longer, and sorts before others as text. */
const fileOf = (n: number): string => `log-bin.${String(999_990 + n).padStart(6, '0')}`;

const logs = fc.array(
  fc.record({
    at: fc.nat(5_000_000),
    seconds: fc.boolean(),
    parts: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 25 },
);

interface Taken {
  readonly applied: number[];
  readonly skipped: number[];
}

/** The transactions, by number; fails where the parts of one are judged apart, or one after a stop. */
function take(until: ReplayUntil, markers: readonly Marker[]): Taken {
  const verdicts = new Map<string, Set<string>>();
  let isStopped = false;
  for (const marker of markers) {
    const verdict = until.judge(marker);
    if (isStopped) expect(verdict).toBe('stop');
    isStopped = verdict === 'stop';
    expect(until.isOver).toBe(isStopped);
    const gtid = marker.gtid ?? '';
    verdicts.set(gtid, (verdicts.get(gtid) ?? new Set()).add(verdict));
  }
  for (const one of verdicts.values()) expect(one.size).toBe(1);
  const numbersOf = (wanted: string): number[] =>
    [...verdicts].flatMap(([gtid, one]) => (one.has(wanted) ? [Number(gtid.slice(2))] : []));
  return { applied: numbersOf('apply'), skipped: numbersOf('skip') };
}

/** How many transactions come before the end; written without a look at the judge. */
function prefixOf(log: readonly Logged[], end: ReplayEnd | undefined): number {
  const first = (isOut: (one: Logged, n: number) => boolean): number => {
    const at = log.findIndex(isOut);
    return at < 0 ? log.length : at;
  };
  switch (end?.kind) {
    case undefined:
      return log.length;
    case 'instant':
      return first(({ at, seconds }) => at + (seconds ? 999_999 : 0) > Number(end.instant));
    case 'gtid':
      return Math.min(log.length, Number(end.gtid.slice(2)) + 1);
    case 'before-gtid':
      return Math.min(log.length, Number(end.gtid.slice(2)));
    case 'position': {
      const number = Number(end.place.file.split('.')[1]) - 999_990;
      return first((_, n) => n > number || (n === number && n * 100 >= end.place.position));
    }
  }
}

const ends: fc.Arbitrary<ReplayEnd | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.nat(6_000_000).map((instant) => ({ kind: 'instant' as const, instant: BigInt(instant) })),
  fc.nat(30).map((n) => ({ kind: 'gtid' as const, gtid: `s:${n}` })),
  fc.nat(30).map((n) => ({ kind: 'before-gtid' as const, gtid: `s:${n}` })),
  fc.record({ n: fc.nat(30), off: fc.integer({ min: -1, max: 1 }) }).map(({ n, off }) => ({
    kind: 'position' as const,
    place: { file: fileOf(n), position: n * 100 + off },
  })),
);
const skips = fc.uniqueArray(fc.nat(30), { maxLength: 4 });

test('takes what comes before the end, without what is skipped, and again the same', () => {
  fc.assert(
    fc.property(logs, ends, skips, (log, end, skipped) => {
      const markers = markersOf(log);
      const until = new ReplayUntil(
        end,
        skipped.map((n) => `s:${n}`),
      );
      const taken = take(until, markers);
      const length = prefixOf(log, end);
      const inside = log.map((_, n) => n).slice(0, length);
      expect(taken.applied).toEqual(inside.filter((n) => !skipped.includes(n)));
      expect(taken.skipped).toEqual(inside.filter((n) => skipped.includes(n)));
      expect(until.missing).toEqual(
        skipped.filter((n) => !inside.includes(n)).map((n) => `s:${n}`),
      );
      const isNamed = end?.kind === 'gtid' || end?.kind === 'before-gtid';
      expect(until.isFound).toBe(!isNamed || Number(end.gtid.slice(2)) < log.length);
      expect(take(until.again(), markers)).toEqual(taken);
    }),
    { numRuns: 1000 },
  );
});

test('a clock that was set back brings nothing in that the log has behind the end', () => {
  const log = [5, 9, 3].map((at) => ({ at, seconds: false, parts: 1 }));
  const until = new ReplayUntil({ kind: 'instant', instant: 6n });
  expect(take(until, markersOf(log)).applied).toEqual([0]);
});

test('a second of the log is over when its last microsecond is', () => {
  const [marker] = markersOf([{ at: 1_000_000, seconds: true, parts: 1 }]);
  if (marker === undefined) throw new Error('a marker was made');
  expect(latestCommit(marker)).toBe(1_999_999n);
  const judge = (instant: bigint) => new ReplayUntil({ kind: 'instant', instant }).judge(marker);
  expect(judge(1_999_998n)).toBe('stop');
  expect(judge(1_999_999n)).toBe('apply');
});

test('log files are compared by their number', () => {
  const at = (file: string, position: number) => ({ file, position });
  expect(isBefore(at('binlog.999999', 9), at('binlog.1000000', 4))).toBe(true);
  expect(isBefore(at('binlog.1000000', 4), at('binlog.999999', 9))).toBe(false);
  expect(isBefore(at('a.b.000002', 4), at('a.b.000002', 4))).toBe(false);
});
