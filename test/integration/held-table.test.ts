/**
 * Goal: a backup that cannot get at a table says who was there. Method: somebody holds one; asked for the
 * failure itself, because a backup tries for minutes before it gives up.
 */
import { expect, onTestFinished, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.js';
import { heldTableError } from '../../src/operations/dump/held-table.js';
import type { Run } from '../../src/operations/run.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';
import { createUser } from '../faults/support/library.js';

test.each(['mysql', 'mariadb'] as const)('who holds a table of %s is named', async (flavour) => {
  const server = await sharedServer(flavour);
  const { name } = await createDatabase(server, 'held');
  await query(server, 'CREATE TABLE BOOK (id INT)', name);
  const holder = await connectTo(server, name);
  onTestFinished(() => holder.end());
  await holder.query('LOCK TABLES BOOK WRITE');
  const failureFor = (user: string, password: string): Promise<Error> =>
    heldTableError(runAs({ ...server, user, password }, name), 7, new Error('cause'));

  const seen = await failureFor(server.user, server.password);
  const id = holder.threadId;
  expect(seen).toMatchObject({ code: 'TIMEOUT', exitCode: 1 });
  expect(seen.message).toContain(`a table of ${name} was locked by others in each of 7 attempts`);
  expect(seen.message).toContain(`; connected there: connection ${id} (root from `);

  const { user, password } = await createUser(server, name);
  expect((await failureFor(user, password)).message).toContain('(this user may not see by whom)');
  const gone = await heldTableError(runAs({ ...server, port: 1 }, name), 7, new Error('cause'));
  expect(gone.message).toMatch(/attempts to read it: cause$/);
});

/** As much of a run as the failure looks at. */
function runAs(
  server: { host: string; port: number; user: string; password: string },
  database: string,
): Run {
  const environment = {
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_USER: server.user,
    DB_PASS: server.password,
    DB_NAME: database,
  };
  const configuration = loadConfiguration({ cwd: '/nowhere', environment });
  return { context: { configuration, signal: new AbortController().signal } } as Run;
}
