import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ensureMariadb, ensureMysql, ensureTool } from '../../sandbox/index.js';

/** Where nothing is installed and nothing can be fetched, the error says what to do. */
const folders: string[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function emptyMachine(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-missing-'));
  folders.push(folder);
  vi.stubEnv('PATH', folder);
  const cache = join(folder, 'cache');
  vi.stubEnv('RESHELVE_CACHE', cache);
  return cache;
}

test.each([
  ['mysql', ensureMysql, /could not get a mysql server: .+\. Install Oracle's MySQL server/],
  ['mariadb', ensureMariadb, /could not get a mariadb server: .+\. Install MariaDB/],
] as const)('without apt, the error says to install %s', async (_, ensure, message) => {
  const cache = await emptyMachine();
  await expect(ensure()).rejects.toThrow(message);
  expect(await readdir(cache)).toEqual([]);
});

test('without apt, a tool is refused by name', async () => {
  await emptyMachine();
  await expect(ensureTool('pigz')).rejects.toThrow(/could not get pigz: .+\. Install pigz/);
});
