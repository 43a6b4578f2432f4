/**
 * The disk of the backups is full when a recovery begins, while its emergency backup is written, and when
 * any record of its journal is: all of them with RESHELVE_SOAK=1.
 */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { sharedServer } from '../support/servers.js';
import type { SmallDisk } from './support/limited.js';
import { mountBackups, NO_MOUNT } from './support/limited.js';
import type { Scene, Side } from './support/strike.js';
import {
  finishAndJudge,
  followUps,
  journals,
  other,
  recoverAndStrike,
  setScene,
  sideOf,
  SOAK,
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
  for (const pages of SOAK ? [0, 1, 2, 3, 4] : [0, 4]) {
    await disk.fillExcept(pages * PAGE);
    const result = await scene.workspace.run(['recover', file, '--yes', '--force']);
    expect(result.code, result.stderr).toBe(1);
    expect(result.stderr).toMatch(/DISK_FULL/);
    expect(await sideOf(scene)).toBe(from);
    await rm(join(scene.workspace.backups, 'filler'));
  }
  await disk.fillExcept(2 * PAGE);
  const judged = await scene.workspace.run(['recover', file, '--yes']);
  expect(judged.code, judged.stderr).toBe(1);
  expect(judged.stderr).toMatch(
    /PREFLIGHT: .*\n +backups has 0\.0 MB free for the emergency backup.*too little/,
  );
  await rm(join(scene.workspace.backups, 'filler'));
  const again = await scene.workspace.run(['recover', file, '--yes']);
  expect(again.code, again.stderr).toBe(0);
  expect(await sideOf(scene)).toBe(other(from));
});

/**
 * Each record that has no room, on the way forward and on the way back. A journal fits into one page of
 * the disk, and so the path of the backup, which its first record names, is made so long that the chosen
 * record is the one that needs a second page.
 */
const RECORDS: readonly (readonly [step: string, failing: boolean])[] = [
  ['create', false],
  ['finish', false],
  ['rollback-drop', true],
  ...(SOAK
    ? ([
        ['drop', false],
        ['load', false],
        ['verify', false],
        ['proven', false],
        ['rollback', true],
        ['rollback-load', true],
        ['rollback-verify', true],
      ] as const)
    : []),
];

/** Where the record of each step begins in the journal of a recovery, by the length of its path. */
async function measure(scene: Scene, failing: boolean): Promise<ReadonlyMap<string, number>> {
  const from = await sideOf(scene);
  const known = new Set(journals(scene.workspace));
  const { code } = await scene.workspace.run(['recover', sourceOf(scene, from, failing), '--yes']);
  expect(code).toBe(failing ? 7 : 0);
  const [path = ''] = journals(scene.workspace).filter((name) => !known.has(name));
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const line of (await readFile(path, 'latin1')).split('\n')) {
    offsets.set(/"step":"([\w-]+)"/.exec(line)?.[1] ?? '', offset);
    offset += line.length + 1;
  }
  return offsets;
}

function sourceOf(scene: Scene, from: Side, failing: boolean): string {
  return failing ? scene.brokenDump : join(scene.workspace.directory, scene.files[other(from)]);
}

/** The file under a path that is longer by so many characters. */
async function underLongerPath(scene: Scene, path: string, more: number): Promise<string> {
  let folder = scene.workspace.directory;
  let rest = more - (dirname(path).length - folder.length);
  while (rest > 0) {
    const length = Math.min(rest > 201 && rest <= 203 ? 100 : 200, rest - 1);
    folder = join(folder, 'x'.repeat(Math.max(1, length)));
    rest = more - (folder.length - dirname(path).length);
    if (rest === 1) break;
  }
  await mkdir(folder, { recursive: true });
  await copyFile(path, join(folder, basename(path)));
  return join(folder, basename(path));
}

test.skipIf(NO_MOUNT)('no room for any one record: old or new, and then finished', async () => {
  const { scene, disk } = await sceneOnSmallDisk();
  const forward = await measure(scene, false);
  const back = await measure(scene, true);
  for (const [step, failing] of RECORDS) {
    const from = await sideOf(scene);
    const begins = (failing ? back : forward).get(step) ?? 0;
    const path = sourceOf(scene, from, failing);
    const file = await underLongerPath(scene, path, Math.floor((PAGE - begins) / 2));
    const result = await recoverAndStrike(scene, from, {
      step: 'emergency-ready',
      file,
      act: () => {
        disk.shrinkTo(0);
      },
    });
    const journal = await readFile(journals(scene.workspace).at(-1) ?? '', 'utf8');
    disk.resize(DISK_BYTES);
    const said = `${step}: ${result.stderr}${result.stdout}${journal}`;
    expect([0, 1, 3, 7], said).toContain(result.code);
    const side = await sideOf(scene);
    if (result.code === 7) expect(side, said).toBe(from);
    if (step === 'finish') expect(result.stderr).toMatch(/in place and proven.*\nnext: .*--resume/);
    await finishAndJudge(scene, from, 'resume', failing ? from : other(from));
    expect(await followUps(scene.workspace)).toEqual([]);
  }
});
