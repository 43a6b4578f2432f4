/** The run itself ends early: killed without warning, or asked to stop. */
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import type { Photograph } from './support/aftermath.js';
import {
  entriesOf,
  expectFailure,
  expectNoSecrets,
  namesIn,
  photograph,
} from './support/aftermath.js';
import { createLibrary } from './support/library.js';
import type { Proxy } from './support/proxy.js';
import { startProxy } from './support/proxy.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;
  let usualBytes = 0;
  let rows: number | undefined;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createLibrary(server);
    workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    const proxy = await startProxy(server);
    const result = await workspace.run(['full'], { DB_PORT: String(proxy.port) });
    expect(result.code, result.stderr).toBe(0);
    usualBytes = proxy.downBytes;
    rows = (await entriesOf(workspace)).at(-1)?.rows;
    await proxy.close();
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  /** Sends `signal` when the server has sent this part of what a full backup takes. */
  async function endedAt(fraction: number, signal: NodeJS.Signals): Promise<CliResult> {
    let kill = (): void => undefined;
    const proxy: Proxy = await startProxy(server, {
      // Slow enough that the signal arrives before the rest does.
      downBytesPerSecond: 20_000_000,
      onDown: (chunk, { offset }) => {
        if (offset + chunk.length >= usualBytes * fraction) kill();
      },
    });
    try {
      const { child, ended } = workspace.start(['full'], { DB_PORT: String(proxy.port) });
      kill = () => {
        kill = () => undefined;
        child.kill(signal);
      };
      return await ended;
    } finally {
      await proxy.close();
    }
  }

  /** What a killed run leaves must not be mistaken for a backup, nor stop the next run. */
  async function expectRecovery(before: Photograph): Promise<void> {
    for (const [name, hash] of before.files) {
      expect((await photograph(workspace)).files.get(name)).toBe(hash);
    }
    const next = await workspace.run(['full']);
    expect(next.code, next.stderr).toBe(0);
    expect((await entriesOf(workspace)).at(-1)).toMatchObject({ status: 'success', rows });
    const left = (await namesIn(workspace.backups)).filter((name) => name.startsWith('.'));
    expect(left).toEqual([]);
    const { code, stderr } = await workspace.run(['verify', '--quick']);
    expect(code, stderr).toBe(0);
  }

  test.each([0.01, 0.25, 0.5, 0.99])('killed at %f', async (fraction) => {
    const before = await photograph(workspace);
    const result = await endedAt(fraction, 'SIGKILL');
    expect(result.signal).toBe('SIGKILL');
    expect((await photograph(workspace)).files).toEqual(before.files);
    await expectNoSecrets(workspace, result, [server.password]);
    await expectRecovery(before);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s half way', async (signal) => {
    const before = await photograph(workspace);
    const result = await endedAt(0.5, signal);
    await expectFailure(workspace, before, result, {
      codes: ['INTERRUPTED'],
      names: [signal],
      next: /again/,
      secrets: [server.password],
    });
    await expectRecovery(before);
  });

  test('SIGINT as soon as it starts', async () => {
    const before = await photograph(workspace);
    const result = await endedAt(0, 'SIGINT');
    await expectFailure(workspace, before, result, {
      codes: ['INTERRUPTED'],
      names: ['SIGINT'],
      secrets: [server.password],
    });
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('%s while a copy is verified', async (signal) => {
    const before = await photograph(workspace);
    const copy = `${library.name}_verify_test`;
    const { child, ended } = workspace.start(['verify']);
    await untilTableExists(server, copy);
    child.kill(signal);
    const result = await ended;
    if (signal === 'SIGINT') {
      await expectFailure(workspace, before, result, { codes: ['INTERRUPTED'], names: [signal] });
      expect(await databaseExists(server, copy)).toBe(false);
    }
    const next = await workspace.run(['verify']);
    expect(next.code, next.stderr).toBe(0);
    expect(await databaseExists(server, copy)).toBe(false);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('%s while a copy is restored', async (signal) => {
    const before = await photograph(workspace);
    const target = await createDatabase(server, 'into');
    const args = ['restore', '--into', target.name, '--yes'];
    const { child, ended } = workspace.start(args);
    await untilTableExists(server, target.name);
    child.kill(signal);
    const result = await ended;
    if (signal === 'SIGINT') {
      await expectFailure(workspace, before, result, { codes: ['INTERRUPTED'], names: [signal] });
      expect(result.stderr).toMatch(new RegExp(`${target.name}.*(incomplete|only a part)`));
    }
    const next = await workspace.run(args);
    expect(next.code, next.stderr).toBe(0);
    const [count] = await query(server, `SELECT COUNT(*) AS n FROM \`${target.name}\`.book`);
    expect(count?.['n']).toBe(20_000);
  });
});

/** A kill after the rename finds a complete backup; it must be kept, and known again. */
test('killed when the file has its name', async () => {
  const server = await sharedServer('mysql');
  const library = await createLibrary(server, { books: 200 });
  const workspace = await createWorkspace(server, library.name);
  expect((await workspace.run(['full'])).code).toBe(0);
  const before = await photograph(workspace);
  const { child, ended } = workspace.start(['full']);
  const watcher = watch(workspace.backups, () => {
    void readdir(workspace.backups).then((names) => {
      const finished = names.filter((name) => /^[^.].*\.sql\.gz$/.test(name));
      if (finished.length > before.files.size) child.kill('SIGKILL');
    });
  });
  await ended;
  watcher.close();
  const after = await photograph(workspace);
  for (const [name, hash] of before.files) expect(after.files.get(name)).toBe(hash);
  for (const name of after.files.keys()) {
    const { code, stderr } = await workspace.run(['verify', join(workspace.backups, name)]);
    expect(code, stderr).toBe(0);
  }
  const next = await workspace.run(['full']);
  expect(next.code, next.stderr).toBe(0);
  await workspace.remove();
});

async function untilTableExists(server: ServerAddress, database: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const tables = await query(
      server,
      `SELECT 1 FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = 'book'`,
    );
    if (tables.length > 0) return;
  }
  throw new Error(`expected ${database}.book to appear`);
}

async function databaseExists(server: ServerAddress, database: string): Promise<boolean> {
  const found = await query(
    server,
    `SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '${database}'`,
  );
  return found.length > 0;
}
