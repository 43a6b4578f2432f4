/** The lease on BACKUP_DIR: its holder, those who are refused, and those who cannot be looked at. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import { formatHeartbeat, formatLease, heartbeatOffset } from '../../src/catalog/lease.js';
import { ReshelveError } from '../../src/errors.js';
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

const HOLD = `
import { acquireDirectoryLock } from './catalog/directory-lock.js';
await acquireDirectoryLock(process.argv[2], { operation: 'full' });
console.log('holding');
setInterval(() => {}, 1000);
`;

describe('one holder', () => {
  test('leaves nothing behind, keeps others out meanwhile, and may release twice', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'full' });
    expect(readdirSync(directory)).toEqual(['.reshelve.lock']);
    await lock.confirm();
    const { message } = await refusal(directory);
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
    const { message, hint } = await refusal(directory);
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
    await refusal(directory, 100, QUICK);
  });

  test('waiting ends with the release, with the time, or with the signal', async () => {
    const first = await acquireDirectoryLock(directory, { operation: 'full' });
    const waiting = acquireDirectoryLock(directory, { operation: 'verify', waitMs: 30_000 }, QUICK);
    await delay(50);
    await first.release();
    const second = await waiting;
    const begin = performance.now();
    await refusal(directory, 200, QUICK);
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
    leaveLock(lockFile, foreign({ processStart: '1' }), 0);
    await (await acquireDirectoryLock(directory, { operation: 'full' })).release();
  });

  test.each([
    ['another boot or host', { bootId: 'another boot' }],
    ['another container', { pidNamespace: 'pid:[1]' }],
    ['no /proc', { processStart: null, bootId: null, pidNamespace: null }],
  ])('%s, same host name and pid: neither alive nor dead', async (_kind, fields) => {
    leaveLock(lockFile, foreign({ ...fields, pid: 2 ** 22 + 1 }), 0);
    const { hint } = await refusal(directory);
    expect(hint).toMatch(/expires by itself/);
    leaveLock(lockFile, foreign(fields), 5000);
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    await lock.release();
  });

  test('without a heartbeat it is succeeded, though the caller would not have waited', async () => {
    leaveLock(lockFile, foreign(ELSEWHERE), 5000);
    const begin = performance.now();
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(300);
    await lock.release();
  });

  test('a file from the future is succeeded too, after watching it longer', async () => {
    leaveLock(lockFile, foreign(ELSEWHERE), -86_400_000);
    const begin = performance.now();
    const lock = await acquireDirectoryLock(directory, { operation: 'full' }, QUICK);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(1200);
    await lock.release();
  });

  test.each([-86_400_000, 86_400_000])(
    'one that beats is safe, its clock %d ms off',
    async (ageMs) => {
      // Long enough that a busy machine cannot hold up ten beats.
      const patient = { ...QUICK, timing: { ...QUICK.timing, confirmMs: 1000 } };
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
      await refusal(directory, 0, patient);
      clearInterval(timer);
      expect(performance.now() - begin).toBeGreaterThanOrEqual(2 * QUICK.timing.staleMs);
    },
  );

  test('a file that cannot be read as a lease counts by its age alone', async () => {
    writeFileSync(lockFile, '');
    expect((await refusal(directory)).message).toMatch(/an owner whose lock file cannot be read$/);
    setAge(lockFile, 5000);
    await (await acquireDirectoryLock(directory, { operation: 'full' }, QUICK)).release();
    expect(readdirSync(directory)).toEqual([]);
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
        leaveLock(lockFile, foreign({ pid: 1 }), 0);
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
    leaveLock(lockFile, foreign(), 0);
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
    leaveLock(lockFile, foreign(), 0);
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
