import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainedBackup, ChainPosition } from '../../src/catalog/chain.js';
import { ChainModel } from '../../src/catalog/chain.js';

const SERVER = 'server-1';

function place(position: number): ChainPosition {
  return { binlogFile: 'binlog.000001', binlogPosition: position, gtidSet: null };
}

function full(id: string, at: number, changes: Partial<ChainedBackup> = {}): ChainedBackup {
  return {
    id,
    type: 'full',
    file: `${id}.sql.gz`,
    snapshotAt: BigInt(at),
    serverUuid: SERVER,
    serverFlavour: 'mysql',
    end: place(at),
    exists: true,
    isGood: true,
    ...changes,
  };
}

function follow(
  previous: ChainedBackup,
  id: string,
  at: number,
  changes: Partial<ChainedBackup> = {},
  method: 'binlog' | 'ranges' = 'binlog',
): ChainedBackup {
  return {
    ...full(id, at),
    type: 'incremental',
    step: {
      fullId: previous.step?.fullId ?? previous.id,
      previousId: previous.id,
      method,
      from: previous.end,
    },
    ...changes,
  };
}

/** The last incremental before the full backup `next`, of that one's very instant and place. */
const closing = (previous: ChainedBackup, id: string, next: ChainedBackup): ChainedBackup =>
  follow(previous, id, Number(next.snapshotAt), { end: next.end });

const ids = (links: readonly ChainedBackup[] | undefined): string[] | undefined =>
  links?.map(({ id }) => id);

describe('a chain', () => {
  const base = full('F', 100);
  const first = follow(base, 'a', 200);
  const second = follow(first, 'b', 300);
  const compared = follow(base, 'r', 250, {}, 'ranges');

  it('reaches every instant that the binlog covers, and single ones by comparison', () => {
    const model = new ChainModel([second, base, first, compared]);
    expect(ids(model.newest())).toEqual(['F', 'a', 'b']);
    expect(model.spans()).toEqual([{ from: 100n, to: 300n }]);
    expect(ids(model.at(150n).links)).toEqual(['F', 'a']);
    expect(ids(model.at(250n).links)).toEqual(['F', 'r']);
    expect(model.at(99n)).toEqual({ after: 100n });
    expect(model.at(301n)).toEqual({ before: 300n });
  });

  it('takes what builds on a backup for the newer one, also where both are of one instant', () => {
    const start = full('z', 100);
    const next = follow(start, 'y', 100);
    const last = follow(next, 'x', 100);
    expect(ids(new ChainModel([last, start, next]).newest())).toEqual(['z', 'y', 'x']);
  });

  it('prefers the newest full backup that an instant can start from', () => {
    const later = full('G', 220, { end: place(220) });
    const model = new ChainModel([base, first, second, later, follow(later, 'c', 400)]);
    expect(ids(model.at(210n).links)).toEqual(['F', 'a', 'b']);
    expect(ids(model.at(230n).links)).toEqual(['G', 'c']);
  });

  it.each<[string, Partial<ChainedBackup>, string]>([
    ['a missing file', { exists: false }, 'a.sql.gz is missing'],
    ['a failed verification', { isGood: false }, 'a.sql.gz failed its verification'],
    ['another flavour', { serverFlavour: 'mariadb' }, 'is of mariadb but'],
    ['another server', { serverUuid: 'server-2' }, 'another server'],
    [
      'another place',
      { step: { fullId: 'F', previousId: 'F', method: 'binlog', from: place(99) } },
      'begins at binlog.000001:99 but F.sql.gz ends at binlog.000001:100',
    ],
    [
      'another full',
      { step: { fullId: 'X', previousId: 'F', method: 'binlog', from: place(100) } },
      'another full backup',
    ],
    ['time that runs backwards', { snapshotAt: 50n }, 'earlier instant'],
    [
      'itself',
      { step: { fullId: 'F', previousId: 'a', method: 'ranges', from: place(100) } },
      'builds on itself',
    ],
    [
      'nothing',
      { step: { fullId: 'F', previousId: 'gone', method: 'binlog', from: place(100) } },
      'not there any more',
    ],
  ])('is broken by %s', (_what, changes, reason) => {
    const broken = { ...first, ...changes };
    const model = new ChainModel([base, broken, second]);
    expect(model.pathTo(broken).problem).toContain(reason);
    expect(model.pathTo(second).links).toBeUndefined();
    expect(ids(model.newest())).toEqual(['F']);
    const lost = [...model.chains(), { unreachable: model.orphans() }].flatMap((chain) =>
      chain.unreachable.map(({ link }) => link.id),
    );
    expect(lost.sort()).toEqual(['a', 'b']);
  });

  it('goes on from another server where the GTID set carries on', () => {
    const end = { ...place(200), gtidSet: 'u:1-7' };
    const ended = follow(base, 'a', 200, { end });
    const moved = follow(ended, 'b', 300, { serverUuid: 'server-2' });
    expect(ids(new ChainModel([base, ended, moved]).newest())).toEqual(['F', 'a', 'b']);
  });

  it('ends where nothing can follow by the binlog, and where a comparison has nothing to compare', () => {
    const ended = follow(base, 'a', 200, { endsBinlog: 'RENAME TABLE from another database' });
    expect(new ChainModel([base, ended, follow(ended, 'b', 300)]).spans()).toEqual([
      { from: 100n, to: 200n },
    ]);
    const mixed = follow(first, 'm', 300, {}, 'ranges');
    expect(new ChainModel([base, first, mixed]).pathTo(mixed).problem).toContain('no state');
  });
});

/** A forest of backups whose links are whole, some of whose files are gone or bad. */
const forests = fc
  .array(
    fc.record({
      parent: fc.nat(),
      isFull: fc.boolean(),
      gap: fc.integer({ min: 0, max: 5 }),
      ranges: fc.boolean(),
      exists: fc.integer({ min: 0, max: 9 }).map((n) => n > 1),
      isGood: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((specs) => {
    const made: ChainedBackup[] = [];
    for (const [at, spec] of specs.entries()) {
      const parent = made[spec.parent % Math.max(1, made.length)];
      const { exists, isGood } = spec;
      if (parent === undefined || spec.isFull) {
        made.push(full(`n${at}`, spec.gap * 3, { exists, isGood }));
      } else {
        const method = spec.ranges && parent.step?.method !== 'binlog' ? 'ranges' : 'binlog';
        const time = Number(parent.snapshotAt) + spec.gap;
        made.push(follow(parent, `n${at}`, time, { exists, isGood }, method));
      }
    }
    return made;
  });

describe('any forest of backups', () => {
  it('agrees with a model that looks at one instant and one backup at a time', () => {
    fc.assert(
      fc.property(forests, fc.integer({ min: -2, max: 60 }), (backups, at) => {
        const model = new ChainModel(backups);
        const instant = BigInt(at);
        const whole = (one: ChainedBackup): boolean =>
          one.exists &&
          one.isGood &&
          (one.step === undefined ||
            backups.some((other) => other.id === one.step?.previousId && whole(other)));
        const covers = (one: ChainedBackup, time: bigint): boolean => {
          if (!whole(one)) return false;
          if (one.step?.method !== 'binlog') return one.snapshotAt === time;
          const before = backups.find((other) => other.id === one.step?.previousId);
          return before !== undefined && before.snapshotAt <= time && time <= one.snapshotAt;
        };
        const has = (time: bigint): boolean => backups.some((one) => covers(one, time));

        const answer = model.at(instant);
        expect(answer.links !== undefined).toBe(has(instant));
        expect(model.spans().some(({ from, to }) => from <= instant && instant <= to)).toBe(
          has(instant),
        );
        if (answer.links === undefined) {
          const times = Array.from({ length: 120 }, (_, n) => BigInt(n - 5)).filter(has);
          expect(answer.before).toBe(times.filter((time) => time < instant).at(-1));
          expect(answer.after).toBe(times.find((time) => time > instant));
        } else {
          const { links } = answer;
          expect(links[0].type).toBe('full');
          expect(links.every(whole)).toBe(true);
          for (const [n, link] of links.slice(1).entries()) {
            expect(link.step?.previousId).toBe(links[n]?.id);
          }
          const last = links.at(-1);
          expect(last !== undefined && covers(last, instant)).toBe(true);
        }
        const newest = model.newest()?.at(-1)?.snapshotAt;
        const best = backups.filter(whole).map(({ snapshotAt }) => snapshotAt);
        expect(newest).toBe(best.sort((left, right) => (left < right ? -1 : 1)).at(-1));
      }),
      { numRuns: 400 },
    );
  });
});

describe('a chain and the full backup after it', () => {
  const old = full('A', 100);
  const first = follow(old, 'a', 200);
  const next = full('B', 300);
  const last = closing(first, 'z', next);

  it('is open until an incremental comes to the new one’s place', () => {
    expect(new ChainModel([old, first, next]).before(next)).toEqual({ full: old, last: first });
    expect(new ChainModel([old, first, next]).spans()).toEqual([
      { from: 100n, to: 200n },
      { from: 300n, to: 300n },
    ]);
    const closed = new ChainModel([next, last, first, old]);
    expect(closed.before(next)).toEqual({ full: old, last, reaching: last });
    expect(closed.spans()).toEqual([{ from: 100n, to: 300n }]);
    expect(ids(closed.at(250n).links)).toEqual(['A', 'a', 'z']);
    expect(ids(closed.at(300n).links)).toEqual(['B']);
  });

  it('is never what the next incremental builds on', () => {
    expect(ids(new ChainModel([last, next, first, old]).newest())).toEqual(['B']);
    const onward = follow(next, 'b', 300);
    expect(ids(new ChainModel([onward, last, next, first, old]).newest())).toEqual(['B', 'b']);
  });

  it('has none before it on another server, without incrementals, or by comparison', () => {
    const elsewhere = full('C', 300, { serverUuid: 'server-2' });
    expect(new ChainModel([old, first, elsewhere]).before(elsewhere)).toBeUndefined();
    expect(new ChainModel([old, next]).before(next)).toBeUndefined();
    const compared = follow(old, 'r', 200, {}, 'ranges');
    expect(new ChainModel([old, compared, next]).before(next)).toBeUndefined();
  });

  it('may pass the new one’s place', () => {
    const beyond = follow(first, 'y', 350);
    expect(new ChainModel([old, first, next, beyond]).before(next)?.reaching?.id).toBe('y');
  });
});
