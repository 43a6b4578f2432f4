/**
 * The disk of the backups is full when a recovery begins, while its emergency backup is written, and when
 * any record of its journal is.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { sharedServer } from '../support/servers.js';
import type { SmallDisk } from './support/limited.js';
import { mountBackups, NO_MOUNT } from './support/limited.js';
import type { Scene, Strike } from './support/strike.js';
import {
  finishAndJudge,
  followUps,
  other,
  recoverAndStrike,
  setScene,
  sideOf,
} from './support/strike.js';

vi.setConfig({ testTimeout: 300_000 });

const PAGE = 4096;
const DISK_BYTES = 4 * 1024 * 1024;

async function sceneOnSmallDisk(): Promise<{ scene: Scene; disk: SmallDisk }> {
  const disks: SmallDisk[] = [];
  const scene = await setScene(await sharedServer('mysql'), {
    prepare: async (workspace) => {
      disks.push(await mountBackups(workspace, DISK_BYTES));
    },
  });
  const [disk] = disks;
  if (disk === undefined) throw new Error('expected a disk');
  return { scene, disk };
}

test.skipIf(NO_MOUNT)('no room for the emergency backup: nothing is changed', async () => {
  const { scene, disk } = await sceneOnSmallDisk();
  const from = await sideOf(scene);
  const file = scene.files[other(from)];
  // Each page more is another moment: the lock, the journal, the backup itself, its next record.
  for (let pages = 0; pages < 4; pages += 1) {
    await disk.fillExcept(pages * PAGE);
    const result = await scene.workspace.run(['recover', file, '--yes', '--force']);
    expect(result.code, result.stderr).toBe(1);
    expect(result.stderr).toMatch(/DISK_FULL/);
    expect(await sideOf(scene)).toBe(from);
    await rm(join(scene.workspace.backups, 'filler'));
  }
  const again = await scene.workspace.run(['recover', file, '--yes']);
  expect(again.code, again.stderr).toBe(0);
  expect(await sideOf(scene)).toBe(other(from));
});

/** Each step whose record is the last one that has room, on the way forward and on the way back. */
const STEPS: readonly (readonly [step: string, failing: boolean])[] = [
  ['begin', false],
  ['emergency', false],
  ['emergency-ready', false],
  ['drop', false],
  ['create', false],
  ['load', false],
  ['verify', false],
  ['proven', false],
  ['rollback', true],
  ['rollback-drop', true],
  ['rollback-load', true],
  ['rollback-verify', true],
];

test.skipIf(NO_MOUNT)(
  'no room for the record after any step: old or new, and finished',
  async () => {
    const { scene, disk } = await sceneOnSmallDisk();
    for (const [step, failing] of STEPS) {
      const from = await sideOf(scene);
      const strike: Strike = {
        step,
        failing,
        act: () => {
          // A record fits into the page that the journal has begun; a disk without any page takes none.
          disk.resize(PAGE);
        },
      };
      const result = await recoverAndStrike(scene, from, strike);
      disk.resize(DISK_BYTES);
      const said = `${step}: ${result.stderr}${result.stdout}`;
      expect([0, 1, 3, 7], said).toContain(result.code);
      const side = await sideOf(scene);
      if (result.code === 0 || result.code === 3) expect(side, said).toBe(other(from));
      else expect(side, said).toBe(result.code === 1 && step === 'proven' ? side : from);
      await finishAndJudge(scene, from, 'resume', failing ? from : other(from));
      expect(await followUps(scene.workspace)).toEqual([]);
    }
  },
);
