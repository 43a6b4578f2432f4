/**
 * Incrementals from the binary log that end early: killed, cut off, out of room. Whatever happens, the
 * next one succeeds, and full + incrementals loaded by the plain client on another server equal the
 * source: no hole, no duplicate.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { replayByClient } from '../support/replay.js';
import { connectTo, privateServer, query } from '../support/servers.js';
import {
  entriesOf,
  expectFailure,
  expectNoSecrets,
  expectNothingNew,
  namesIn,
  photograph,
} from './support/aftermath.js';
import { mountBackups, NO_MOUNT } from './support/limited.js';
import { startProxy } from './support/proxy.js';

const DATABASE = 'lib';
const MEGABYTE = 1024 * 1024;
/** Of one round of changes; random bytes, so that the archive is as long. */
const ROUND_BYTES = 3 * MEGABYTE;
const ROW_BYTES = 16_000;
const LOST = ['CONNECTION_LOST', 'CONNECT', 'PROTOCOL'] as const;

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let server: PrivateServer;
  let elsewhere: PrivateServer;
  let workspace: Workspace;
  const loaded = new Set<string>();
  let rounds = 0;

  beforeAll(async () => {
    server = await privateServer(flavour);
    elsewhere = await privateServer(flavour);
    await query(server, `CREATE DATABASE ${DATABASE}`);
    await query(
      server,
      `CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, cover BLOB);
       CREATE TABLE keyless (round INT, cover BLOB)`,
      DATABASE,
    );
    workspace = await createWorkspace(server, DATABASE, { DB_TIMEOUT_SECONDS: '10' });
    await succeed(['full']);
    await query(elsewhere, `CREATE DATABASE ${DATABASE}`);
  });
  afterAll(async () => {
    await workspace.remove();
    await server.stop();
    await elsewhere.stop();
  });

  async function succeed(args: readonly string[], shop = workspace): Promise<CliResult> {
    const result = await shop.run(args);
    expect(result.code, result.stderr).toBe(0);
    return result;
  }

  /** Transactions of some 64 KB; a row of a table without a key shows whether one comes twice. */
  async function changeSome(bytes = ROUND_BYTES): Promise<void> {
    rounds += 1;
    const connection = await connectTo(server, DATABASE);
    try {
      for (let done = 0; done < bytes; done += 4 * ROW_BYTES) {
        await connection.query(
          `START TRANSACTION; INSERT INTO book (cover) VALUES ${covers(3)};
           INSERT INTO keyless VALUES (${rounds}, ${cover()}); COMMIT`,
        );
      }
      await connection.query('DELETE FROM book ORDER BY id LIMIT 2');
    } finally {
      await connection.end();
    }
  }

  /** What the next run must do, and everything that was saved, loaded without Reshelve. */
  async function expectWhole(shop = workspace): Promise<void> {
    await succeed(['incremental'], shop);
    expect((await namesIn(shop.backups)).filter((name) => /(^|\/)\./.test(name))).toEqual([]);
    const incrementals = (await readdir(join(shop.backups, 'incremental'))).sort();
    const entries = (await entriesOf(shop)).filter(({ type }) => type === 'incremental');
    expect(incrementals.map((name) => `incremental/${name}`)).toEqual(
      entries.flatMap(({ file }) => file ?? []).sort(),
    );
    const files = [...(await shop.finished()), ...incrementals.map((n) => `incremental/${n}`)];
    for (const file of files.filter((one) => !loaded.has(one))) {
      await replayByClient(elsewhere, DATABASE, join(shop.backups, file));
      loaded.add(file);
    }
    const source = await captureState(server, DATABASE);
    expect(compareStates(source, await captureState(elsewhere, DATABASE))).toEqual([]);
  }

  /** Strikes when the server has sent so many bytes, or when `moment` has come. */
  async function strike(
    moment: number | ((pid: number) => Promise<boolean>),
    kind: 'kill' | 'cut',
  ): Promise<CliResult> {
    let act: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => {
      act = resolve;
    });
    const proxy = await startProxy(server, {
      // Slow enough that the strike arrives before the rest does.
      downBytesPerSecond: 8 * MEGABYTE,
      onDown: (chunk, { offset }) => {
        if (typeof moment === 'number' && offset + chunk.length >= moment) act?.();
      },
    });
    try {
      const { child, ended } = workspace.start(['incremental'], { DB_PORT: String(proxy.port) });
      const end = ended.then(() => 'ended' as const);
      if (typeof moment === 'number') await Promise.race([reached, end]);
      else
        while (
          !(await moment(child.pid ?? 0)) &&
          (await Promise.race([end, sleep(2)])) !== 'ended'
        );
      if (kind === 'kill') child.kill('SIGKILL');
      else proxy.cut();
      return await ended;
    } finally {
      await proxy.close();
    }
  }

  test('killed at any byte of the log', async () => {
    await changeSome();
    for (const fraction of [0, ...randomFractions(4), 0.98]) {
      const before = await photograph(workspace);
      const result = await strike(ROUND_BYTES * fraction, 'kill');
      expect(result.signal).toBe('SIGKILL');
      expect((await photograph(workspace)).files).toEqual(before.files);
      await expectNoSecrets(workspace, result, [server.password]);
    }
    await expectWhole();
  });

  /** Of a short log, so that it is read, checked, named and entered within these moments. */
  test('killed some time after its file has begun', async () => {
    for (const delayMs of [0, 20, 50, 100, 200]) {
      await changeSome(MEGABYTE / 4);
      const folder = join(workspace.backups, 'incremental');
      const before = new Set(await readdir(folder));
      const isBegun = async (): Promise<boolean> =>
        (await readdir(folder)).some((name) => name.startsWith('.') && !before.has(name));
      const { child, ended } = workspace.start(['incremental']);
      const end = ended.then(() => 'ended' as const);
      while (!(await isBegun()) && (await Promise.race([end, sleep(1)])) !== 'ended');
      await sleep(delayMs);
      child.kill('SIGKILL');
      await ended;
    }
    await expectWhole();
  });

  /** A finished file that the catalog does not know must not be made a second time. */
  test('killed between the name and the entry', async () => {
    await changeSome(MEGABYTE / 4);
    const folder = join(workspace.backups, 'incremental');
    const catalogPath = join(workspace.backups, 'backup_logs.json');
    await copyFile(catalogPath, `${catalogPath}.kept`);
    const before = new Set(await readdir(folder));
    await succeed(['incremental']);
    const [finished = ''] = (await readdir(folder)).filter((name) => !before.has(name));
    await copyFile(`${catalogPath}.kept`, catalogPath);
    await rm(`${catalogPath}.kept`);
    await changeSome(MEGABYTE / 4);
    const next = await succeed(['incremental']);
    expect(next.stdout).toContain(`Listed incremental/${finished}`);
    await expectWhole();
    await succeed(['verify', '--quick']);
  });

  test('cut off at any byte of the log', async () => {
    await changeSome();
    for (const fraction of randomFractions(5)) {
      const before = await photograph(workspace);
      const result = await strike(ROUND_BYTES * fraction, 'cut');
      await expectFailure(workspace, before, result, {
        codes: LOST,
        names: ['127.0.0.1'],
        secrets: [server.password],
      });
    }
    await expectWhole();
  });

  /** Rows of a prepared XA transaction wait in a file that has no name. */
  test('killed while rows of an XA transaction wait', async () => {
    const connection = await connectTo(server, DATABASE);
    await connection.query("XA START 'waiting'");
    for (let done = 0; done < 7 * MEGABYTE; done += 32 * ROW_BYTES) {
      await connection.query(`INSERT INTO book (cover) VALUES ${covers(32)}`);
    }
    await connection.query("XA END 'waiting'; XA PREPARE 'waiting'");
    await connection.end();
    await changeSome();
    const before = await photograph(workspace);
    const result = await strike(hasNamelessFile, 'kill');
    expect(result.signal).toBe('SIGKILL');
    const cutOff = await strike(hasNamelessFile, 'cut');
    await expectFailure(workspace, before, cutOff, { codes: LOST, names: ['127.0.0.1'] });
    const waiting = (await namesIn(workspace.backups)).filter((name) => name.includes('waiting'));
    expect(waiting).toEqual([]);
    const pending = await workspace.run(['incremental']);
    expect(pending.code, pending.stderr).toBe(3);
    expect(pending.stderr).toContain('XA_PENDING');
    await query(server, "XA COMMIT 'waiting'");
    await expectWhole();
  });

  test.skipIf(NO_MOUNT !== undefined)('the disk is full at any moment', async () => {
    const small = await createWorkspace(server, DATABASE);
    onTestFinished(() => small.remove());
    const disk = await mountBackups(small, 64 * MEGABYTE);
    await succeed(['full'], small);
    await changeSome();
    const before = await photograph(small);
    for (const rest of [0, 4096, 65_536, 2 * MEGABYTE, 3 * MEGABYTE]) {
      const entries = await entriesOf(small);
      await disk.fillExcept(rest);
      const result = await small.run(['incremental']);
      await rm(join(small.backups, 'filler'));
      expect(result.stderr).toContain('error DISK_FULL:');
      expect(result.stderr).toMatch(/^next: .*BACKUP_DIR/m);
      expect(result.code).toBe(1);
      await expectNothingNew(small, before);
      const last = (await entriesOf(small)).at(-1);
      const isRecorded =
        (await entriesOf(small)).length > entries.length && last?.error?.code === 'DISK_FULL';
      expect(isRecorded || result.stderr.includes('NOT_RECORDED'), result.stderr).toBe(true);
      await expectNoSecrets(small, result, [server.password]);
    }
    loaded.clear();
    await query(elsewhere, `DROP DATABASE ${DATABASE}; CREATE DATABASE ${DATABASE}`);
    await expectWhole(small);
  });
});

const cover = (): string => `x'${randomBytes(ROW_BYTES).toString('hex')}'`;

function covers(count: number): string {
  return Array.from({ length: count }, () => `(${cover()})`).join(', ');
}

function randomFractions(count: number): number[] {
  return Array.from({ length: count }, () => Math.random() * 0.9 + 0.05);
}

/** The process has such a file of ours open. */
async function hasNamelessFile(pid: number): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((n) => readlink(join(folder, n)).catch(() => '')));
  return targets.some((target) => /\/\.waiting\..* \(deleted\)$/.test(target));
}
