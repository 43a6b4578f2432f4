/**
 * The server's data disk is full in the middle of a recovery or of its rollback. The database ends in the
 * new or the old state, or exit code 8 names the commands that bring the old one back once there is room:
 * they are run here as they are printed, on a terminal, with the server's own client. A disk of the binary
 * log that is full makes MySQL wait, which must be said. RESHELVE_SOAK=1
 * strikes the rollback of both servers in both directions.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { startServer } from '../../sandbox/index.js';
import { commandsOf, runByHand } from '../support/by-hand.js';
import { query } from '../support/servers.js';
import { mountDisk, NO_MOUNT } from './support/limited.js';
import type { Scene } from './support/strike.js';
import { followUps, other, recoverAndStrike, setScene, sideOf, SOAK } from './support/strike.js';

vi.setConfig({ testTimeout: 300_000 });

const MEGABYTE = 1024 * 1024;
const DISK_BYTES = 1024 * MEGABYTE;

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

/** Some 28 MB, so that a disk can be full in the middle of it; the second state has none of it. */
async function addBallast(server: PrivateServer, database: string): Promise<void> {
  await query(
    server,
    `CREATE TABLE ballast (id INT PRIMARY KEY, t VARCHAR(4000));
     INSERT INTO ballast WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
       SELECT i, RPAD(SHA2(i, 512), 3500, SHA2(i, 256)) FROM n;
     INSERT INTO ballast SELECT id + 1000, t FROM ballast;
     INSERT INTO ballast SELECT id + 2000, t FROM ballast;
     INSERT INTO ballast SELECT id + 4000, t FROM ballast`,
    database,
  );
}

describe.skipIf(NO_MOUNT !== undefined).each(FLAVOURS)('on %s', (flavour) => {
  let folder: string;
  let disk: ReturnType<typeof mountDisk>;
  let server: PrivateServer;
  let scene: Scene;
  let logs: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reshelve-disk-'));
    disk = mountDisk(folder, DISK_BYTES);
    logs = mkdtempSync(join(tmpdir(), 'reshelve-logs-'));
    server = await startServer({
      flavour,
      dataDirectory: join(folder, 'data'),
      // On a disk of its own: MySQL waits for ever where it cannot write its log.
      options: [`--log-bin=${join(logs, 'binlog')}`],
    });
    scene = await setScene(server, {
      prepare: (_, database) => addBallast(server, database),
      change: async (database) => {
        await query(server, 'DROP TABLE ballast', database);
      },
    });
  });
  afterAll(async () => {
    await scene.workspace.remove();
    await server.stop();
    disk.unmount();
    await rm(folder, { recursive: true, force: true });
    await rm(logs, { recursive: true, force: true });
  });

  test('the new state does not fit: the old one comes back by itself', async () => {
    expect(await sideOf(scene)).toBe('second');
    disk.shrinkTo(12 * MEGABYTE);
    const judged = await scene.workspace.run(['recover', scene.files.first, '--yes']);
    disk.resize(DISK_BYTES);
    expect(judged.code, judged.stderr).toBe(1);
    expect(judged.stderr).toMatch(/PREFLIGHT: .*\n +the server's disk has .*too little/);
    const result = await recoverAndStrike(scene, 'second', {
      step: 'load',
      act: () => {
        disk.shrinkTo(12 * MEGABYTE);
      },
    });
    disk.resize(DISK_BYTES);
    expect(result.code, result.stderr).toBe(7);
    expect(result.stderr).toMatch(/ROLLED_BACK: .*(is full|[Nn]o space|disk)/);
    expect(await sideOf(scene)).toBe('second');
    expect(await followUps(scene.workspace)).toEqual([]);
  });

  test('nothing fits at all: exit code 8, and its commands bring the old state back', async () => {
    const result = await recoverAndStrike(scene, 'second', {
      step: 'load',
      act: () => {
        disk.shrinkTo(0);
      },
    });
    expect(result.code, result.stderr).toBe(8);
    expect(result.stderr).toContain('is NOT in its old state');
    const full = await scene.workspace.run(['full']);
    expect(full.stderr).toContain('RECOVERY_UNFINISHED');
    disk.resize(DISK_BYTES);
    const commands = commandsOf(result.stderr);
    expect(commands.map((line) => line.split(' ')[0])).toEqual(['mysql', 'mysql', 'gunzip', 'rm']);
    await runByHand(server, commands, scene.workspace.directory);
    expect(await sideOf(scene)).toBe('second');
    expect(await followUps(scene.workspace)).toEqual([]);
    const again = await scene.workspace.run(['recover', scene.files.first, '--yes']);
    expect(again.code, again.stderr).toBe(0);
    expect(await sideOf(scene)).toBe('first');
  });

  const directions: readonly ('rollback' | 'resume')[] = SOAK
    ? ['rollback', 'resume']
    : ['rollback'];

  test.runIf(SOAK || flavour === 'mysql').each(directions)(
    'full in the middle of the rollback: --%s ends it once there is room',
    async (direction) => {
      const from = await sideOf(scene);
      expect(from).toBe('first');
      const result = await recoverAndStrike(scene, from, {
        step: 'rollback-load',
        failing: true,
        act: () => {
          disk.shrinkTo(8 * MEGABYTE);
        },
      });
      expect(result.code, result.stderr).toBe(8);
      // MySQL may not even have room for the temporary tables of what is asked first.
      const early = await scene.workspace.run(['recover', '--rollback', '--yes']);
      expect([1, 8], early.stderr).toContain(early.code);
      expect((await followUps(scene.workspace)).flat()).toContain('--rollback');
      disk.resize(DISK_BYTES);
      const { code, stderr } = await scene.workspace.run(['recover', `--${direction}`, '--yes']);
      // The dump fails again, so that both directions end in the old state.
      expect(code, stderr).toBe(direction === 'rollback' ? 0 : 7);
      expect(await sideOf(scene)).toBe(from);
      expect(await followUps(scene.workspace)).toEqual([]);
    },
  );

  test.runIf(SOAK)(
    'a new state that is smaller than the old one goes through with little room',
    async () => {
      const from = await sideOf(scene);
      const result = await recoverAndStrike(scene, from, {
        step: 'create',
        act: () => {
          disk.shrinkTo(8 * MEGABYTE);
        },
      });
      disk.resize(DISK_BYTES);
      expect(result.code, result.stderr).toBe(0);
      expect(await sideOf(scene)).toBe(other(from));
    },
  );
});

test.skipIf(NO_MOUNT !== undefined)(
  'MySQL waits for room for its binary log: it is said, and the recovery goes on with room',
  async () => {
    const logs = mkdtempSync(join(tmpdir(), 'reshelve-logs-'));
    const disk = mountDisk(logs, 256 * MEGABYTE);
    const server = await startServer({
      flavour: 'mysql',
      options: [`--log-bin=${join(logs, 'binlog')}`],
    });
    onTestFinished(async () => {
      await server.stop();
      disk.unmount();
      await rm(logs, { recursive: true, force: true });
    });
    const scene = await setScene(server, {
      prepare: (_, database) => addBallast(server, database),
      change: async (database) => {
        await query(server, 'DROP TABLE ballast', database);
      },
    });
    onTestFinished(() => scene.workspace.remove());
    const result = await recoverAndStrike(scene, 'second', {
      step: 'load',
      act: async ({ said }) => {
        disk.shrinkTo(4 * MEGABYTE);
        await vi
          .waitUntil(() => said().includes('SERVER_WAITS'), { timeout: 60_000 })
          .finally(() => {
            disk.resize(512 * MEGABYTE);
          });
      },
    });
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).toMatch(
      /^warning SERVER_WAITS: 127\.0\.0\.1:\d+ has waited .*its log says: Disk is full writing '.*binlog\.0/m,
    );
    expect(await sideOf(scene)).toBe('first');
  },
);
