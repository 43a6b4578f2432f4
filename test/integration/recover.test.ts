/** The full recovery as its user meets it: what it prints, what it leaves, and what it refuses. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { encodeAsFormat } from '../archive/later-format.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { BOOKS, changeEverything, createRecoverable } from '../support/recoverable.js';
import type { TestDatabase } from '../support/servers.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;
  let file: string;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createRecoverable(server);
    workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    expect((await workspace.run(['full'])).code).toBe(0);
    const [name = ''] = await workspace.finished();
    file = join('backups', name);
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  test('prints what the guide shows, line by line, and brings the old state back', async () => {
    const before = await captureState(server, library.name);
    await changeEverything(server, library.name);
    const result = await workspace.run(['recover', '--yes']);
    expect(result.code, result.stderr + result.stdout).toBe(0);
    expect(compareStates(before, await captureState(server, library.name))).toEqual([]);
    const emergency = 'backups/emergency/pre_restore_.*\\.sql\\.gz';
    const expected = [
      '=== FULL DATABASE RECOVERY ===',
      `Target backup: ${file}`,
      `Database: ${library.name}`,
      '',
      'Step 1: Creating emergency backup of current database...',
      `✓ Emergency backup saved: ${emergency}`,
      '',
      'Step 2: Verifying backup file integrity...',
      '✓ Backup file integrity verified',
      '',
      'Step 3: Preparing database for restore...',
      '✓ Database prepared',
      '',
      'Step 4: Restoring database from backup...',
      'This may take several minutes for large databases...',
      '',
      '✓ Restore completed in \\d+\\.\\d\\d seconds',
      '',
      'Step 5: Verifying database restoration...',
      '✓ Database verification results:',
      '================================',
      'TableName      RowCount',
      `book           ${BOOKS}`,
      'empty_shelf    0',
      'loan           290',
      'member         100',
      'note           50',
      '',
      '=== RECOVERY SUCCESSFUL ===',
      `Restored from: ${file.replace('backups/', '')}`,
      'Recovery time: \\d+\\.\\d\\d seconds',
      `Emergency backup available at: ${emergency}`,
      '',
    ];
    const lines = result.stdout.split('\n');
    for (const [at, line] of expected.entries()) expect(lines[at]).toMatch(new RegExp(`^${line}$`));
    expect(lines).toHaveLength(expected.length);
    const [entry] = (await workspace.catalog()).slice(-1);
    expect(entry).toMatchObject({ type: 'recover', status: 'success' });
    expect((entry as unknown as { emergencyFile: string }).emergencyFile).toMatch(/^emergency\//);
  });

  /** Runs it, expects this failure, and that nothing at all was changed. */
  async function expectRefusal(
    args: readonly string[],
    code: number,
    message: RegExp,
  ): Promise<CliResult> {
    const before = await captureState(server, library.name);
    const result = await workspace.run(['recover', ...args]);
    expect(result.code, result.stderr + result.stdout).toBe(code);
    expect(result.stderr).toMatch(message);
    expect(compareStates(before, await captureState(server, library.name))).toEqual([]);
    return result;
  }

  const scratch = (name: string): string => join(workspace.directory, name);

  test('a damaged file is refused before the first change', async () => {
    const bytes = await readFile(join(workspace.directory, file));
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 4;
    await writeFile(scratch('damaged.sql.gz'), bytes);
    await expectRefusal(['damaged.sql.gz', '--yes'], 4, /DAMAGED: damaged\.sql\.gz/);
    await writeFile(scratch('cut.sql.gz'), bytes.subarray(0, bytes.length - 3000));
    await expectRefusal(['cut.sql.gz', '--yes'], 4, /DAMAGED: .*cut\.sql\.gz/);
  });

  test('a file from a newer format is refused', async () => {
    await writeFile(
      scratch('newer.sql.gz'),
      encodeAsFormat(await readFile(join(workspace.directory, file)), 99),
    );
    await expectRefusal(['newer.sql.gz', '--yes'], 4, /FORMAT_TOO_NEW/);
  });

  test('a file of another database is refused unless that is meant', async () => {
    const another = await createDatabase(server, 'another');
    await query(server, 'CREATE TABLE t (a INT)', another.name);
    await query(server, 'INSERT INTO t VALUES (1)', another.name);
    const elsewhere = await createWorkspace(server, another.name);
    expect((await elsewhere.run(['full'])).code).toBe(0);
    const [name = ''] = await elsewhere.finished();
    const path = join(elsewhere.backups, name);
    await expectRefusal([path, '--yes'], 4, /OTHER_DATABASE: .*expected a backup of recover_/);
    const plan = await workspace.run(['recover', path, '--other-database', '--dry-run']);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain(`that name ${another.name} will name ${library.name}`);
    await elsewhere.remove();
  });

  test('a dump that ends too early is refused; one with an error inside is rolled back', async () => {
    const head = '-- MySQL dump 10.13  Distrib 9.7.4\n--\n-- Host: x    Database: \n';
    await writeFile(
      scratch('cut.sql'),
      `${head}CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1);\n`,
    );
    await expectRefusal(['cut.sql', '--yes'], 4, /DUMP_INCOMPLETE/);
    await writeFile(scratch('open.sql'), "CREATE TABLE t (a TEXT);\nINSERT INTO t VALUES ('open");
    await expectRefusal(['open.sql', '--yes'], 4, /DUMP_INCOMPLETE/);
    await writeFile(scratch('half.sql'), 'CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1 2);\n');
    const result = await expectRefusal(['half.sql', '--yes'], 7, /ROLLED_BACK: .*1064/);
    expect(result.stdout).toContain('[ROLLBACK] ✓ Database restored to pre-recovery state');
    const [entry] = (await workspace.catalog()).slice(-1);
    expect(entry).toMatchObject({
      type: 'recover',
      status: 'failed',
      error: { code: 'ROLLED_BACK' },
    });
  });

  test('a sound dump is recovered, counted and checked by the server', async () => {
    await writeFile(
      scratch('sound.sql'),
      'CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1), (2);\n',
    );
    const result = await workspace.run(['recover', 'sound.sql', '--yes']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/^t +2$/m);
    expect((await workspace.run(['recover', file, '--yes'])).code).toBe(0);
  });

  test('without a terminal it needs --yes; --dry-run shows the plan and changes nothing', async () => {
    await expectRefusal([file], 2, /CONFIRMATION: would overwrite everything that is in/);
    const plan = await expectRefusal([file, '--dry-run'], 0, /^$/);
    expect(plan.stdout).toMatch(/^ {2}Step 3: compare, drop and recreate recover_/m);
    expect(plan.stdout).toContain('the backup is of the same server version');
  });

  test('a missing database is made, and dropped again when that fails', async () => {
    const missing = `missing_${library.name}`;
    const elsewhere = await createWorkspace(server, missing);
    const path = join(workspace.directory, file);
    await writeFile(
      join(elsewhere.directory, 'half.sql'),
      'CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1 2);\n',
    );
    const failed = await elsewhere.run(['recover', 'half.sql']);
    expect(failed.code, failed.stderr).toBe(7);
    expect(await query(server, `SHOW DATABASES LIKE '${missing.replaceAll('_', '\\_')}'`)).toEqual(
      [],
    );
    const result = await elsewhere.run(['recover', path, '--other-database']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toContain('✓ No emergency backup: there is no database');
    expect(
      compareStates(await captureState(server, library.name), await captureState(server, missing)),
    ).toEqual([]);
    await query(server, `DROP DATABASE \`${missing}\``);
    await elsewhere.remove();
  });

  test('others that are connected are named and refused; --wait waits for them', async () => {
    const application = await connectTo(server, library.name);
    await expectRefusal([file, '--yes'], 1, /DATABASE_IN_USE: .*\n +connection \d+ \(root from/);
    const waiting = workspace.start(['recover', file, '--yes', '--wait', '60']);
    await sleep(2500);
    await application.end();
    const { code, stderr } = await waiting.ended;
    expect(code, stderr).toBe(0);
  });

  test('a writer that keeps writing stops it before the drop, and loses nothing', async () => {
    const writer = await connectTo(server, library.name);
    let written = 0;
    const state = { isOver: false };
    const writing = (async () => {
      while (!state.isOver) {
        await writer.query("INSERT INTO member (name) VALUES ('New')");
        written += 1;
      }
    })();
    const { code, stderr } = await workspace.run(['recover', file, '--yes', '--force']);
    state.isOver = true;
    await writing;
    await writer.end();
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/DATABASE_IN_USE: .*changed after its emergency backup.*table member/);
    expect(stderr).toMatch(/also connected: connection \d+ \(root from/);
    const [count] = await query(
      server,
      "SELECT COUNT(*) AS n FROM member WHERE name = 'New'",
      library.name,
    );
    expect(count?.['n']).toBe(written);
    expect((await workspace.run(['recover', file, '--yes'])).code).toBe(0);
  });

  test('a transaction that is open on a table stops it too', async () => {
    const holder = await connectTo(server, library.name);
    await holder.query('START TRANSACTION');
    await holder.query('SELECT * FROM book');
    const { code, stderr } = await workspace.run(['recover', file, '--yes', '--force']);
    await holder.end();
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/DATABASE_IN_USE: a transaction of others has held a table/);
  });

  test('from two directories: one runs, full, verify and recover refuse and say who', async () => {
    const elsewhere = await createWorkspace(server, library.name);
    const path = join(workspace.directory, file);
    await elsewhere.run(['full']);
    const lock = await connectTo(server);
    await lock.query(`SELECT GET_LOCK('reshelve:${library.name}', 0)`);
    for (const args of [['full'], ['verify'], ['recover', path, '--yes']]) {
      const { code, stderr } = await elsewhere.run(args);
      expect(code, args.join(' ') + stderr).toBe(6);
      expect(stderr).toMatch(
        /LOCKED: another run works on database .* \(connection \d+ of root from/,
      );
    }
    await lock.end();
    const [one, two] = await Promise.all([
      workspace.run(['recover', file, '--yes', '--force']),
      elsewhere.run(['recover', path, '--yes', '--force']),
    ]);
    expect([one.code, two.code].sort(), one.stderr + two.stderr).toEqual([0, 6]);
    await elsewhere.remove();
  });

  test('the emergency backup can be proven by a test restore, and recovered from', async () => {
    const before = await captureState(server, library.name);
    const proven = await workspace.run(['recover', file, '--yes', '--prove-emergency', '--json']);
    expect(proven.code, proven.stderr).toBe(0);
    expect(proven.stderr).toContain('Restoring backup to test database...');
    const { emergencyFile } = JSON.parse(proven.stdout) as { emergencyFile: string };
    const back = await workspace.run(['recover', emergencyFile, '--yes']);
    expect(back.code, back.stderr).toBe(0);
    expect(compareStates(before, await captureState(server, library.name))).toEqual([]);
  });

  test('the newest three emergency backups stay', async () => {
    const names = await readdir(join(workspace.backups, 'emergency'));
    expect(names.filter((name) => name.endsWith('.sql.gz')).length).toBeLessThanOrEqual(4);
    const { code, stdout } = await workspace.run(['recover', file, '--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Removed emergency\/pre_restore_.*: older than the newest 3/m);
    const after = await readdir(join(workspace.backups, 'emergency'));
    expect(after.filter((name) => name.endsWith('.sql.gz'))).toHaveLength(3);
  });
});
