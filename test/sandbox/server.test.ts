import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  runClient,
  startServer,
  type PrivateServer,
  type ServerAddress,
} from '../../sandbox/index.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import { commandLines, isRunning } from './processes.js';

/**
 * The sandbox itself, against real servers: what a test relies on when it kills, restarts and
 * forgets a server.
 */
describe.each(['mysql', 'mariadb'] as const)('a private %s', (flavour) => {
  let server: PrivateServer;
  beforeAll(async () => {
    server = await startServer({ flavour, options: ['--max-connections=77'] });
  });
  afterAll(() => server.stop());

  test('is the flavour that was asked for, with the given and the default options', async () => {
    const [row] = await query(
      server,
      'SELECT VERSION() v, @@max_connections m, @@log_bin b, @@binlog_format f, @@local_infile l',
    );
    expect(row).toMatchObject({ v: server.version, m: 77, b: 1, f: 'ROW', l: 0 });
    expect(server.version.includes('MariaDB')).toBe(flavour === 'mariadb');
    expect(server.version).toMatch(flavour === 'mariadb' ? /^1\d\./ : /^(8|9)\./);
  });

  test('knows time zones by name', async () => {
    const sql = "SELECT CONVERT_TZ('2026-07-01 12:00:00', 'UTC', 'Europe/Berlin') t";
    expect(await query(server, sql)).toEqual([{ t: '2026-07-01 14:00:00' }]);
  });

  test('keeps the password out of every command line and out of its log', async () => {
    await runClient(server, flavour, ['-e', 'SELECT 1']);
    for (const line of commandLines().values()) expect(line).not.toContain(server.password);
    expect(readFileSync(server.errorLogPath, 'utf8')).not.toContain(server.password);
    expect(commandLines().get(server.pid)).toContain(server.dataDirectory);
  });

  test('refuses root without the password', async () => {
    await expect(query(loginAs(server, 'root', ''), 'SELECT 1')).rejects.toThrow();
  });

  test('lets users with the default plug-in in, over plain TCP', async () => {
    await query(
      server,
      `CREATE USER 'reader'@'%' IDENTIFIED BY 'a word'; GRANT SELECT ON *.* TO 'reader'@'%'`,
    );
    const address = loginAs(server, 'reader', 'a word');
    const [row] = await query(address, 'SELECT CURRENT_USER() u');
    expect(row).toEqual({ u: 'reader@%' });
  });

  test('keeps committed rows through kill -9 and restart, on the same port', async () => {
    const port = server.port;
    const database = await createDatabase(server, 'survive');
    await query(server, 'CREATE TABLE t (a INT); INSERT INTO t VALUES (7)', database.name);
    const before = server.pid;
    await server.kill();
    expect(isRunning(before)).toBe(false);
    await expect(query(server, 'SELECT 1')).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(server.port).toBe(port);
    expect(await query(server, 'SELECT a FROM t', database.name)).toEqual([{ a: 7 }]);
  });

  test('restarts with other options', async () => {
    await server.restart(['--max-connections=55']);
    expect(await query(server, 'SELECT @@max_connections m')).toEqual([{ m: 55 }]);
  });
});

test('two MySQL servers have UUIDs, ports, ids and folders of their own', async () => {
  const [one, two] = await Promise.all([
    startServer({ flavour: 'mysql' }),
    startServer({ flavour: 'mysql' }),
  ]);
  try {
    const sql = 'SELECT @@server_uuid u, @@server_id i, @@port p, @@datadir d';
    const rows = [(await query(one, sql))[0], (await query(two, sql))[0]];
    for (const key of ['u', 'i', 'p', 'd']) expect(rows[0]?.[key]).not.toEqual(rows[1]?.[key]);
  } finally {
    await one.stop();
    await two.stop();
  }
});

test('stop leaves neither process nor folder, and may be called twice', async () => {
  const server = await startServer({ flavour: 'mariadb' });
  const folder = dirname(server.dataDirectory);
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  await server.stop();
  expect(isRunning(server.pid)).toBe(false);
  expect(existsSync(folder)).toBe(false);
  await expect(server.restart()).rejects.toThrow('stopped');
});

test('an option that the server does not know fails with its own words', async () => {
  const starting = startServer({ flavour: 'mariadb', options: ['--no-such-option'] });
  await expect(starting).rejects.toThrow(/no-such-option/);
});

test('the shared server is one and the same for all who ask', async () => {
  const one = await sharedServer('mariadb');
  const [row] = await query(one, 'SELECT @@port p');
  expect(row).toEqual({ p: one.port });
  expect(await sharedServer('mariadb')).toBe(one);
});

function loginAs(server: PrivateServer, user: string, password: string): ServerAddress {
  const { flavour, version, host, port, socketPath } = server;
  return { flavour, version, host, port, socketPath, user, password };
}
