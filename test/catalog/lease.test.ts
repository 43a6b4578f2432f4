/** The judgement over a lock's holder, with made-up clocks. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatHeartbeat,
  formatLease,
  heartbeatOffset,
  LeaseJudge,
  parseLease,
} from '../../src/catalog/lease.js';
import type { LeaseHolder, LeaseSight } from '../../src/catalog/lease.js';
import { anyText } from './support.js';

const TIMING = { heartbeatMs: 5000, staleMs: 60_000, confirmMs: 15_000, pollMs: 500 };

const holders: fc.Arbitrary<LeaseHolder> = fc.record({
  ownerId: fc.stringMatching(/^[0-9a-z]{4,24}$/),
  pid: fc.integer({ min: 1 }),
  processStart: fc.option(anyText),
  bootId: fc.option(anyText),
  pidNamespace: fc.option(anyText),
  host: anyText,
  operation: anyText,
  startedAt: anyText,
});

describe('the text of a lease', () => {
  test('reads back, also after any heartbeat was written into it', () => {
    fc.assert(
      fc.property(holders, fc.nat(), (holder, beats) => {
        const bytes = Buffer.from(formatLease(holder));
        bytes.write(formatHeartbeat(beats), heartbeatOffset(bytes.length), 'latin1');
        expect(parseLease(bytes.toString())).toEqual(holder);
        expect(JSON.parse(bytes.toString())).toHaveProperty('heartbeat', formatHeartbeat(beats));
        expect(bytes.indexOf('\n')).toBe(bytes.length - 1);
      }),
    );
  });

  test('anything else is no lease', () => {
    for (const text of ['', '{}', 'null', '[]', '{"ownerId":"abcd"}', '\0']) {
      expect(parseLease(text)).toBeUndefined();
    }
    const lease = { ...fc.sample(holders, 1)[0], pid: -1 };
    expect(parseLease(JSON.stringify(lease))).toBeUndefined();
  });
});

describe('the judge', () => {
  const sight = (fields: Partial<LeaseSight> = {}): LeaseSight => ({
    path: '/b/.reshelve.lock',
    fingerprint: 'first',
    liveness: 'unknown',
    ageMs: 0,
    ...fields,
  });

  test('what the operating system knows is final, whatever the clocks say', () => {
    const judge = new LeaseJudge(TIMING);
    expect(judge.judge(sight({ liveness: 'gone' }), 0)).toBe('dead');
    for (const ageMs of [-1e12, 0, 1e12]) {
      expect(judge.judge(sight({ liveness: 'alive', ageMs }), 1e9)).toBe('held');
    }
  });

  test('a recent heartbeat: held, until it has stayed away for 60 s in all', () => {
    const judge = new LeaseJudge(TIMING);
    expect(judge.judge(sight({ ageMs: 20_000 }), 1000)).toBe('held');
    expect(judge.judge(sight({ ageMs: 59_999 }), 40_999)).toBe('held');
    expect(judge.judge(sight({ ageMs: 60_000 }), 41_000)).toBe('dead');
  });

  test('a file that looks old is watched for 15 s first, and one beat clears it', () => {
    const judge = new LeaseJudge(TIMING);
    const old = sight({ ageMs: 3_600_000 });
    expect(judge.judge(old, 0)).toBe('suspect');
    expect(judge.judge(old, 14_999)).toBe('suspect');
    expect(judge.judge(old, 15_000)).toBe('dead');
    const other = new LeaseJudge(TIMING);
    expect(other.judge(old, 0)).toBe('suspect');
    expect(other.judge(sight({ fingerprint: 'second', ageMs: 10 }), 5000)).toBe('held');
    expect(other.judge(sight({ fingerprint: 'second', ageMs: 15_000 }), 20_000)).toBe('held');
  });

  test('a file from the future, after a clock was set back, is watched for the full 60 s', () => {
    const judge = new LeaseJudge(TIMING);
    const future = sight({ ageMs: -3_600_000 });
    expect(judge.judge(future, 0)).toBe('suspect');
    expect(judge.judge(future, 59_999)).toBe('suspect');
    expect(judge.judge(future, 60_000)).toBe('dead');
    expect(new LeaseJudge(TIMING).judge(sight({ ageMs: -4000 }), 0)).toBe('held');
  });

  test('however wall clocks jump, a holder that beats every 5 s is never dead', () => {
    const looks = fc.array(
      fc.record({ pauseMs: fc.integer({ min: 1, max: 4000 }), ageMs: fc.double({ noNaN: true }) }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(looks, (steps) => {
        const judge = new LeaseJudge(TIMING);
        let nowMs = 0;
        for (const { pauseMs, ageMs } of steps) {
          nowMs += pauseMs;
          const fingerprint = `beat ${Math.floor(nowMs / TIMING.heartbeatMs)}`;
          expect(judge.judge(sight({ fingerprint, ageMs }), nowMs)).not.toBe('dead');
        }
      }),
    );
  });

  test('however wall clocks jump, one that beats no more is dead after 60 s of watching', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (first, later) => {
        const judge = new LeaseJudge(TIMING);
        judge.judge(sight({ ageMs: first }), 0);
        expect(judge.judge(sight({ ageMs: later }), 60_000)).toBe('dead');
      }),
    );
  });
});
