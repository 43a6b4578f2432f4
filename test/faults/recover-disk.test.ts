/** The disk of the backups is full when a recovery begins. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sharedServer } from '../support/servers.js';
import type { SmallDisk } from './support/limited.js';
import { mountBackups, NO_MOUNT } from './support/limited.js';
import type { Scene } from './support/strike.js';
import { other, setScene, sideOf } from './support/strike.js';

async function sceneOnSmallDisk(): Promise<{ scene: Scene; disk: SmallDisk }> {
  const disks: SmallDisk[] = [];
  const scene = await setScene(await sharedServer('mysql'), async (workspace) => {
    disks.push(await mountBackups(workspace, 4 * 1024 * 1024));
  });
  const [disk] = disks;
  if (disk === undefined) throw new Error('expected a disk');
  return { scene, disk };
}

test.skipIf(NO_MOUNT)('no room for the emergency backup: nothing is changed', async () => {
  const { scene, disk } = await sceneOnSmallDisk();
  const from = await sideOf(scene);
  await disk.fillExcept(16 * 1024);
  const file = scene.files[other(from)];
  const result = await scene.workspace.run(['recover', file, '--yes', '--force']);
  expect(result.code, result.stderr).toBe(1);
  expect(result.stderr).toMatch(/DISK_FULL/);
  expect(await sideOf(scene)).toBe(from);
  await rm(join(scene.workspace.backups, 'filler'));
  const again = await scene.workspace.run(['recover', file, '--yes']);
  expect(again.code, again.stderr).toBe(0);
  expect(await sideOf(scene)).toBe(other(from));
});
