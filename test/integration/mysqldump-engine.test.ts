/**
 * Goal: BACKUP_ENGINE=mysqldump is held to the same standard. Method: Oracle's and MariaDB's own program
 * write a backup that is verified and restored; programs that fail in each way leave no backup.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, onTestFinished } from 'vitest';
import { clientTool, ensureMariadb, ensureMysql, type ServerAddress } from '../../sandbox/index.js';
import { createWorkspace, type Workspace } from '../support/cli.js';
import {
  createDatabase,
  privateServer,
  query,
  sharedServer,
  type TestDatabase,
} from '../support/servers.js';

const PROGRAMS = [
  ['mysql', 'mysqldump'],
  ['mariadb', 'mariadb-dump'],
] as const;

describe.each(PROGRAMS)('on %s with %s', (flavour, program) => {
  let server: ServerAddress;
  beforeAll(async () => {
    server = await sharedServer(flavour);
  });

  test('a backup is written, verified and restored', async () => {
    const { workspace, database } = await prepare(server, await commandFor(program));
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    const [entry] = await workspace.catalog();
    expect(entry).toMatchObject({ type: 'full', status: 'success', consistency: 'mysqldump' });

    const quick = await workspace.run(['verify', '--quick']);
    expect(quick.code, quick.stderr).toBe(0);
    expect(quick.stdout).toContain('whole, as far as a file without digests lets one tell');
    expect(quick.stdout).not.toMatch(/critical tables|match their digests|PASSED/);
    const verified = await workspace.run(['verify']);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/BOOK +2\n/);

    await query(server, 'DROP TABLE BOOK', database.name);
    const restored = await workspace.run(['restore', '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    expect(await query(server, 'SELECT title FROM BOOK ORDER BY id', database.name)).toEqual([
      { title: 'Emma' },
      { title: 'Ä ö\nü' },
    ]);
  });
});

const COMPLETE = "echo 'CREATE TABLE BOOK (id INT);'; echo '-- Dump completed on 2026-01-02'";

test.each([
  ['exit code 3: no good', `${COMPLETE}; echo no good >&2; exit 3`],
  ['signal SIGKILL', `${COMPLETE}; kill -9 $$`],
  ['without its last line', "echo 'CREATE TABLE BOOK (id INT);'"],
])('%s is a failure, and leaves no file', async (said, script) => {
  const { workspace } = await prepare(await sharedServer('mysql'), script);
  const full = await workspace.run(['full']);
  expect(full.code).toBe(1);
  expect(full.stderr).toContain('EXTERNAL_TOOL');
  expect(full.stderr).toContain(said);
  expect((await readdir(workspace.backups)).filter((name) => name.includes('.gz'))).toEqual([]);
  const [entry] = await workspace.catalog();
  expect(entry).toMatchObject({ status: 'failed', error: { code: 'EXTERNAL_TOOL' } });
});

test('a privilege that the program lacks is named with its GRANT', async () => {
  const server = await privateServer('mysql', {
    options: ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  });
  const { workspace, database } = await prepare(server, await commandFor('mysqldump'));
  await query(
    server,
    `CREATE USER 'guide'@'%' IDENTIFIED BY 'guide-password';
     GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON \`${database.name}\`.* TO 'guide'@'%'`,
  );
  const as = { DB_USER: 'guide', DB_PASS: 'guide-password' };
  const full = await workspace.run(['full'], as);
  expect(full.code, full.stderr).toBe(1);
  const [, grant = ''] =
    /next: Run as an administrator: (GRANT \w+ ON .*)…;/.exec(full.stderr) ?? [];
  expect(grant, full.stderr).toMatch(/^GRANT (RELOAD|FLUSH_TABLES|PROCESS) ON/);
  await query(server, `${grant}'%'`);
  const again = await workspace.run(['full'], as);
  expect(again.code, again.stderr).toBe(0);
});

test('a program that is not there is named', async () => {
  const { workspace } = await prepare(await sharedServer('mysql'), 'exit 0');
  const full = await workspace.run(['full'], { BACKUP_MYSQLDUMP_PATH: '/nowhere/mysqldump' });
  expect(full.code).toBe(1);
  expect(full.stderr).toContain('cannot run /nowhere/mysqldump (ENOENT)');
});

interface Prepared {
  readonly workspace: Workspace;
  readonly database: TestDatabase;
}

/** A library, and settings that name a shell script with `body` as the program. */
async function prepare(server: ServerAddress, body: string): Promise<Prepared> {
  const database = await createDatabase(server, 'dumped');
  await query(
    server,
    `CREATE TABLE BOOK (id INT PRIMARY KEY, title VARCHAR(20));
     INSERT INTO BOOK VALUES (1, 'Emma'), (2, 'Ä ö\\nü')`,
    database.name,
  );
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-program-'));
  const script = join(folder, 'program');
  await writeFile(script, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const workspace = await createWorkspace(server, database.name, {
    BACKUP_ENGINE: 'mysqldump',
    BACKUP_MYSQLDUMP_PATH: script,
  });
  onTestFinished(async () => {
    await workspace.remove();
    await rm(folder, { recursive: true, force: true });
  });
  return { workspace, database };
}

/** Passes the settings' arguments on to the real program, which may need its own loader. */
async function commandFor(program: 'mysqldump' | 'mariadb-dump'): Promise<string> {
  const { command, argsPrefix } = clientTool(
    program === 'mysqldump' ? await ensureMysql() : await ensureMariadb(),
    program,
  );
  return `exec ${[command, ...argsPrefix].map((word) => `'${word}'`).join(' ')} "$@"`;
}
