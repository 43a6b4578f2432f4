/**
 * What breaks a chain, on real servers: each break is told by its right reason, before anything is
 * written, and a statement that cannot be replayed ends the archive right before it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import type { IndexHeader } from '../../src/archive/index-types.js';
import { captureAfter, readIndex } from '../support/capture.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { privateServer, query } from '../support/servers.js';

const DATABASE = 'lib';

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let server: PrivateServer;
  let workspace: Workspace;
  let header: IndexHeader;
  const resetStatement = flavour === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';

  const captureTo = (name: string, from = header) =>
    captureAfter(workspace, from, `${name}.sql.gz`);
  const run = (sql: string) => query(server, sql, DATABASE);

  beforeAll(async () => {
    server = await privateServer(flavour);
    await query(server, `CREATE DATABASE ${DATABASE}; CREATE DATABASE other`);
    await run('CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)');
    workspace = await createWorkspace(server, DATABASE);
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    const [file = ''] = await workspace.finished();
    const first = (await readIndex(join(workspace.backups, file))).header;
    // An empty capture records the identity of the file of the log.
    const { path } = await captureTo('first', first);
    ({ header } = await readIndex(path));
    expect(header.binlog?.fileCreatedAt).toBeGreaterThan(1_700_000_000);
  });

  afterAll(async () => {
    await workspace.remove();
    await server.stop();
  });

  async function reasonOf(from: IndexHeader): Promise<string> {
    const { path, result } = await captureTo('broken', from);
    expect(existsSync(path)).toBe(false);
    if (result.kind !== 'break') throw new Error('expected the chain to break');
    return `${result.reason}: ${result.message}`;
  }

  it('ends right before what cannot be replayed, and nothing follows', async () => {
    await run('INSERT INTO t VALUES (2)');
    await query(server, 'CREATE TABLE moved (a INT); INSERT INTO moved VALUES (1)', 'other');
    await run('RENAME TABLE other.moved TO moved; INSERT INTO t VALUES (3)');
    const { path, result } = await captureTo('ended');
    if (result.kind === 'break') throw new Error(result.message);
    expect(result.unreplayable).toContain('table moved came in from another database by RENAME');
    const index = await readIndex(path);
    expect(index.changes.map(({ tables }) => tables)).toEqual([
      [{ name: 't', inserted: 1, updated: 0, deleted: 0, ddl: false }],
    ]);
    expect(await reasonOf(index.header)).toMatch(/^unreplayable: table moved came in/);
    await run('DROP TABLE moved');
  });

  it('knows another server', async () => {
    const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
    const elsewhere = {
      ...header,
      serverUuid: uuid,
      coordinates: { ...header.coordinates, gtidSet: flavour === 'mysql' ? `${uuid}:1-5` : null },
    };
    expect(await reasonOf(elsewhere)).toMatch(/^other-server: /);
    const flipped = flavour === 'mysql' ? 'mariadb' : 'mysql';
    expect(await reasonOf({ ...header, serverFlavour: flipped })).toMatch(/^flavour: /);
  });

  it('knows a log that was begun anew, though name and position fit', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await query(server, resetStatement);
    for (let at = 10; at < 60; at += 1) await run(`INSERT INTO t VALUES (${at})`);
    const bare = { ...header, coordinates: { ...header.coordinates, gtidSet: null } };
    expect(await reasonOf(bare)).toMatch(/^reset: binlog\.000001 is another file than the one/);
    if (flavour === 'mysql') {
      expect(await reasonOf(header)).toMatch(/^reset: /);
      const uuid = String(header.serverUuid);
      const ahead = { ...header.coordinates, gtidSet: `${uuid}:1-1000000` };
      expect(await reasonOf({ ...header, coordinates: ahead })).toMatch(
        /^reset: the server has not run all transactions/,
      );
    }
    const far = { ...bare.coordinates, binlogPosition: 100_000_000 };
    expect(await reasonOf({ ...bare, coordinates: far })).toMatch(/^reset: .* bytes now/);
  });

  it('knows files that are gone', async () => {
    await query(server, 'FLUSH BINARY LOGS');
    // A dump that was just cut may hold the file for a moment.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const names = (await query(server, 'SHOW BINARY LOGS')).map((file) =>
        String(file['Log_name']),
      );
      if (!names.includes('binlog.000001')) break;
      await query(server, `PURGE BINARY LOGS TO '${names.at(-1) ?? ''}'`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const bare = { ...header, coordinates: { ...header.coordinates, gtidSet: null } };
    expect(await reasonOf(bare)).toBe('purged: the server does not have binlog.000001 any more');
  });

  it('needs coordinates', async () => {
    const coordinates = { binlogFile: null, binlogPosition: null, gtidSet: null };
    expect(await reasonOf({ ...header, coordinates })).toMatch(/^no-coordinates: /);
  });

  it('needs the privilege to read the log', async () => {
    await query(
      server,
      `CREATE USER poor@'%' IDENTIFIED BY 'x'; GRANT ALL ON ${DATABASE}.* TO poor@'%'`,
    );
    const poor = await createWorkspace(
      { host: server.host, port: server.port, user: 'poor', password: 'x' },
      DATABASE,
    );
    try {
      const [status] = await query(
        server,
        flavour === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS',
      );
      const coordinates = {
        binlogFile: String(status?.['File']),
        binlogPosition: Number(status?.['Position']),
        gtidSet: null,
      };
      const from = { ...header, coordinates, binlog: { ...header.binlog, fileCreatedAt: null } };
      const { result } = await captureAfter(poor, from as IndexHeader, 'poor.sql.gz');
      expect(result.kind === 'break' && result.reason).toBe('privilege');
    } finally {
      await poor.remove();
    }
  });
});
