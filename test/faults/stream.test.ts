/**
 * Continuous capture that is killed, cut off, left without its server or without room, at random moments
 * while rows are written. Afterwards full backup and segments give exactly the source, each segment begins
 * where the one before ends, and no transaction is in two of them. RESHELVE_STREAM_ROUNDS (4 unless set) says
 * how often it is struck.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { copyFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { connectTo, privateServer, query } from '../support/servers.js';
import { namesIn } from './support/aftermath.js';
import { mountBackups, NO_MOUNT } from './support/limited.js';
import { startProxy } from './support/proxy.js';

const DATABASE = 'lib';
const ROUNDS = Number(process.env['RESHELVE_STREAM_ROUNDS'] ?? 4);
const WAIT_MS_MAX = 90_000;
const SETTINGS = { BACKUP_STREAM_SEGMENT_SECONDS: '1', DB_TIMEOUT_SECONDS: '20' };
const MEGABYTE = 1024 * 1024;

interface Entry {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly file: string | null;
  readonly baseId?: string;
  readonly coordinates?: Place;
  readonly chain?: { readonly fullId: string; readonly from?: Place };
}

interface Place {
  readonly binlogFile: string | null;
  readonly position: number | null;
}

type Running = ReturnType<Workspace['start']>;

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let server: PrivateServer;

  beforeAll(async () => {
    server = await privateServer(flavour);
    await query(
      server,
      `CREATE DATABASE ${DATABASE}; USE ${DATABASE};
       CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, cover BLOB);
       CREATE TABLE keyless (note INT, cover BLOB)`,
    );
  });
  afterAll(async () => {
    await server.stop();
  });

  async function createShop(settings: Record<string, string> = {}): Promise<Workspace> {
    const shop = await createWorkspace(server, DATABASE, { ...SETTINGS, ...settings });
    onTestFinished(() => shop.remove());
    return shop;
  }

  async function succeed(shop: Workspace, args: readonly string[]): Promise<void> {
    const { code, stderr } = await shop.run(args);
    expect(code, stderr).toBe(0);
  }

  function start(shop: Workspace, environment: Record<string, string> = {}): Running {
    const running = shop.start(['stream'], environment);
    onTestFinished(() => {
      running.child.kill('SIGKILL');
    });
    return running;
  }

  /** Small transactions, one after the other, and now and then a big one, until it is told to end. */
  function startWriter(): { readonly stop: () => Promise<void> } {
    const stop = new AbortController();
    const work = (async () => {
      for (let note = 0; !stop.signal.aborted; note += 1) {
        try {
          const connection = await connectTo(server, DATABASE);
          try {
            for (let many = 0; many < 20; many += 1) {
              const bytes = Math.random() < 0.05 ? 60_000 : 200;
              await connection.query(
                `START TRANSACTION; INSERT INTO book (cover) VALUES (${hex(bytes)}), (${hex(bytes)});
                 INSERT INTO keyless VALUES (${note}, ${hex(bytes)}); COMMIT`,
              );
              await sleep(5);
            }
            await connection.query('DELETE FROM book ORDER BY id LIMIT 5');
          } finally {
            connection.destroy();
          }
        } catch {
          // Its server is down; what was not committed is not in the source either.
          await sleep(100);
        }
      }
    })();
    return {
      stop: async () => {
        stop.abort();
        await work;
      },
    };
  }

  async function end({ child, ended }: Running): Promise<string> {
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code, stdout + stderr).toBe(0);
    return stdout;
  }

  async function expectWhole(shop: Workspace): Promise<void> {
    expect((await namesIn(shop.backups)).filter((name) => /(^|\/)\./.test(name))).toEqual([]);
    const entries = (await shop.catalog()) as unknown as Entry[];
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    const seen = new Map<string, string>();
    const segments = entries.filter((e) => e.type === 'incremental' && e.status !== 'failed');
    for (const { file, baseId, chain } of segments) {
      const from = pick(chain?.from);
      expect(from, file ?? '').toEqual(pick(byId.get(baseId ?? '')?.coordinates));
      for (const transaction of transactionsIn(join(shop.backups, file ?? ''))) {
        const key = `${chain?.fullId ?? ''} ${transaction}`;
        expect(seen.get(key), `${transaction} is in ${file ?? ''} too`).toBeUndefined();
        seen.set(key, file ?? '');
      }
    }
    expect(segments.length).toBeGreaterThan(0);
    const { code, stderr } = await shop.run(['restore', '--into', 'copy', '--yes']);
    expect(code, stderr).toBe(0);
    const source = await captureState(server, DATABASE);
    expect(compareStates(source, await captureState(server, 'copy'))).toEqual([]);
  }

  async function untilSaid(running: Running, pattern: RegExp): Promise<void> {
    let said = '';
    const listen = (text: string): void => {
      said += text;
    };
    running.child.stdout?.on('data', listen);
    running.child.stderr?.on('data', listen);
    const deadline = performance.now() + WAIT_MS_MAX;
    while (!pattern.test(said)) {
      if (performance.now() > deadline) throw new Error(`expected ${String(pattern)} in: ${said}`);
      await sleep(20);
    }
  }

  test('killed, cut off, and without its server at random moments', async () => {
    const shop = await createShop();
    await succeed(shop, ['full']);
    const proxy = await startProxy(server);
    const environment = { DB_PORT: String(proxy.port) };
    const writer = startWriter();
    let running = start(shop, environment);
    for (let round = 0; round < ROUNDS; round += 1) {
      await sleep(randomInt(300, 2500));
      const strike = (['kill', 'cut', 'kill', 'server'] as const)[round % 4];
      if (strike === 'kill') {
        running.child.kill('SIGKILL');
        await running.ended;
        running = start(shop, environment);
      } else if (strike === 'cut') {
        proxy.cut();
      } else {
        await server.kill();
        await server.restart();
      }
    }
    await untilSaid(running, /Segment saved/);
    await writer.stop();
    await end(running);
    await proxy.close();
    await expectWhole(shop);
  });

  test('killed between the name and the entry of a segment', async () => {
    const shop = await createShop();
    await succeed(shop, ['full']);
    const catalogPath = join(shop.backups, 'backup_logs.json');
    await copyFile(catalogPath, `${catalogPath}.kept`);
    await query(server, 'INSERT INTO keyless VALUES (-1, NULL)', DATABASE);
    const first = start(shop);
    await untilSaid(first, /Segment saved/);
    first.child.kill('SIGKILL');
    await first.ended;
    await copyFile(`${catalogPath}.kept`, catalogPath);
    await rm(`${catalogPath}.kept`);
    await query(server, 'INSERT INTO keyless VALUES (-2, NULL)', DATABASE);
    expect(await end(await followed(start(shop)))).toMatch(/Listed incremental\/incremental_lib_/);
    await expectWhole(shop);
  });

  async function followed(running: Running): Promise<Running> {
    await untilSaid(running, /Capturing every change/);
    return running;
  }

  test.skipIf(NO_MOUNT !== undefined)(
    'the disk is full: it waits, and gives up in the end',
    async () => {
      const shop = await createShop();
      const disk = await mountBackups(shop, 64 * MEGABYTE);
      await succeed(shop, ['full']);
      for (const [rest, retrySeconds] of [
        [65_536, '60'],
        [0, '60'],
        [65_536, '1'],
      ] as const) {
        const running = await followed(start(shop, { BACKUP_STREAM_RETRY_SECONDS: retrySeconds }));
        disk.shrinkTo(rest);
        await query(server, `INSERT INTO book (cover) VALUES ${rows(20)}`, DATABASE);
        await untilSaid(running, /DISK_FULL/);
        if (retrySeconds === '1') {
          const { code, stderr } = await running.ended;
          expect(code, stderr).toBe(1);
          expect(stderr).toMatch(/error DISK_FULL: .*\nnext: .*BACKUP_DIR/);
        }
        disk.resize(64 * MEGABYTE);
        if (retrySeconds === '1') continue;
        await untilSaid(running, /Segment saved/);
        await end(running);
      }
      await end(await followed(start(shop)));
      await expectWhole(shop);
    },
  );
});

const hex = (bytes: number): string => `x'${randomBytes(bytes).toString('hex')}'`;

function rows(count: number): string {
  return Array.from({ length: count }, () => `(${hex(20_000)})`).join(', ');
}

const pick = (place: Place | undefined): unknown => [place?.binlogFile, place?.position];

/** Where each transaction stood in the log, read without our own reader. */
function transactionsIn(path: string): string[] {
  const sql = gunzipSync(readFileSync(path)).toString('latin1');
  return [...sql.matchAll(/^-- @transaction (\{.*\})$/gm)].flatMap(([, json = '']) => {
    const marker = JSON.parse(json) as { file: string; start: number; continued?: boolean };
    return marker.continued === true ? [] : [`${marker.file}:${marker.start}`];
  });
}
