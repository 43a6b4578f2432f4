/** The lease on BACKUP_DIR, with real files and real processes that are killed. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import { formatHeartbeat, formatLease, heartbeatOffset } from '../../src/catalog/lease.js';
import type { LeaseHolder } from '../../src/catalog/lease.js';
import { REAL_SURROUNDINGS } from '../../src/catalog/store-lease.js';
import type { LeaseSurroundings } from '../../src/catalog/store-lease.js';
import { thisProcess } from '../../src/catalog/store-process.js';
import { ReshelveError } from '../../src/errors.js';
import { startChild, translateCatalog } from './child.js';
import type { Child } from './child.js';

let translated: string;
let directory: string;
let lockFile: string;
const children: Child[] = [];

beforeAll(() => {
  translated = translateCatalog();
});

afterAll(() => {
  rmSync(translated, { recursive: true });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reshelve-lock-'));
  lockFile = join(directory, '.reshelve.lock');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  rmSync(directory, { recursive: true });
});

/** The same rules, fifty times as fast. */
const QUICK: LeaseSurroundings = {
  ...REAL_SURROUNDINGS,
  timing: { heartbeatMs: 100, staleMs: 1200, confirmMs: 300, pollMs: 10 },
};

function start(script: string, ...args: string[]): Child {
  const child = startChild(translated, script, ...args);
  children.push(child);
  return child;
}

const HOLD = `
import { acquireDirectoryLock } from './catalog/directory-lock.js';
await acquireDirectoryLock(process.argv[2], { operation: 'full' });
console.log('holding');
setInterval(() => {}, 1000);
`;

function foreign(fields: Partial<LeaseHolder> = {}): LeaseHolder {
  return {
    ...thisProcess(),
    ownerId: 'foreign1',
    operation: 'full',
    startedAt: '2026-01-02T02:00:00.000Z',
    ...fields,
  };
}

/** A lock file as another host would have left it so many milliseconds ago. */
function leaveLock(holder: LeaseHolder, ageMs: number, path = lockFile): void {
  writeFileSync(path, formatLease(holder));
  setAge(path, ageMs);
}

function setAge(path: string, ageMs: number): void {
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

async function refusal(waitMs = 0, surroundings = REAL_SURROUNDINGS): Promise<ReshelveError> {
  const error: unknown = await acquireDirectoryLock(
    directory,
    { operation: 'verify', waitMs },
    surroundings,
  ).then(
    () => new Error('expected LOCKED but found the lock free'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ReshelveError);
  expect(error).toMatchObject({ code: 'LOCKED', exitCode: 6 });
  return error as ReshelveError;
}

describe('one holder', () => {
  test('leaves nothing behind, keeps others out meanwhile, and may release twice', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'full' });
    expect(readdirSync(directory)).toEqual(['.reshelve.lock']);
    await lock.confirm();
    const { message } = await refusal();
    expect(message).toMatch(
      new RegExp(
        `^the backup directory ${directory} is locked by \`full\` \\(pid ${process.pid} on ${hostname()}, since 20.*Z\\)$`,
      ),
    );
    await lock.release();
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
    expect(lock.lost.aborted).toBe(false);
    await (await acquireDirectoryLock(directory, { operation: 'verify' })).release();
  });

  test('another process is named, refused at once, and succeeded at once when it is killed', async () => {
    const child = start(HOLD, directory);
    await child.said('holding');
    const begin = performance.now();
    const { message, hint } = await refusal();
    expect(message).toContain(
      `\`full\` (pid ${String(child.process.pid)} on ${hostname()}, since `,
    );
    expect(hint).toBe('Wait until that run ends, or stop it.');
    child.process.kill('SIGKILL');
    await child.ended;
    const lock = await acquireDirectoryLock(directory, { operation: 'verify' });
    expect(performance.now() - begin).toBeLessThan(5000);
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a stopped process keeps the lock, however old its heartbeat looks', async () => {
    const child = start(HOLD, directory);
    await child.said('holding');
    child.process.kill('SIGSTOP');
    setAge(lockFile, 86_400_000);
    await refusal(100, QUICK);
  });

  test('waiting ends with the release, with the time, or with the signal', async () => {
    const first = await acquireDirectoryLock(directory, { operation: 'full' });
    const waiting = acquireDirectoryLock(directory, { operation: 'verify', waitMs: 30_000 }, QUICK);
    await delay(50);
    await first.release();
    const second = await waiting;
    const begin = performance.now();
    await refusal(200, QUICK);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(190);
    const reason = new ReshelveError('INTERRUPTED', 'stopped');
    const stop = new AbortController();
    const aborted = acquireDirectoryLock(
      directory,
      { operation: 'prune', waitMs: 30_000, signal: stop.signal },
      QUICK,
    );
    await delay(50);
    stop.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await second.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a directory that is not there is named', async () => {
    const missing = join(directory, 'nowhere');
    await expect(acquireDirectoryLock(missing, { operation: 'full' })).rejects.toMatchObject({
      code: 'DIRECTORY',
      message: expect.stringContaining(missing) as string,
    });
  });
});

describe('holders that cannot be looked at', () => {
  const ELSEWHERE = { bootId: 'another boot', pid: 1 };

  test('a pid that is used again does not keep the lock', async () => {
    leaveLock(foreign({ processStart: '1' }), 0);
    await (await acquireDirectoryLock(directory, { operation: 'full' })).release();
  });

  test.each([
    ['another boot or host', { bootId: 'another boot' }],
    ['another container', { pidNamespace: 'pid:[1]' }],
    ['no /proc', { processStart: null, bootId: null, pidNamespace: null }],
  ])('%s, same host name and pid: neither alive nor dead', async (_kind, fields) => {
    leaveLock(foreign({ ...fields, pid: 2 ** 22 + 1 }), 0);
    const { hint } = await refusal();
    expect(hint).toMatch(/expires by itself/);
    leaveLock(foreign(fields), 5000);
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    await lock.release();
  });

  test('without a heartbeat it is succeeded, though the caller would not have waited', async () => {
    leaveLock(foreign(ELSEWHERE), 5000);
    const begin = performance.now();
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(300);
    await lock.release();
  });

  test('a file from the future is succeeded too, after watching it longer', async () => {
    leaveLock(foreign(ELSEWHERE), -86_400_000);
    const begin = performance.now();
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(1200);
    await lock.release();
  });

  test.each([-86_400_000, 86_400_000])(
    'one that beats is safe, its clock %d ms off',
    async (ageMs) => {
      const text = formatLease(foreign(ELSEWHERE));
      let beats = 0;
      const beat = (): void => {
        const offset = heartbeatOffset(Buffer.byteLength(text));
        beats++;
        writeFileSync(
          lockFile,
          text.slice(0, offset) + formatHeartbeat(beats) + text.slice(offset + 12),
        );
        setAge(lockFile, ageMs);
      };
      beat();
      const timer = setInterval(beat, 100);
      const begin = performance.now();
      // It looks dead each time; only the bound on the watching ends this.
      await refusal(0, QUICK);
      clearInterval(timer);
      expect(performance.now() - begin).toBeGreaterThanOrEqual(2 * QUICK.timing.staleMs);
    },
  );

  test('a file that cannot be read as a lease counts by its age alone', async () => {
    writeFileSync(lockFile, '');
    expect((await refusal()).message).toMatch(/an owner whose lock file cannot be read$/);
    setAge(lockFile, 5000);
    await (await acquireDirectoryLock(directory, { operation: 'full' }, QUICK)).release();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a contender that died while it succeeded another', () => {
  const GONE = { processStart: '1' };

  test.each([1, 2, 3])('%d claims deep, the next one gets through and tidies up', async (depth) => {
    leaveLock(foreign({ ...GONE, ownerId: 'owner0' }), 0);
    let path = lockFile;
    for (let level = 1; level <= depth; level++) {
      path += `.claim-owner${level - 1}`;
      leaveLock(foreign({ ...GONE, ownerId: `owner${level}` }), 0, path);
    }
    const lock = await acquireDirectoryLock(directory, { operation: 'full', waitMs: 5000 }, QUICK);
    expect(readdirSync(directory)).toEqual(['.reshelve.lock']);
    await lock.release();
  });

  test('a claim whose holder lives keeps everybody else from removing', async () => {
    leaveLock(foreign({ ...GONE, ownerId: 'owner0' }), 0);
    leaveLock(foreign({ ownerId: 'owner1' }), 0, `${lockFile}.claim-owner0`);
    await refusal(100, QUICK);
    expect(readFileSync(lockFile, 'utf8')).toContain('owner0');
  });

  test('what it left behind is swept', async () => {
    const old = `${lockFile}.dead.tmp`;
    const fresh = `${lockFile}.waiting.tmp`;
    for (const path of [old, fresh, `${lockFile}.claim-dead`]) writeFileSync(path, '');
    setAge(old, 3_600_000);
    const lock = await acquireDirectoryLock(directory, { operation: 'full' });
    expect(readdirSync(directory).sort()).toEqual(['.reshelve.lock', '.reshelve.lock.waiting.tmp']);
    await lock.release();
  });
});

describe('a lock that is lost', () => {
  test.each([
    [
      'removed',
      /its file was removed/,
      (): void => {
        unlinkSync(lockFile);
      },
    ],
    [
      'taken',
      /now held by `full` \(pid 1 on/,
      (): void => {
        leaveLock(foreign({ pid: 1 }), 0);
      },
    ],
  ])(
    '%s: the holder learns it at its next heartbeat and touches nothing',
    async (_how, reason, lose) => {
      const lock = await acquireDirectoryLock(directory, { operation: 'verify' }, QUICK);
      lose();
      const before = existsSync(lockFile) ? readFileSync(lockFile, 'utf8') : undefined;
      await new Promise((resolve) => {
        lock.lost.addEventListener('abort', resolve, { once: true });
      });
      expect(lock.lost.reason).toMatchObject({ code: 'LOCKED' });
      await expect(lock.confirm()).rejects.toThrow(reason);
      await lock.release();
      expect(existsSync(lockFile) ? readFileSync(lockFile, 'utf8') : undefined).toBe(before);
    },
  );

  test('is noticed by confirm() before any heartbeat, and release() spares the new holder', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'verify' });
    leaveLock(foreign(), 0);
    await expect(lock.confirm()).rejects.toMatchObject({ code: 'LOCKED' });
    await lock.release();
    expect(existsSync(lockFile)).toBe(true);
    const unaware = await acquireDirectoryLock(mkdtempSync(join(directory, 'x-')), {
      operation: 'full',
    });
    await unaware.release();
  });

  test('one that is lost without being noticed is not removed by release()', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'verify' });
    leaveLock(foreign(), 0);
    await lock.release();
    expect(readFileSync(lockFile, 'utf8')).toContain('foreign1');
  });

  test('a beating holder keeps its file fresh', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'verify' }, QUICK);
    await delay(450);
    const { heartbeat } = JSON.parse(readFileSync(lockFile, 'utf8')) as { heartbeat: string };
    expect(Number(heartbeat)).toBeGreaterThanOrEqual(2);
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
  });
});

describe('many contenders', () => {
  /** Enters by creating a file that nobody else may have created, unless that one was killed. */
  const CONTEND = `
import { openSync, closeSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireDirectoryLock } from './catalog/directory-lock.js';
import { REAL_SURROUNDINGS } from './catalog/store-lease.js';
const [, , directory, rounds] = process.argv;
const quick = { ...REAL_SURROUNDINGS, timing: { ...REAL_SURROUNDINGS.timing, pollMs: 5 } };
const inside = directory + '/inside';
const enter = () => {
  try {
    const fd = openSync(inside, 'wx');
    writeSync(fd, String(process.pid));
    closeSync(fd);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const pid = Number(readFileSync(inside, 'utf8'));
    let stat = '';
    try { stat = readFileSync('/proc/' + pid + '/stat', 'utf8'); } catch {}
    // A killed process is a zombie until its parent takes note.
    if (stat !== '' && !stat.includes(') Z ')) { console.log('TWO INSIDE ' + pid + ' ' + process.pid); process.exit(9); }
    unlinkSync(inside);
    enter();
  }
};
for (let round = 0; round < Number(rounds); round++) {
  const lock = await acquireDirectoryLock(directory, { operation: 'full', waitMs: 60000 }, quick);
  enter();
  await delay(Math.random() * 4);
  unlinkSync(inside);
  await lock.confirm();
  await lock.release();
  console.log('round ' + round);
}
console.log('finished');
`;

  test('of many that succeed the same dead holder, unseen by each other, one is in at a time', async () => {
    const blind: LeaseSurroundings = {
      ...QUICK,
      timing: { heartbeatMs: 50, staleMs: 1000, confirmMs: 20, pollMs: 2 },
      livenessOf: () => 'unknown',
    };
    let inside = 0;
    let entered = 0;
    const contend = async (): Promise<void> => {
      const lock = await acquireDirectoryLock(directory, { operation: 'x', waitMs: 20_000 }, blind);
      inside++;
      entered++;
      expect(inside).toBe(1);
      await delay(Math.random() * 2);
      inside--;
      await lock.confirm();
      await lock.release();
    };
    for (let round = 0; round < 15; round++) {
      leaveLock(foreign({ ownerId: `dead${round}` }), 5000);
      await Promise.all(Array.from({ length: 8 }, contend));
    }
    expect(entered).toBe(15 * 8);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('never two at once, though they are killed at random moments', async () => {
    const begin = performance.now();
    let killed = 0;
    let finished = 0;
    const runOne = async (): Promise<void> => {
      while (performance.now() - begin < 4000) {
        const child = start(CONTEND, directory, '12');
        if (Math.random() < 0.7) {
          await Promise.race([child.said('round 0').catch(() => undefined), child.ended]);
          await delay(Math.random() * 60);
          if (child.process.exitCode === null) killed++;
          child.process.kill('SIGKILL');
          await child.ended;
        } else {
          finished += (await child.ended) === 0 ? 1 : 0;
        }
        expect(child.output()).not.toContain('TWO INSIDE');
        expect(child.output()).not.toContain('Error');
      }
    };
    await Promise.all([runOne(), runOne(), runOne(), runOne()]);
    expect(killed).toBeGreaterThan(1);
    expect(finished).toBeGreaterThan(0);
    const lock = await acquireDirectoryLock(directory, { operation: 'full', waitMs: 5000 });
    await lock.release();
  });
});
