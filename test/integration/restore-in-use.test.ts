/** Somebody has left a transaction open in the database that a restore replaces. */
import mysql from 'mysql2/promise';
import { expect, onTestFinished, test } from 'vitest';
import type { Flavour } from '../../sandbox/index.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

const CASES: readonly (readonly [Flavour, readonly string[]])[] = [
  ['mysql', ['restore', '--yes']],
  ['mysql', ['restore', '--table', 'book', '--yes']],
  ['mariadb', ['restore', '--yes']],
  ['mariadb', ['restore', '--table', 'book', '--yes']],
];

// All together, as each waits for half a minute.
test('it is named, and nothing is changed', async () => {
  await Promise.all(CASES.map(([flavour, args]) => restoreInUse(flavour, args)));
});

async function restoreInUse(flavour: Flavour, args: readonly string[]): Promise<void> {
  const server = await sharedServer(flavour);
  const { name } = await createDatabase(server, 'in_use');
  const books = async (): Promise<unknown> =>
    (await query(server, 'SELECT COUNT(*) AS n FROM book', name))[0]?.['n'];
  await query(server, 'CREATE TABLE loan (id INT PRIMARY KEY)', name);
  await query(server, 'CREATE TABLE book (id INT PRIMARY KEY); INSERT INTO book VALUES (1)', name);
  const workspace = await createWorkspace(server, name);
  onTestFinished(() => workspace.remove());
  expect((await workspace.run(['full'])).code).toBe(0);
  await query(server, 'INSERT INTO book VALUES (2)', name);

  const { host, port, user, password } = server;
  const idle = await mysql.createConnection({ host, port, user, password, database: name });
  onTestFinished(() => idle.end());
  await idle.query('START TRANSACTION');
  await idle.query('SELECT * FROM book');

  const { code, stderr } = await workspace.run(args);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error DATABASE_IN_USE: .*nothing was changed; also connected: /m);
  expect(stderr).toContain(`connection ${idle.threadId}`);
  expect(stderr).not.toContain('TARGET_INCOMPLETE');
  expect(await books()).toBe(2);
  expect(await query(server, 'SHOW TABLES', name)).toHaveLength(2);

  await idle.query('COMMIT');
  const restored = await workspace.run(args);
  expect(restored.code, restored.stderr).toBe(0);
  expect(await books()).toBe(1);
}
