/** The lease on file systems that know no hard links, such as exFAT and some network ones. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type * as FileSystem from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import { openCatalog } from '../../src/catalog/store.js';
import { REAL_SURROUNDINGS } from '../../src/catalog/store-lease.js';
import { entryOf } from './support.js';

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof FileSystem>()),
  link: () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1 })),
}));

test('locks exclude one another, beat and are released; the catalog is appended to and repaired', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reshelve-no-links-'));
  const quick = {
    ...REAL_SURROUNDINGS,
    timing: { heartbeatMs: 20, staleMs: 1000, confirmMs: 100, pollMs: 2 },
  };
  let inside = 0;
  const contend = async (): Promise<void> => {
    const lock = await acquireDirectoryLock(directory, { operation: 'x', waitMs: 10_000 }, quick);
    inside++;
    expect(inside).toBe(1);
    await delay(30);
    await lock.confirm();
    inside--;
    await lock.release();
  };
  await Promise.all(Array.from({ length: 8 }, contend));
  expect(readdirSync(directory)).toEqual([]);
  const catalog = openCatalog(directory);
  await catalog.append(entryOf());
  const { writeFile } = await import('node:fs/promises');
  await writeFile(catalog.path, 'damaged');
  const { movedTo } = await catalog.recoverDamaged([entryOf()]);
  expect(movedTo).toMatch(/backup_logs\.damaged-/);
  expect(await catalog.read()).toEqual([entryOf()]);
  rmSync(directory, { recursive: true });
});
