/**
 * What others do while a backup runs: the server dies, a privilege goes, a table is altered, a second
 * run begins, the catalog is damaged, the clock jumps.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { EXIT } from '../../src/errors.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { createDatabase, privateServer, query, sharedServer } from '../support/servers.js';
import { entriesOf, expectFailure, namesIn, photograph } from './support/aftermath.js';
import type { TestUser } from './support/library.js';
import { createLibrary, createUser } from './support/library.js';
import type { ProxyPlan } from './support/proxy.js';
import { startProxy } from './support/proxy.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createLibrary(server, { routines: false });
    workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    await query(server, 'ANALYZE TABLE book, loan, member', library.name);
    const { code, stderr } = await workspace.run(['full']);
    expect(code, stderr).toBe(0);
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  /** Calls `act` once, when the server has sent that many bytes; they wait for it. */
  async function portThatActs(bytes: number, act: () => Promise<unknown>): Promise<string> {
    let acted = false;
    return portOf({
      onDown: async (chunk, { offset }) => {
        if (acted || offset + chunk.length < bytes) return;
        acted = true;
        await act();
      },
    });
  }

  async function portOf(plan: ProxyPlan): Promise<string> {
    const proxy = await startProxy(server, plan);
    onTestFinished(() => proxy.close());
    return String(proxy.port);
  }

  test('a privilege is revoked before the second reader connects', async () => {
    const { user, password } = await createUser(server, library.name);
    let isRevoked = false;
    const port = await portOf({
      onDown: async (_, { connection }) => {
        if (isRevoked || connection === 0) return;
        isRevoked = true;
        await query(server, `REVOKE SELECT ON \`${library.name}\`.* FROM '${user}'@'127.0.0.1'`);
      },
    });
    const before = await photograph(workspace);
    const as = { DB_USER: user, DB_PASS: password, DB_PORT: port };
    const result = await workspace.run(['full'], as);
    expect(isRevoked).toBe(true);
    await expectFailure(workspace, before, result, {
      codes: ['PRIVILEGE'],
      names: [/SELECT/],
      secrets: [password],
    });
  });

  /** As the guide's user, with one reader, which is about to read `book` and then `loan`. */
  async function fullWhile(act: () => Promise<unknown>): Promise<CliResult & TestUser> {
    const as = await createUser(server, library.name);
    const port = await portOf({
      onUp: async (chunk) => {
        if (chunk.includes('`summary`, `price` FROM `book`')) await act();
      },
    });
    const environment = { DB_USER: as.user, DB_PASS: as.password, DB_PORT: port };
    return { ...as, ...(await workspace.run(['full'], { ...environment, BACKUP_THREADS: '1' })) };
  }

  test('a table that is not read yet is altered once: it begins again', async () => {
    let alters = 0;
    const { code, stdout, stderr } = await fullWhile(async () => {
      alters += 1;
      if (alters > 1) return;
      await query(server, 'ALTER TABLE loan ADD COLUMN phone CHAR(9)', library.name);
    });
    expect(alters).toBe(2);
    expect({ code, stderr }).toMatchObject({ code: EXIT.warnings });
    expect(stdout).toMatch(/^Starting again, because .*loan/m);
    const verified = await workspace.run(['verify']);
    expect(verified.code, verified.stderr).toBe(0);
    const copy = await createDatabase(server, 'altered');
    const restored = await workspace.run(['restore', '--into', copy.name, '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    const [row] = await query(server, 'SELECT COUNT(phone) AS n FROM loan', copy.name);
    expect(row).toEqual({ n: 0 });
  });

  test('a table that is not read yet is altered each time: at last it is held still', async () => {
    const alters: Promise<unknown>[] = [];
    const { code, stdout, stderr } = await fullWhile(async () => {
      const add = `ALTER TABLE loan ADD COLUMN phone${alters.length} CHAR(9)`;
      const alter = query(server, add, library.name);
      alters.push(alter);
      await Promise.race([alter, waitUntilBlocked(add)]);
    });
    await Promise.all(alters);
    expect(alters).toHaveLength(3);
    expect({ code, stderr }).toMatchObject({ code: EXIT.warnings });
    expect(stdout.match(/^Starting again, because .*loan/gm)).toHaveLength(2);
    const copy = await createDatabase(server, 'altered');
    const restored = await workspace.run(['restore', '--into', copy.name, '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    const [row] = await query(server, 'SELECT COUNT(phone1) AS n FROM loan', copy.name);
    expect(row).toEqual({ n: 0 });
  });

  async function waitUntilBlocked(statement: string): Promise<void> {
    const waits = `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST
      WHERE STATE LIKE 'Waiting for table metadata lock' AND INFO = '${statement}'`;
    for (;;) {
      const [row] = await query(server, waits);
      if (Number(row?.['n']) > 0) return;
      await delay(50);
    }
  }

  test('a second run begins, in the same directory and in another', async () => {
    const elsewhere = await createWorkspace(server, library.name);
    onTestFinished(() => elsewhere.remove());
    const seconds: Promise<{ code: number | null; stderr: string }>[] = [];
    const port = await portThatActs(1_500_000, async () => {
      seconds.push(workspace.run(['full']), elsewhere.run(['full']));
      await Promise.all(seconds);
    });
    const { code, stderr } = await workspace.run(['full'], { DB_PORT: port });
    expect(code, stderr).toBe(0);
    const [same, other] = await Promise.all(seconds);
    expect(same).toMatchObject({ code: 6 });
    expect(same?.stderr).toMatch(/^error LOCKED: .*pid \d+/m);
    expect(other).toMatchObject({ code: 6 });
    expect(other?.stderr).toMatch(new RegExp(`^error LOCKED: .*${library.name}`, 'm'));
    for (const one of [same, other]) expect(one?.stderr).toMatch(/^next: \S.{10,}$/m);
    expect(await elsewhere.finished()).toEqual([]);
  });
});

test.each(FLAVOURS)('%s is killed half way', async (flavour) => {
  const server = await privateServer(flavour);
  const library = await createLibrary(server);
  const workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
  onTestFinished(() => workspace.remove());
  expect((await workspace.run(['full'])).code).toBe(0);
  const before = await photograph(workspace);
  let killed: Promise<unknown> | undefined;
  const proxy = await startProxy(server, {
    onDown: async (chunk, { offset }) => {
      if (offset + chunk.length < 2_000_000) return;
      killed ??= server.kill();
      await killed;
    },
  });
  onTestFinished(() => proxy.close());
  const result = await workspace.run(['full'], { DB_PORT: String(proxy.port) });
  expect(killed).toBeDefined();
  await expectFailure(workspace, before, result, {
    codes: ['CONNECTION_LOST', 'CONNECT'],
    names: ['127.0.0.1'],
    secrets: [server.password],
  });
});

/**
 * A table without transactions is locked by one of our sessions; once somebody flushes tables, no other
 * session of ours opens it any more.
 */
test('tables are flushed while one is held locked: it begins again', async () => {
  const server = await privateServer('mysql');
  const library = await createLibrary(server, { books: 50 });
  await query(server, 'CREATE TABLE note (id INT) ENGINE = MyISAM', library.name);
  await query(server, 'INSERT INTO note VALUES (1), (2)', library.name);
  const workspace = await createWorkspace(server, library.name);
  onTestFinished(() => workspace.remove());
  let isFlushed = false;
  const proxy = await startProxy(server, {
    onUp: async (chunk) => {
      if (isFlushed || !/SHOW CREATE TABLE .*`note`/.test(chunk.toString('latin1'))) return;
      isFlushed = true;
      // It waits for our lock, and gives up; what it has flushed stays so.
      const flush = query(server, 'SET SESSION lock_wait_timeout = 1; FLUSH TABLES', library.name);
      await expect(flush).rejects.toThrow(/Lock wait timeout/);
    },
  });
  onTestFinished(() => proxy.close());
  const { code, stdout, stderr } = await workspace.run(['full'], { DB_PORT: String(proxy.port) });
  expect(isFlushed).toBe(true);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^Starting again, because .*locked by others for too long/m);
  const verified = await workspace.run(['verify']);
  expect(verified.code, verified.stderr).toBe(0);
});

/** The process's clock is moved from without, when its first output comes or from the start. */
describe('the clock', () => {
  const HOUR_MS = 3600_000;

  async function clockMovedBy(ms: number, afterMs: number): Promise<Record<string, string>> {
    const directory = await mkdtemp(join(tmpdir(), 'reshelve-clock-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'clock.mjs');
    await writeFile(path, clockModule(ms, afterMs));
    return { NODE_OPTIONS: `--import=${path}` };
  }

  test.each([
    ['an hour back before it starts', -HOUR_MS, 0],
    ['an hour back while it runs', -HOUR_MS, 600],
    ['ten years on while it runs', 87_600 * HOUR_MS, 600],
  ])('jumps %s', async (_, ms, afterMs) => {
    const server = await sharedServer('mysql');
    const library = await createLibrary(server, { books: 200 });
    onTestFinished(() => library.drop());
    const workspace = await createWorkspace(server, library.name, { BACKUP_RETENTION: '2' });
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    expect((await workspace.run(['verify'])).code).toBe(0);
    const [first = ''] = await workspace.finished();
    const jumped = await workspace.run(['full'], await clockMovedBy(ms, afterMs));
    expect(jumped.code, jumped.stderr).toBe(0);
    const next = await workspace.run(['full']);
    expect(next.code, next.stderr).toBe(0);
    const files = await workspace.finished();
    expect(files).toContain(first);
    for (const file of files) {
      const { code, stderr } = await workspace.run(['verify', '--quick', join('backups', file)]);
      expect(code, stderr).toBe(0);
    }
  });
});

/** Date is what its module says; the process's own steady clock stays. */
function clockModule(ms: number, afterMs: number): string {
  return `
    const Real = Date;
    const shift = () => (performance.now() >= ${afterMs} ? ${ms} : 0);
    globalThis.Date = class extends Real {
      constructor(...args) {
        if (args.length === 0) super(Real.now() + shift());
        else super(...args);
      }
      static now() {
        return Real.now() + shift();
      }
    };`;
}

describe('the catalog is damaged', () => {
  test.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['overwritten with zeros', (text: string) => '\0'.repeat(text.length)],
    ['empty', () => ''],
  ])('%s', async (_, damage) => {
    const server = await sharedServer('mysql');
    const library = await createLibrary(server, { books: 50 });
    onTestFinished(() => library.drop());
    const workspace = await createWorkspace(server, library.name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const before = await photograph(workspace);
    const path = join(workspace.backups, 'backup_logs.json');
    const damaged = damage(await readFile(path, 'utf8'));
    await writeFile(path, damaged);
    const { code, stderr } = await workspace.run(['full']);
    expect({ code, stderr }).toMatchObject({ code: EXIT.warnings });
    expect(stderr).toMatch(/^warning CATALOG_REBUILT: .*backup_logs\.json is damaged/m);
    for (const [file, sum] of before.files) {
      expect((await photograph(workspace)).files.get(file)).toBe(sum);
    }
    expect((await entriesOf(workspace)).map(({ file }) => file)).toEqual(
      await workspace.finished(),
    );
    const kept = (await namesIn(workspace.backups)).find((name) => name.includes('.damaged-'));
    expect(await readFile(join(workspace.backups, String(kept)), 'utf8')).toBe(damaged);
  });
});
