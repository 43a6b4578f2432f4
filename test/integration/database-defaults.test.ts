/**
 * Goal: a database's default encryption and its comment outlast backup, restore, recovery and rollback.
 * Method: defaults that are not the server's, read from the server before and after each of them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import type { Row } from '../support/servers.js';
import { privateServer, query } from '../support/servers.js';

const TWO_MINUTES = 120_000;

async function defaultsIn(server: ServerAddress, database: string): Promise<Row | undefined> {
  const [row] = await query(
    server,
    `SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '${database}'`,
  );
  return row && { ...row, SCHEMA_NAME: 'any' };
}

async function run(workspace: Workspace, args: string[], code: number): Promise<string> {
  const result = await workspace.run(args);
  expect(result.code, `${args.join(' ')}: ${result.stderr}`).toBe(code);
  return result.stderr;
}

it.each([
  // Without a keyring nothing can be encrypted, so it is the server's own default that says so.
  ['mysql', "DEFAULT ENCRYPTION='N'", { DEFAULT_ENCRYPTION: 'NO' }],
  ['mariadb', String.raw`COMMENT 'it''s */ \\ "ü"'`, { SCHEMA_COMMENT: String.raw`it's */ \ "ü"` }],
] as const)('of %s', { timeout: TWO_MINUTES }, async (flavour, clause, expected) => {
  const server = await privateServer(flavour, { options: ['--log-bin', '--server-id=7'] });
  const { name } = await createRecoverable(server);
  await query(server, `ALTER DATABASE \`${name}\` ${clause}`);
  if (flavour === 'mysql') await query(server, 'SET GLOBAL default_table_encryption = ON');
  const before = await defaultsIn(server, name);
  expect(before).toMatchObject(expected);
  const workspace = await createWorkspace(server, name);
  onTestFinished(() => workspace.remove());
  await run(workspace, ['full'], 0);
  await run(workspace, ['verify'], 0);

  await run(workspace, ['restore', '--into', 'copy', '--yes'], 0);
  expect(await defaultsIn(server, 'copy')).toEqual(before);

  await run(workspace, ['recover', '--yes'], 0);
  expect(await defaultsIn(server, name)).toEqual(before);

  const broken = join(workspace.backups, 'broken.sql');
  await writeFile(broken, 'CREATE TABLE half (id INT);\nINSERT INTO nowhere VALUES (1);\n');
  await run(workspace, ['recover', broken, '--yes'], 7);
  expect(await defaultsIn(server, name)).toEqual(before);

  await run(workspace, ['recover', '--online', '--yes'], 0);
  expect(await defaultsIn(server, name)).toEqual(before);
  await run(workspace, ['recover', '--undo', '--yes'], 0);
  expect(await defaultsIn(server, name)).toEqual(before);

  // What the backup does not say of its database stays as it is.
  const dump = join(workspace.backups, 'dump.sql');
  await writeFile(dump, 'CREATE TABLE other (id INT);\n');
  await run(workspace, ['recover', dump, '--yes'], 0);
  expect(await defaultsIn(server, name)).toEqual(before);
});

it('a change of the comment is part of a compared incremental', { timeout: 120_000 }, async () => {
  const server = await privateServer('mariadb', { options: [] });
  const { name } = await createRecoverable(server);
  const workspace = await createWorkspace(server, name);
  onTestFinished(() => workspace.remove());
  await run(workspace, ['full'], 0);
  await query(server, `ALTER DATABASE \`${name}\` COMMENT 'later; */ too'`);
  const result = await workspace.run(['incremental']);
  expect([0, 3], result.stderr).toContain(result.code);
  const restored = await workspace.run(['restore', '--into', 'copy', '--yes']);
  expect([0, 3], restored.stderr).toContain(restored.code);
  expect(await defaultsIn(server, 'copy')).toMatchObject({ SCHEMA_COMMENT: 'later; */ too' });
  expect(await defaultsIn(server, 'copy')).toEqual(await defaultsIn(server, name));
});

it(
  'a user who may not set the default encryption is told before anything is dropped',
  { timeout: TWO_MINUTES },
  async () => {
    const server = await privateServer('mysql', {
      options: ['--log-bin-trust-function-creators=1'],
    });
    const { name } = await createRecoverable(server);
    await query(
      server,
      `CREATE USER few@'%' IDENTIFIED BY 'few-password';
       GRANT ALL ON *.* TO few@'%';
       REVOKE TABLE_ENCRYPTION_ADMIN, SUPER ON *.* FROM few@'%';
       SET GLOBAL default_table_encryption = ON;
       SET GLOBAL table_encryption_privilege_check = ON`,
    );
    const { flavour, version, host, port, socketPath } = server;
    const few = { flavour, version, host, port, socketPath, user: 'few', password: 'few-password' };
    const workspace = await createWorkspace(few, name);
    onTestFinished(() => workspace.remove());
    await run(workspace, ['full'], 0);
    const before = await captureState(server, name);
    for (const args of [
      ['recover', '--yes'],
      ['recover', '--online', '--yes'],
    ]) {
      const message = await run(workspace, args, 1);
      expect(message).toContain('GRANT TABLE_ENCRYPTION_ADMIN ON *.* TO `few`@`%`;');
    }
    expect(compareStates(before, await captureState(server, name))).toEqual([]);
    expect(await defaultsIn(server, name)).toMatchObject({ DEFAULT_ENCRYPTION: 'NO' });

    await writeFile(join(workspace.backups, 'dump.sql'), 'SELECT 1;\n');
    await query(server, "CREATE DATABASE elsewhere DEFAULT ENCRYPTION='N'");
    const dump = ['restore', join(workspace.backups, 'dump.sql'), '--into', 'elsewhere', '--yes'];
    expect(await run(workspace, dump, 3)).toContain("the server's default encryption");
    expect(await defaultsIn(server, 'elsewhere')).toMatchObject({ DEFAULT_ENCRYPTION: 'YES' });
  },
);
