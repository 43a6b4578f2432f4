/**
 * Goal: what a user may not do is known before a restore drops anything. Method: users who lack one thing
 * each, and the oracle's view of the database before and after.
 */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

const LIBRARY = `
  CREATE TABLE shelf (id INT PRIMARY KEY);
  CREATE TABLE book (id INT PRIMARY KEY, shelf INT, FOREIGN KEY (shelf) REFERENCES shelf (id));
  INSERT INTO shelf VALUES (1), (2);
  INSERT INTO book VALUES (1, 1), (2, 2);
  CREATE VIEW books AS SELECT id FROM book;
  CREATE TRIGGER placed BEFORE INSERT ON book FOR EACH ROW SET NEW.shelf = IFNULL(NEW.shelf, 1)`;

const TABLES = 'SELECT, INSERT, CREATE, DROP, ALTER, REFERENCES, LOCK TABLES';

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: PrivateServer;
  let name: string;

  beforeAll(async () => {
    server = await privateServer(flavour, { options: ['--log-bin-trust-function-creators=1'] });
    ({ name } = await createDatabase(server, 'lib'));
    await query(server, LIBRARY, name);
    await query(server, `CREATE USER 'few'@'%' IDENTIFIED BY 'few-password'`);
  }, 120_000);

  /** As a user who has just these privileges on the database. */
  async function restoreWith(
    workspace: Workspace,
    privileges: string,
    args: readonly string[],
  ): Promise<CliResult> {
    await query(server, `GRANT ${privileges} ON \`${name}\`.* TO 'few'@'%'`);
    try {
      return await workspace.run(['restore', '--yes', ...args], {
        DB_USER: 'few',
        DB_PASS: 'few-password',
      });
    } finally {
      await query(server, `REVOKE ALL PRIVILEGES ON \`${name}\`.* FROM 'few'@'%'`);
    }
  }

  it('refuses before anything is dropped', { timeout: 120_000 }, async () => {
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const before = await captureState(server, name);
    const missing: readonly (readonly [string, string])[] = [
      ['SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER', 'INSERT, CREATE, DROP, REFERENCES, ALTER'],
      [`${TABLES}, CREATE VIEW`, 'no TRIGGER on'],
      [`${TABLES}, TRIGGER`, 'no CREATE VIEW on'],
      [`${TABLES}, TRIGGER, CREATE VIEW`, 'objects are defined by root@'],
    ];
    for (const [privileges, text] of missing) {
      const { code, stderr } = await restoreWith(workspace, privileges, []);
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/error PREFLIGHT: the restore into \S+ would fail half way:/);
      expect(stderr).toContain(text);
      expect(stderr).toMatch(/\n {4}GRANT .* TO `few`@`%`;/);
      expect(stderr).not.toContain('TARGET_INCOMPLETE');
      expect(compareStates(before, await captureState(server, name))).toEqual([]);
    }
  });

  it('asks for nothing that the backup does not need', { timeout: 120_000 }, async () => {
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const before = await captureState(server, name);
    await query(server, 'SET FOREIGN_KEY_CHECKS = 0; DELETE FROM shelf', name);
    const one = await restoreWith(workspace, TABLES, ['--table', 'shelf']);
    expect(one.code, one.stderr).toBe(0);
    expect(compareStates(before, await captureState(server, name))).toEqual([]);
  });
});

it('a tablespace that the server lacks is named first', { timeout: 120_000 }, async () => {
  const source = await privateServer('mysql', { options: [] });
  const { name } = await createDatabase(source, 'spaced');
  await query(
    source,
    `CREATE TABLESPACE \`odd name\` ADD DATAFILE 'odd.ibd';
     CREATE TABLE plain (id INT PRIMARY KEY COMMENT 'TABLESPACE \`not one\`');
     CREATE TABLE spaced (id INT PRIMARY KEY) TABLESPACE \`odd name\``,
    name,
  );
  const workspace = await createWorkspace(source, name);
  onTestFinished(() => workspace.remove());
  expect((await workspace.run(['full'])).code).toBe(0);
  const bare = await privateServer('mysql', { options: [] });
  await query(bare, `CREATE DATABASE \`${name}\``);
  await query(bare, 'CREATE TABLE kept (id INT)', name);
  const there = { DB_PORT: String(bare.port), DB_PASS: bare.password };
  const recovered = await workspace.run(['recover', '--yes'], there);
  const restored = await workspace.run(['restore', '--yes'], there);
  for (const { code, stderr } of [recovered, restored]) {
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('this server has no tablespace odd name,');
    expect(stderr).not.toContain('not one');
  }
  expect(await query(bare, 'SHOW TABLES', name)).toHaveLength(1);
  const [, statement = ''] = /\n {4}(CREATE TABLESPACE .*);/.exec(restored.stderr) ?? [];
  await query(bare, statement);
  const again = await workspace.run(['restore', '--yes'], there);
  expect(again.code, again.stderr).toBe(0);
  await query(bare, `DROP DATABASE \`${name}\`; DROP TABLESPACE \`odd name\``);
});
