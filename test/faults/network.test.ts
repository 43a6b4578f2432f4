/** The connection breaks, or carries bytes that the server did not send. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import type { ErrorCode } from '../../src/errors.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { sharedServer } from '../support/servers.js';
import {
  entriesOf,
  expectFailure,
  expectNoSecrets,
  expectNothingNew,
  photograph,
} from './support/aftermath.js';
import { createLibrary } from './support/library.js';
import type { ProxyPlan } from './support/proxy.js';
import { startProxy } from './support/proxy.js';

/** More of them for a longer search: `FAULT_TRIALS=200 npx vitest run test/faults/network.test.ts`. */
const TRIALS = Number(process.env['FAULT_TRIALS'] ?? '3');
const SEED = Number(process.env['FAULT_SEED'] ?? '20260102');
const LOST: readonly ErrorCode[] = ['CONNECTION_LOST', 'CONNECT'];
const HANG_MS = 30_000;

/** Numbers from 0 to 1 that the seed repeats (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In the large ones nearly all faults meet rows, in the small ones everything else. */
const PLACES: readonly (readonly [flavour: Flavour, books: number])[] = [
  ['mysql', 20_000],
  ['mysql', 50],
  ['mariadb', 20_000],
  ['mariadb', 50],
];

describe.each(PLACES)('between here and %s with %i books', (flavour, books) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;
  /** What a run without harm moves. */
  let usual: { bytes: number; packets: number; rows: number };

  /** A full backup through a proxy; a run that never ends is a failure of its own. */
  async function fullThrough(
    plan: (cut: (connection?: number) => void) => ProxyPlan,
  ): Promise<CliResult> {
    const cut = (connection?: number): void => {
      if (connection === undefined) proxy.cut();
      else proxy.cutConnection(connection);
    };
    const proxy = await startProxy(server, plan(cut));
    try {
      const { child, ended } = workspace.start(['full'], { DB_PORT: String(proxy.port) });
      const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
      const result = await ended;
      clearTimeout(timer);
      expect(result.signal, 'the run hangs').toBe(null);
      return result;
    } finally {
      await proxy.close();
    }
  }

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createLibrary(server, { books });
    workspace = await createWorkspace(server, library.name, {
      BACKUP_THREADS: '2',
      DB_TIMEOUT_SECONDS: '5',
    });
    const proxy = await startProxy(server, { onPacket: () => undefined });
    const result = await workspace.run(['full'], { DB_PORT: String(proxy.port) });
    expect(result.code, result.stderr).toBe(0);
    usual = { bytes: proxy.downBytes, packets: proxy.packets, rows: await lastRows(workspace) };
    await proxy.close();
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  test.each(fractions(TRIALS, SEED))('all connections are cut at %f', async (fraction) => {
    const before = await photograph(workspace);
    const limit = Math.floor(usual.bytes * fraction);
    const result = await fullThrough((cut) => ({
      onDown: (chunk, { offset }) => {
        if (offset + chunk.length > limit) cut();
      },
    }));
    await expectFailure(workspace, before, result, {
      codes: LOST,
      names: ['127.0.0.1'],
      secrets: [server.password],
    });
  });

  test.each(fractions(TRIALS, SEED + 1))('one connection is cut at %f', async (fraction) => {
    const before = await photograph(workspace);
    const limit = Math.floor(usual.bytes * fraction);
    let done = false;
    const result = await fullThrough((cut) => ({
      onDown: (chunk, { offset, connection }) => {
        if (done || offset + chunk.length <= limit) return;
        done = true;
        cut(connection);
      },
    }));
    await expectFailure(workspace, before, result, {
      codes: LOST,
      names: ['127.0.0.1'],
      secrets: [server.password],
    });
  });

  test.each(fractions(TRIALS, SEED + 2))('a packet header is damaged at %f', async (fraction) => {
    const before = await photograph(workspace);
    const target = Math.floor((usual.packets - 1) * fraction);
    const bit = Math.floor(fraction * 7919) % 32;
    const result = await fullThrough(() => ({
      onPacket: (header, { ordinal }) => {
        if (ordinal === target) flip(header, bit);
      },
    }));
    await expectFailure(workspace, before, result, {
      // A length that promises more than there is can only be noticed by waiting for it.
      codes: ['PROTOCOL', 'TIMEOUT'],
      names: [/./],
      secrets: [server.password],
    });
  });

  test('the server falls silent half way', async () => {
    const before = await photograph(workspace);
    const limit = Math.floor(usual.bytes * 0.5);
    const result = await fullThrough(() => ({
      onDown: async (chunk, { offset }) => {
        if (offset + chunk.length > limit) await new Promise(() => undefined);
      },
    }));
    await expectFailure(workspace, before, result, {
      codes: ['TIMEOUT'],
      names: ['127.0.0.1', '5 s'],
      next: /PROCESSLIST/,
      secrets: [server.password],
    });
  });

  /**
   * A flipped bit inside a value makes another value of it, which nobody can notice without TLS;
   * everything else must be noticed. In no case may rows be lost or the failure look like ours.
   */
  test.each(fractions(TRIALS, SEED + 3))('one bit is flipped at %f', async (fraction) => {
    const before = await photograph(workspace);
    const target = Math.floor(usual.bytes * fraction);
    const bit = Math.floor(fraction * 7919) % 8;
    const result = await fullThrough(() => ({
      onDown: (chunk, { offset }) => {
        if (target >= offset && target < offset + chunk.length) {
          flip(chunk, (target - offset) * 8 + bit);
        }
      },
    }));
    await expectNoSecrets(workspace, result, [server.password]);
    expect(result.stderr).not.toContain('INTERNAL');
    if (result.code === 0) expect(await lastRows(workspace)).toBe(usual.rows);
    else await expectNothingNew(workspace, before);
  });
});

test('a server that accepts and says nothing', async () => {
  const proxy = await startProxy({ host: '127.0.0.1', port: 1 }, { silent: true });
  const workspace = await createWorkspace(
    { host: proxy.host, port: proxy.port, user: 'root', password: 'Geheim-silent' },
    'library',
  );
  const before = await photograph(workspace);
  const result = await workspace.run(['full']);
  await expectFailure(workspace, before, result, {
    codes: ['CONNECT', 'TIMEOUT'],
    names: [`127.0.0.1:${proxy.port}`],
    next: /DB_HOST|server/,
    secrets: ['Geheim-silent'],
  });
  await proxy.close();
  await workspace.remove();
});

test('nobody listens there', async () => {
  const workspace = await createWorkspace(
    { host: '127.0.0.1', port: 1, user: 'root', password: 'Geheim-nobody' },
    'library',
  );
  const before = await photograph(workspace);
  const result = await workspace.run(['full']);
  await expectFailure(workspace, before, result, {
    codes: ['CONNECT'],
    names: ['127.0.0.1:1', 'ECONNREFUSED'],
    next: /DB_HOST/,
    secrets: ['Geheim-nobody'],
  });
  await workspace.remove();
});

function fractions(count: number, seed: number): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => Number(random().toFixed(5)));
}

function flip(bytes: Buffer, bit: number): void {
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
}

async function lastRows(workspace: Workspace): Promise<number> {
  const last = (await entriesOf(workspace)).at(-1) as { rows?: number } | undefined;
  return last?.rows ?? -1;
}
