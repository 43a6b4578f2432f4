import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached } from '../../sandbox/cache.js';

/** A cached folder is complete or absent, whoever fills it and however that ends. */
const silent = (): void => undefined;

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'reshelve-cache-'));
  vi.stubEnv('RESHELVE_CACHE', cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

async function fillWithStamp(folder: string): Promise<void> {
  await delay(50);
  await writeFile(join(folder, 'stamp'), 'complete');
}

test('many who ask at once get one folder that was filled once', async () => {
  const fill = vi.fn(fillWithStamp);
  const folders = await Promise.all([1, 2, 3, 4].map(() => cached('thing', silent, fill)));
  expect(fill).toHaveBeenCalledTimes(1);
  expect(new Set(folders)).toEqual(new Set([join(cache, 'thing')]));
  expect(await readFile(join(cache, 'thing/stamp'), 'utf8')).toBe('complete');
  expect(await readdir(cache)).toEqual(['thing']);
});

test('a failure leaves nothing behind, and the next one tries again', async () => {
  const failing = cached('thing', silent, () => Promise.reject(new Error('mirror is down')));
  await expect(failing).rejects.toThrow('mirror is down');
  expect(await readdir(cache)).toEqual([]);
  await cached('thing', silent, fillWithStamp);
  expect(existsSync(join(cache, 'thing/stamp'))).toBe(true);
});

test('what a killed process left, lock and half a folder, is cleared away', async () => {
  const dead = spawnSync('true').pid;
  await writeFile(join(cache, 'thing.lock'), String(dead));
  await mkdir(join(cache, `thing.tmp-${dead}`));
  await cached('thing', silent, fillWithStamp);
  expect(await readdir(cache)).toEqual(['thing']);
});
