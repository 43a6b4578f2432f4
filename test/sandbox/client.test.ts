import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { beforeAll, expect, test } from 'vitest';
import { ensureTool, runClient, type ServerAddress } from '../../sandbox/index.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

/** The real client programs, against the real servers. */
const servers = new Map<string, ServerAddress>();
beforeAll(async () => {
  for (const flavour of ['mysql', 'mariadb'] as const) {
    servers.set(flavour, await sharedServer(flavour));
  }
});

function serverOf(flavour: string): ServerAddress {
  const server = servers.get(flavour);
  if (server === undefined) throw new Error(`expected a ${flavour} server`);
  return server;
}

test.each([
  ['mysql', 'mysql', 'mysqldump'],
  ['mariadb', 'mariadb', 'mariadb-dump'],
] as const)('%s: a script goes in and a dump comes out', async (flavour, client, dump) => {
  const server = serverOf(flavour);
  const database = await createDatabase(server, 'client');
  const script = Readable.from(['CREATE TABLE t (a INT);', 'INSERT INTO t VALUES (41), (42);']);
  const loaded = await runClient(server, client, [], { input: script, database: database.name });
  expect(loaded).toMatchObject({ code: 0, stderr: '' });
  const dumped = await runClient(server, dump, ['--skip-comments'], { database: database.name });
  expect(dumped.code).toBe(0);
  expect(dumped.stdout.toString('utf8')).toMatch(/VALUES\s*\(41\),\s*\(42\)/);
});

test('a failing statement gives the exit code and the words of the client', async () => {
  const result = await runClient(serverOf('mysql'), 'mysql', [], {
    input: 'SELECT * FROM no.such;',
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/ERROR 1049/);
});

test('mysqlbinlog reads the binary log of the running server', async () => {
  const server = serverOf('mysql');
  const [row] = await query(server, 'SHOW BINARY LOGS');
  const name = String(row?.['Log_name']);
  const result = await runClient(server, 'mysqlbinlog', ['--read-from-remote-server', name]);
  expect(result.stderr).toBe('');
  // The log of a whole test run may be longer than a string can be.
  expect(result.stdout.toString('utf8', 0, 10_000)).toContain('at 4');
});

test.each(['pigz', 'igzip', 'gzip'] as const)('%s makes gzip of its input', async (name) => {
  const tool = await ensureTool(name);
  const packed = execFileSync(tool.command, [...tool.argsPrefix, '-c'], {
    env: tool.env,
    input: 'some text',
  });
  expect(packed.subarray(0, 2).toString('hex')).toBe('1f8b');
});

test('mydumper runs', async () => {
  const tool = await ensureTool('mydumper');
  const text = execFileSync(tool.command, [...tool.argsPrefix, '--version'], { env: tool.env });
  expect(text.toString('utf8')).toMatch(/^mydumper /);
});
