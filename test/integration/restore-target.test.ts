/**
 * The state that a GTID or a place in the log names, and transactions left out, on a real server. The
 * oracle is what the tables held when each transaction was committed.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

/** Of another server than the one that logs them, as after a failover. */
const UUID = '11111111-2222-3333-4444-555555555555';
const FAKE = `${UUID}:99`;
const FAKE_MARKER =
  `-- @transaction {"gtid":"${FAKE}","file":"binlog.000001","start":4,"end":5,` +
  '"at":"1","kind":"rows","tables":[]}';

const STEPS = [
  [`${UUID}:1`, "INSERT INTO book VALUES (1, 'First')"],
  [`${UUID}:2`, "INSERT INTO loan VALUES (1, 'Out')"],
  [`${UUID}:3`, "UPDATE book SET title = 'Second' WHERE id = 1"],
  [`${UUID}:4`, `${FAKE_MARKER}\nCREATE TABLE told (id INT)`],
  [`${UUID}:5`, `/* ;\n${FAKE_MARKER}\n*/ CREATE TABLE told_too (id INT)`],
  [`${UUID}:late:1`, "INSERT INTO loan VALUES (2, 'Tagged')"],
] as const;

let server: PrivateServer;
let library: TestDatabase;
let workspace: Workspace;
const states = new Map<string, string>();
const places = new Map<string, string>();

async function run(args: readonly string[], code = 0): Promise<CliResult> {
  const result = await workspace.run(args);
  expect(result.code, `${args.join(' ')}: ${result.stderr}${result.stdout}`).toBe(code);
  return result;
}

async function stateOf(database: string): Promise<string> {
  const tables = await query(
    server,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${database}' ORDER BY 1`,
  );
  const rows = await Promise.all(
    tables.map(async ({ name }) => [
      name,
      await query(server, `SELECT * FROM ${String(name)} ORDER BY 1`, database),
    ]),
  );
  return JSON.stringify(rows);
}

async function restored(args: readonly string[]): Promise<string> {
  await query(server, 'DROP DATABASE IF EXISTS restored_copy');
  await run(['restore', '--into', 'restored_copy', '--yes', ...args]);
  return stateOf('restored_copy');
}

beforeAll(async () => {
  server = await privateServer('mysql', {
    options: ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  });
  library = await createDatabase(server, 'lib');
  const tables =
    'CREATE TABLE book (id INT PRIMARY KEY, title TEXT); CREATE TABLE loan (id INT PRIMARY KEY, note TEXT)';
  await query(server, tables, library.name);
  await query(server, "INSERT INTO book VALUES (7, 'Kept')", library.name);
  workspace = await createWorkspace(server, library.name);
  await run(['full']);
  const connection = await connectTo(server, library.name);
  for (const [gtid, statement] of STEPS) {
    const [status] = await query(server, 'SHOW BINARY LOG STATUS');
    places.set(gtid, `${String(status?.['File'])}:${String(status?.['Position'])}`);
    await connection.query(`SET gtid_next = '${gtid}'`);
    await connection.query(statement);
    await connection.query("SET gtid_next = 'AUTOMATIC'");
    states.set(gtid, await stateOf(library.name));
  }
  await connection.end();
  await run(['incremental']);
}, 240_000);
afterAll(async () => {
  await workspace.remove();
  await server.stop();
});

test('each transaction, by its GTID and by its place', { timeout: 240_000 }, async () => {
  let before: string | undefined;
  for (const [gtid] of STEPS) {
    const state = states.get(gtid);
    expect(await restored(['--to-gtid', gtid])).toBe(state);
    if (before !== undefined) {
      expect(await restored(['--before-gtid', gtid])).toBe(before);
      expect(await restored(['--to-position', places.get(gtid) ?? ''])).toBe(before);
    }
    before = state;
  }
  expect(await restored([])).toBe(before);
});

test('a comment that looks like a marker names no transaction', { timeout: 60_000 }, async () => {
  for (const option of ['--to-gtid', '--before-gtid']) {
    const { stderr } = await run(['restore', '--into', 'nothing', '--yes', option, FAKE], 5);
    expect(stderr).toContain(`CHAIN_GAP: no incremental that can be restored holds`);
  }
  await run(['restore', '--into', 'nothing', '--yes', '--skip-gtid', FAKE], 2);
});

test('transactions left out, and one that others need', { timeout: 120_000 }, async () => {
  const loans = await restored(['--skip-gtid', `${UUID}:2`, '--skip-gtid', `${UUID}:late:1`]);
  expect(loans).toContain('["loan",[]]');
  expect(loans).toContain('{"id":1,"title":"Second"}');

  const skip = ['--skip-gtid', `${UUID}:1`];
  const { stderr } = await run(['restore', '--into', 'broken_copy', '--yes', ...skip], 4);
  expect(stderr).toContain('REPLAY_FAILED');
  expect(stderr).toContain(`transaction ${UUID}:3 of `);
  expect(stderr).toContain('TARGET_INCOMPLETE: broken_copy holds only a part');

  const passed = await restored([...skip, '--idempotent']);
  expect(passed).toContain('["book",[{"id":7,"title":"Kept"}]]');
  expect(passed).toContain('{"id":2,"note":"Tagged"}');
});

test('one table of a point in time', { timeout: 60_000 }, async () => {
  const book = await restored(['--table', 'book', '--before-gtid', `${UUID}:3`]);
  expect(book).toBe(
    JSON.stringify([
      [
        'book',
        [
          { id: 1, title: 'First' },
          { id: 7, title: 'Kept' },
        ],
      ],
    ]),
  );
});

test('what is not there is refused with the nearest that is', { timeout: 60_000 }, async () => {
  const refusal = async (...wish: string[]): Promise<string> =>
    (await run(['restore', '--into', 'nothing', '--yes', ...wish], 5)).stderr;
  expect(await refusal('--to-gtid', `${UUID}:999`)).toContain(
    `; the nearest one that can is --to-gtid ${UUID}:5\n`,
  );
  expect(await refusal('--before-gtid', `${UUID}:late:999`)).toMatch(
    /; the nearest one that can is --to-gtid \S+:late:\d+\n/,
  );
  const [first] = places.values();
  const file = String(first).split(':')[0];
  expect(await refusal('--to-position', `${String(file)}:4`)).toMatch(
    new RegExp(`; the nearest one that can is --to-position ${String(file)}:\\d+\\n`),
  );
  const beyond = await refusal('--to-position', 'binlog.009999:4');
  expect(beyond).toMatch(/; the nearest one that can is --to-position \S+\.\d+:\d+\n/);
  const [, place = ''] = /--to-position (\S+)\n/.exec(beyond) ?? [];
  expect(await restored(['--to-position', place])).toBe(await restored([]));
});
