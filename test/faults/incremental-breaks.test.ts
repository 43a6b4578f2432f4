/**
 * Chains that break, through the command line on real servers: exit 5 with the reason and the next
 * step, and the old chain still restores.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { runClient } from '../../sandbox/index.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

const FULL = /^next: .*`reshelve full`/m;

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let server: PrivateServer;
  const resetStatement = flavour === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';

  beforeAll(async () => {
    // Without GTIDs there are only files and positions to tell by.
    server = await privateServer(flavour, {
      options: flavour === 'mysql' ? ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] : [],
    });
  });
  afterAll(async () => {
    await server.stop();
  });

  /** A chain of a full backup and an incremental: rows 1 and 2. */
  async function makeChain(): Promise<{ workspace: Workspace; name: string }> {
    const { name } = await createDatabase(server, 'lib');
    await query(server, 'CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)', name);
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    await succeed(workspace, ['full']);
    await query(server, 'INSERT INTO t VALUES (2)', name);
    await succeed(workspace, ['incremental']);
    return { workspace, name };
  }

  async function expectBreak(
    workspace: Workspace,
    reason: RegExp,
    next: RegExp,
  ): Promise<CliResult> {
    const result = await workspace.run(['incremental']);
    expect(result.stderr).toMatch(/^error CHAIN_GAP: no incremental can follow: /m);
    expect(result.stderr).toMatch(reason);
    expect(result.stderr).toMatch(next);
    expect(result.code).toBe(5);
    return result;
  }

  async function expectRestored(workspace: Workspace, rows: readonly number[]): Promise<void> {
    const copy = await createDatabase(server, 'copy');
    await succeed(workspace, ['restore', '--into', copy.name, '--yes']);
    expect(await rowsOf(copy.name)).toEqual(rows);
  }

  async function rowsOf(database: string): Promise<unknown[]> {
    return (await query(server, 'SELECT a FROM t ORDER BY a', database)).map(({ a }) => a);
  }

  it('the files of the log were purged', async () => {
    const { workspace, name } = await makeChain();
    await query(server, 'INSERT INTO t VALUES (3); FLUSH BINARY LOGS', name);
    // A dump that was just cut may hold a file for a moment.
    for (let attempt = 0, files = 2; attempt < 100 && files > 1; attempt += 1) {
      const names = (await query(server, 'SHOW BINARY LOGS')).map((file) => file['Log_name']);
      await query(server, `PURGE BINARY LOGS TO '${String(names.at(-1))}'`);
      files = names.length;
      await sleep(50);
    }
    await expectBreak(workspace, /does not have \S+\.\d+ any more/, FULL);
    expect((await workspace.catalog()).at(-1)).toMatchObject({
      status: 'failed',
      error: { code: 'CHAIN_GAP' },
    });
    await expectRestored(workspace, [1, 2]);
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(3);
    expect(full.stderr).toMatch(/^warning CHAIN_NOT_CLOSED: .*does not have \S+\.\d+ any more/m);
    await query(server, 'INSERT INTO t VALUES (4)', name);
    await succeed(workspace, ['incremental']);
    await expectRestored(workspace, [1, 2, 3, 4]);
  });

  it('the log was begun anew', async () => {
    const { workspace, name } = await makeChain();
    await sleep(1100);
    await query(server, resetStatement);
    for (let a = 10; a < 60; a += 1) await query(server, `INSERT INTO t VALUES (${a})`, name);
    await expectBreak(workspace, /is another file than|does not have \S+ any more|bytes now/, FULL);
    await expectRestored(workspace, [1, 2]);
  });

  it('another server has a database of that name', async () => {
    const { workspace, name } = await makeChain();
    const stranger = await privateServer(flavour);
    await query(
      stranger,
      `CREATE DATABASE ${name}; CREATE TABLE ${name}.t (a INT PRIMARY KEY); FLUSH BINARY LOGS`,
    );
    const moved = await workspace.run(['incremental'], {
      DB_PORT: String(stranger.port),
      DB_PASS: stranger.password,
    });
    expect(moved.stderr).toMatch(/^error CHAIN_GAP: no incremental can follow: /m);
    expect(moved.stderr).toMatch(/the server is \S+, and the backup is of/);
    expect(moved.stderr).toMatch(FULL);
    expect(moved.code).toBe(5);
    await expectRestored(workspace, [1, 2]);
  });

  it('the database was dropped and made anew', async () => {
    const { workspace, name } = await makeChain();
    await query(server, 'INSERT INTO t VALUES (3)', name);
    await query(server, `DROP DATABASE ${name}; CREATE DATABASE ${name}`);
    await query(server, 'CREATE TABLE t (a INT); INSERT INTO t VALUES (9)', name);
    const { stdout } = await expectBreak(workspace, /the database \S+ was dropped/, FULL);
    expect(stdout).toContain('Saved what came before: ');
    await expectRestored(workspace, [1, 2, 3]);
    await expectBreak(workspace, /the database \S+ was dropped/, FULL);
    await expectRestored(workspace, [1, 2, 3]);
  });

  /** The worst day: what was committed since the last backup must not be lost with it. */
  it('the database was dropped', async () => {
    const { workspace, name } = await makeChain();
    await query(server, 'INSERT INTO t VALUES (3)', name);
    await query(server, `DROP DATABASE ${name}`);
    const recover = /^next: .* is gone from \S+: `reshelve recover`/m;
    const { stdout } = await expectBreak(workspace, /the database \S+ was dropped/, recover);
    expect(stdout).toContain('Saved what came before: ');
    await expectBreak(workspace, /the database \S+ was dropped/, recover);
    await expectRestored(workspace, [1, 2, 3]);
  });

  it('the database was dropped, and the log does not say so', async () => {
    const { workspace, name } = await makeChain();
    await query(server, `SET SESSION sql_log_bin = 0; DROP DATABASE ${name}`);
    const recover = /^next: .* is gone from \S+: `reshelve recover`/m;
    await expectBreak(workspace, /there is no database \S+ at/, recover);
    await expectRestored(workspace, [1, 2]);
  });

  /**
   * A full backup, rows within one second, a time DT1 among them, no GTIDs. MySQL logs commit times in
   * microseconds; MariaDB logs whole seconds, and a commit counts as made in the last microsecond of its own.
   */
  it('restores to DT1 what was committed before it and at it', async () => {
    const { name } = await createDatabase(server, 'dt');
    await query(server, 'CREATE TABLE t (a INT PRIMARY KEY)', name);
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    await succeed(workspace, ['full']);
    await query(server, 'FLUSH BINARY LOGS');
    await insertWithinSeconds(name);
    await sleep(2100);
    await succeed(workspace, ['incremental']);
    const commits = await readCommits(name);
    const second = (at: bigint): bigint => at / SECOND;
    const at = commits.findIndex(
      (micros, index) => index > 0 && second(micros) === second(commits[index - 1] ?? 0n),
    );
    expect(at, 'no two rows of one second').toBeGreaterThan(0);
    const [before = 0n, after = 0n] = commits.slice(at - 1, at + 1);
    const start = second(after) * SECOND;
    const targets =
      flavour === 'mysql'
        ? [before - 1n, before, after - 1n, after]
        : [start, start + SECOND - 2n, start + SECOND - 1n];
    const counts = new Set<number>();
    for (const target of targets) {
      const isIn = (micros: bigint): boolean =>
        flavour === 'mysql' ? micros <= target : micros + SECOND - 1n <= target;
      const expected = commits.flatMap((micros, index) => (isIn(micros) ? [index] : []));
      counts.add(expected.length);
      const copy = await createDatabase(server, 'copy');
      await succeed(workspace, ['restore', '--to', asTime(target), '--into', copy.name, '--yes']);
      expect(await rowsOf(copy.name), asTime(target)).toEqual(expected);
    }
    expect(counts.size).toBeGreaterThan(1);
  });

  /** Rows 0 to 11, three early in each of four seconds. */
  async function insertWithinSeconds(database: string): Promise<void> {
    const connection = await connectTo(server, database);
    try {
      for (let a = 0; a < 12; a += 1) {
        if (a % 3 === 0) await sleep(1050 - (Date.now() % 1000));
        await connection.query(`INSERT INTO t VALUES (${a})`);
      }
    } finally {
      await connection.end();
    }
  }

  /** When each row was committed, in microseconds, as the server's own program reads its log. */
  async function readCommits(database: string): Promise<bigint[]> {
    const files = await query(server, 'SHOW BINARY LOGS');
    const tool = flavour === 'mysql' ? 'mysqlbinlog' : 'mariadb-binlog';
    const file = String(files.at(-1)?.['Log_name']);
    const args = ['--read-from-remote-server', '--verbose', '--base64-output=decode-rows', file];
    const { stdout, stderr, code } = await runClient(server, tool, args);
    expect(code, stderr).toBe(0);
    const time = flavour === 'mysql' ? /immediate_commit_timestamp=(\d+)/ : /^#(\d{6} [ \d:]{8}) /;
    const commits: bigint[] = [];
    let newest = 0n;
    for (const line of stdout.toString().split('\n')) {
      const found = time.exec(line)?.[1];
      if (found !== undefined) newest = flavour === 'mysql' ? BigInt(found) : localSecond(found);
      if (line.startsWith(`### INSERT INTO \`${database}\`.\`t\``)) commits.push(newest);
    }
    expect(commits).toHaveLength(12);
    return commits;
  }
});

const SECOND = 1_000_000n;

/** `261126  0:40:01` of this machine's zone, in microseconds. */
function localSecond(text: string): bigint {
  const [, year, month, day, hour, minute, second] =
    /^(\d\d)(\d\d)(\d\d) +(\d+):(\d+):(\d+)$/.exec(text)?.map(Number) ?? [];
  const date = new Date(2000 + (year ?? 0), (month ?? 0) - 1, day, hour, minute, second);
  return BigInt(date.getTime()) * 1000n;
}

function asTime(micros: bigint): string {
  const iso = new Date(Number((micros / SECOND) * 1000n)).toISOString();
  return `${iso.slice(0, 19).replace('T', ' ')}.${String(micros % SECOND).padStart(6, '0')}Z`;
}

async function succeed(workspace: Workspace, args: readonly string[]): Promise<CliResult> {
  const result = await workspace.run(args);
  expect(result.code, `${args.join(' ')}: ${result.stderr}`).toBe(0);
  return result;
}
