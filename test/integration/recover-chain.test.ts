/**
 * The full recovery from incrementals: the newest state, one in between, and what a killed run goes on
 * with. The oracle is the state of the database as it was when each backup was made.
 */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { journals } from '../faults/support/strike.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { changeEverything, createRecoverable } from '../support/recoverable.js';
import type { TestDatabase } from '../support/servers.js';
import { connectTo, privateServer, query } from '../support/servers.js';

const OPTIONS: Readonly<Record<Flavour, readonly string[]>> = {
  mysql: ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: [],
};

/** MariaDB logs commit times in whole seconds, so an instant needs one for itself. */
const PAUSE_MS: Readonly<Record<Flavour, number>> = { mysql: 20, mariadb: 1100 };

/** Enough transactions after one another that a run can be struck while they are applied. */
const LATER_LOANS = 600;

/** One bit of a member is another. */
function flipped(bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  const at = Math.floor(bytes.length / 3);
  damaged[at] = (damaged[at] ?? 0) ^ 4;
  return damaged;
}

describe.each(['mysql', 'mariadb'] as const)('on %s', (flavour) => {
  let server: PrivateServer;
  let library: TestDatabase;
  let workspace: Workspace;
  let incrementals: readonly string[];
  let instant: string;
  let between: DatabaseState;
  let newest: DatabaseState;

  async function run(args: readonly string[], code = 0): Promise<CliResult> {
    const result = await workspace.run(args);
    expect(result.code, `${args.join(' ')}: ${result.stderr}${result.stdout}`).toBe(code);
    return result;
  }

  async function expectState(expected: DatabaseState): Promise<void> {
    expect(compareStates(expected, await captureState(server, library.name))).toEqual([]);
  }

  /** What the recoveries are needed for. */
  async function ruin(): Promise<DatabaseState> {
    for (const statement of [
      'DROP TABLE IF EXISTS review, loan',
      "UPDATE member SET name = 'Lost'",
      'DROP VIEW IF EXISTS overdue',
      'DROP EVENT IF EXISTS sweep',
    ]) {
      await query(server, statement, library.name);
    }
    return captureState(server, library.name);
  }

  beforeAll(async () => {
    server = await privateServer(flavour, { options: OPTIONS[flavour] });
    library = await createRecoverable(server);
    workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    await run(['full']);
    await query(server, "INSERT INTO member (id, name) VALUES (71001, 'First')", library.name);
    await query(server, 'DELETE FROM loan WHERE id = 60', library.name);
    await run(['incremental']);
    await query(server, "UPDATE book SET title = 'Second' WHERE id = 5", library.name);
    await sleep(PAUSE_MS[flavour]);
    const [clock] = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
    instant = `${String(clock?.['now'])}Z`;
    between = await captureState(server, library.name);
    await sleep(PAUSE_MS[flavour]);
    await changeEverything(server, library.name);
    const connection = await connectTo(server, library.name);
    for (let id = 0; id < LATER_LOANS; id += 1) {
      await connection.query(
        `INSERT INTO loan (id, book_id, member_id) VALUES (${1000 + id}, 7, 70009)`,
      );
    }
    await connection.end();
    newest = await captureState(server, library.name);
    await sleep(PAUSE_MS[flavour]);
    await run(['incremental']);
    incrementals = (await readdir(join(workspace.backups, 'incremental')))
      .filter((name) => name.endsWith('.sql.gz'))
      .sort();
    expect(incrementals).toHaveLength(2);
  }, 240_000);
  afterAll(async () => {
    await workspace.remove();
    await server.stop();
  });

  test('without a file: the newest state, and what proves it', { timeout: 120_000 }, async () => {
    await ruin();
    const plan = await run(['recover', '--dry-run']);
    expect(plan.stdout).toContain(
      'check every byte of these 3 files, and that they follow on one another',
    );
    const { stdout } = await run(['recover', '--yes']);
    await expectState(newest);
    expect(stdout).toContain(
      `Target backup: ${join('backups/incremental', incrementals[1] ?? '')}`,
    );
    expect(stdout).toMatch(
      /^Files: backups\/\S+\.sql\.gz, backups\/incremental\/\S+, backups\/incremental\/\S+$/m,
    );
    expect(stdout).toContain(
      'Every logged change met the rows that it expects; there are no digests to compare with',
    );
    expect(stdout).toContain('=== RECOVERY SUCCESSFUL ===');
    const [entry] = (await workspace.catalog()).slice(-1);
    expect(entry).toMatchObject({ type: 'recover', status: 'success' });
    expect(entry?.file).toBe(`incremental/${incrementals[1] ?? ''}`);
  });

  test('an instant in between, and an incremental by its name', { timeout: 120_000 }, async () => {
    await ruin();
    const { stdout } = await run(['recover', '--to', instant, '--yes']);
    await expectState(between);
    expect(stdout).toMatch(/^Target point: what was committed by /m);
    await run(['recover', join('backups/incremental', incrementals[1] ?? ''), '--yes']);
    await expectState(newest);
    const both = await run(
      ['recover', join('backups/incremental', incrementals[1] ?? ''), '--to', instant],
      2,
    );
    expect(both.stderr).toContain('a file says by itself which state it brings');
    for (const mode of ['--resume', '--online']) {
      const refused = await run(['recover', mode, '--to', instant], 2);
      expect(refused.stderr).toContain('error USAGE: a point in time');
    }
    const online = await run(['recover', '--online', '--yes'], 2);
    expect(online.stderr).toMatch(/USAGE: .*an incremental, which needs the backups before it/);
  });

  /** Starts a recovery to `instant` and ends it with kill -9 once its journal has the step. */
  async function strike(step: string, delayMs: number): Promise<string> {
    const known = new Set(journals(workspace));
    const { child, ended } = workspace.start(['recover', '--to', instant, '--yes']);
    let path: string | undefined;
    while (child.exitCode === null) {
      path = journals(workspace).find((name) => !known.has(name));
      if (path !== undefined && readFileSync(path, 'utf8').includes(`"step":"${step}"`)) {
        await sleep(delayMs);
        child.kill('SIGKILL');
        break;
      }
      await sleep(1);
    }
    const { signal, stderr } = await ended;
    expect(signal, stderr).toBe('SIGKILL');
    if (path === undefined) throw new Error('the recovery has written no journal');
    return path;
  }

  test.each([
    ['emergency', 10],
    ['load', 0],
    ['load', 120],
    ['verify', 0],
  ])(
    'killed at %s + %i ms, --resume brings the same state',
    { timeout: 120_000 },
    async (step, delayMs) => {
      await ruin();
      const journal = readFileSync(await strike(step, delayMs), 'utf8');
      const { detail } = JSON.parse(journal.split('\n')[0] ?? '') as {
        detail: { target: { files: { sha256: string }[]; end: { kind: string } } };
      };
      expect(detail.target.end.kind).toBe('instant');
      expect(detail.target.files).toHaveLength(3);
      await run(['recover', '--resume', '--yes']);
      await expectState(between);
    },
  );

  test(
    '--resume refuses files that are others by now, --rollback goes back',
    { timeout: 120_000 },
    async () => {
      const ruined = await ruin();
      await strike('load', 20);
      const path = join(workspace.backups, 'incremental', incrementals[0] ?? '');
      const bytes = await readFile(path);
      await writeFile(path, flipped(bytes));
      const { stderr } = await run(['recover', '--resume', '--yes'], 4);
      expect(stderr).toMatch(/DAMAGED: .* is not the file any more that the recovery began with/);
      await writeFile(path, bytes);
      await run(['recover', '--rollback', '--yes']);
      await expectState(ruined);
    },
  );

  test(
    'a file that is damaged or missing is refused before the first change',
    { timeout: 120_000 },
    async () => {
      const before = await ruin();
      const path = join(workspace.backups, 'incremental', incrementals[0] ?? '');
      const bytes = await readFile(path);
      await writeFile(path, flipped(bytes));
      expect((await run(['recover', '--yes'], 4)).stderr).toMatch(/DAMAGED: .*incremental/);
      await rename(path, `${path}.away`);
      const last = join('backups/incremental', incrementals[1] ?? '');
      expect((await run(['recover', last, '--yes'], 5)).stderr).toContain('CHAIN_GAP');
      await expectState(before);
      await rename(`${path}.away`, path);
      await writeFile(path, bytes);
    },
  );

  test(
    'a user who lacks what logged changes take is told its grants',
    { timeout: 120_000 },
    async () => {
      await query(server, "CREATE USER 'limited'@'%' IDENTIFIED BY 'secret'");
      await query(server, `GRANT ALL ON \`${library.name}\`.* TO 'limited'@'%'`);
      // Bodies of routines, and which accounts there are: the preflight can then tell everything.
      await query(server, "GRANT SELECT ON mysql.* TO 'limited'@'%'");
      if (flavour === 'mysql') await query(server, "GRANT SHOW_ROUTINE ON *.* TO 'limited'@'%'");
      const environment = { DB_USER: 'limited', DB_PASS: 'secret' };
      const refused = await workspace.run(['recover', '--yes'], environment);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(
        /(BINLOG_ADMIN|BINLOG REPLAY).* missing: logged changes could not be applied/,
      );
      for (const [grant] of refused.stderr.matchAll(/(GRANT|SET GLOBAL|SET PERSIST) .*?;/g)) {
        await query(server, grant);
      }
      const { code, stderr } = await workspace.run(['recover', '--yes'], environment);
      expect([0, 3], stderr).toContain(code);
      await expectState(newest);
    },
  );
});

test('a chain made by comparison is proven by its digests', { timeout: 240_000 }, async () => {
  const server = await privateServer('mysql', { options: ['--skip-log-bin'] });
  const library = await createRecoverable(server);
  const workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
  const run = async (...args: string[]): Promise<CliResult> => {
    const result = await workspace.run(args);
    expect([0, 3], `${args.join(' ')}: ${result.stderr}${result.stdout}`).toContain(result.code);
    return result;
  };
  await run('full');
  await query(server, 'DELETE FROM loan WHERE id = 60', library.name);
  await run('incremental');
  const first = await captureState(server, library.name);
  await changeEverything(server, library.name);
  await run('incremental');
  const second = await captureState(server, library.name);
  await query(server, 'DROP TABLE loan', library.name);
  const { stdout } = await run('recover', '--yes');
  expect(compareStates(second, await captureState(server, library.name))).toEqual([]);
  expect(stdout).not.toContain('no digests');
  const [name = ''] = (await readdir(join(workspace.backups, 'incremental'))).sort();
  await run('recover', join('backups/incremental', name), '--yes');
  expect(compareStates(first, await captureState(server, library.name))).toEqual([]);
  await workspace.remove();
});
