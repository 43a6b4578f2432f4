/** Contenders for one lock: those that die on the way, and many at once. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import type { LeaseSurroundings } from '../../src/catalog/store-lease.js';
import { startChild, translateCatalog } from './child.js';
import type { Child } from './child.js';
import { foreign, leaveLock, QUICK, refusal, setAge } from './lock-support.js';

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

function start(script: string, ...args: string[]): Child {
  const child = startChild(translated, script, ...args);
  children.push(child);
  return child;
}

describe('a contender that died while it succeeded another', () => {
  const GONE = { processStart: '1' };

  test.each([1, 2, 3])('%d claims deep, the next one gets through and tidies up', async (depth) => {
    leaveLock(lockFile, foreign({ ...GONE, ownerId: 'owner0' }), 0);
    let path = lockFile;
    for (let level = 1; level <= depth; level++) {
      path += `.claim-owner${level - 1}`;
      leaveLock(path, foreign({ ...GONE, ownerId: `owner${level}` }), 0);
    }
    const lock = await acquireDirectoryLock(directory, { operation: 'full', waitMs: 5000 }, QUICK);
    expect(readdirSync(directory)).toEqual(['.reshelve.lock']);
    await lock.release();
  });

  test('a claim whose holder lives keeps everybody else from removing', async () => {
    leaveLock(lockFile, foreign({ ...GONE, ownerId: 'owner0' }), 0);
    leaveLock(`${lockFile}.claim-owner0`, foreign({ ownerId: 'owner1' }), 0);
    await refusal(directory, 100, QUICK);
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
      timing: { heartbeatMs: 50, staleMs: 10_000, confirmMs: 20, pollMs: 2 },
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
      leaveLock(lockFile, foreign({ ownerId: `dead${round}` }), 15_000);
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
