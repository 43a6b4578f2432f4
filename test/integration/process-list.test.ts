/**
 * Who is connected is asked while somebody else runs a statement with a character beyond U+FFFF, which
 * makes MySQL's information_schema.PROCESSLIST fail for everybody (error 3854).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConnectedClients } from '../../src/mysql/connected-clients.js';
import { readGrants } from '../../src/mysql/grants.js';
import { readProcessList } from '../../src/mysql/process-list.js';
import { describeBlockers } from '../../src/operations/online/swap-blockers.js';
import { openServer } from '../../src/operations/sessions.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { contextOf } from '../support/capture.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { PrivateServer } from '../../sandbox/index.js';
import type { TestDatabase } from '../support/servers.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

const STATEMENT = "SELECT '😀', SLEEP(600)";

// A server of its own: tests that look at the list themselves would fail beside this one.
describe.each(['mysql', 'mariadb'] as const)('on %s', (flavour) => {
  let server: PrivateServer;
  let database: TestDatabase;
  let beside: TestDatabase;
  let workspace: Workspace;
  let busy: Connection;

  beforeAll(async () => {
    server = await privateServer(flavour);
    database = await createDatabase(server, 'listed');
    beside = await createDatabase(server, 'beside');
    await query(
      server,
      'CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)',
      database.name,
    );
    workspace = await createWorkspace(server, database.name);
    busy = await connectTo(server, beside.name);
    busy.query(STATEMENT).catch(() => undefined);
  });
  afterAll(async () => {
    busy.destroy();
    await workspace.remove();
    await server.stop();
  });

  it('finds a connection and its database', { timeout: 60_000 }, async () => {
    const idle = await connectTo(server, database.name);
    const context = contextOf(workspace);
    const session = await openServer(context, context.configuration.server);
    try {
      const busyId = String(busy.threadId);
      let found: string | undefined;
      while (found !== 'Query') {
        const list = await readProcessList(session);
        found = list.find(
          ({ id, database: name }) => id === busyId && name === beside.name,
        )?.command;
        await sleep(20);
      }
      const grants = await readGrants(session);
      const { clients } = await readConnectedClients(session, database.name, grants, []);
      expect(clients.map(({ id }) => id)).toEqual([String(idle.threadId)]);
      await idle.query('START TRANSACTION');
      await idle.query('INSERT INTO t VALUES (2)');
      expect(await describeBlockers(session, database.name)).toContain(
        `connection ${idle.threadId} of ${server.user}@`,
      );
    } finally {
      await session.close();
      await idle.end();
    }
  });

  it('recovers meanwhile', { timeout: 120_000 }, async () => {
    const before = await captureState(server, database.name);
    expect((await workspace.run(['full'])).code).toBe(0);
    await query(server, 'DELETE FROM t', database.name);
    const recovered = await workspace.run(['recover', '--yes']);
    expect(recovered.code, recovered.stderr).toBe(0);
    expect(compareStates(before, await captureState(server, database.name))).toEqual([]);
    const online = await workspace.run(['recover', '--online', '--yes']);
    expect(online.code, online.stderr).toBe(0);
    expect((await workspace.run(['recover', '--finish', '--yes'])).code).toBe(0);
  });
});
