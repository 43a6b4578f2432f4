/**
 * `reshelve events` and `reshelve undo` of transactions that are unlike most (XA, GTIDs with a tag), and
 * for a user who may not write what an undo writes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

interface Event {
  readonly gtid: string | null;
  readonly undo: string | null;
  readonly tables: readonly { name: string; inserted: number; updated: number; deleted: number }[];
}

describe.each([
  ['mysql', ['--gtid-mode=ON', '--enforce-gtid-consistency=ON']],
  ['mariadb', []],
] as const)('%s', (flavour, options) => {
  let server: PrivateServer;
  let shop: Workspace;
  let name: string;
  const logRights =
    flavour === 'mysql'
      ? 'REPLICATION SLAVE, REPLICATION CLIENT'
      : 'REPLICATION SLAVE, BINLOG MONITOR';
  const run = (sql: string) => query(server, sql, name);

  beforeAll(async () => {
    server = await privateServer(flavour, { options: [...options] });
    ({ name } = await createDatabase(server, 'lib'));
    await run('CREATE TABLE book (id INT PRIMARY KEY, title VARCHAR(40))');
    await run('CREATE TABLE loan (id INT PRIMARY KEY, book_id INT)');
    await run("INSERT INTO book VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    await run('INSERT INTO loan VALUES (1, 1), (2, 2)');
    shop = await createWorkspace(server, name);
    const full = await shop.run(['full']);
    expect(full.code, full.stderr).toBe(0);
  }, 300_000);

  afterAll(async () => {
    await shop.remove();
    await server.stop();
  });

  async function newest(): Promise<Event> {
    const { stdout, stderr, code } = await shop.run(['events', '--json', '--limit', '99']);
    expect([0, 3], stderr).toContain(code);
    const event = (JSON.parse(stdout) as { events: Event[] }).events.at(-1);
    if (event === undefined) throw new Error(`expected an event but found none: ${stdout}`);
    return event;
  }

  const undo = ({ undo: command }: Event, environment = {}): Promise<CliResult> =>
    shop.run([...(command ?? '').split(' ').slice(1), '--apply', '--yes'], environment);

  async function expectState(expected: DatabaseState): Promise<void> {
    expect(compareStates(expected, await captureState(server, name))).toEqual([]);
  }

  /** Prepared on one connection and committed on another, with changes of others in between. */
  async function commitXa(statements: readonly string[]): Promise<void> {
    const connection = await connectTo(server, name);
    await connection.query("XA START 'x1','b',7");
    for (const statement of statements) await connection.query(statement);
    await connection.query("XA END 'x1','b',7");
    await connection.query("XA PREPARE 'x1','b',7");
    await connection.end();
    await run('INSERT INTO loan VALUES (50, 3)');
    await run("XA COMMIT 'x1','b',7");
  }

  it('shows an XA transaction and takes it back', { timeout: 120_000 }, async () => {
    const before = await captureState(server, name);
    await commitXa([
      "UPDATE book SET title = 'changed' WHERE id < 3",
      'DELETE FROM book WHERE id = 3',
    ]);
    const event = await newest();
    expect(event.tables).toMatchObject([{ name: 'book', inserted: 0, updated: 2, deleted: 1 }]);
    const undone = await undo(event);
    expect(undone.code, undone.stderr).toBe(0);
    await run('DELETE FROM loan WHERE id = 50');
    await expectState(before);
  });

  it.runIf(flavour === 'mysql')('takes a GTID with a tag', { timeout: 120_000 }, async () => {
    const before = await captureState(server, name);
    await run("SET gtid_next = 'AUTOMATIC:nightly'; DELETE FROM loan; SET gtid_next = 'AUTOMATIC'");
    const event = await newest();
    expect(event.gtid).toMatch(/^[-0-9a-f]{36}:nightly:1$/);
    const incremental = await shop.run(['incremental']);
    expect(incremental.code, incremental.stderr).toBe(0);
    const archived = await newest();
    expect(archived).toMatchObject({ gtid: event.gtid, undo: event.undo, tables: event.tables });
    const undone = await undo(event);
    expect(undone.code, undone.stderr).toBe(0);
    await expectState(before);
  });

  it('names what its user lacks and changes nothing', { timeout: 120_000 }, async () => {
    const clean = await captureState(server, name);
    await run("CREATE USER reader@'%' IDENTIFIED BY 'Reader-1'");
    await run(`GRANT ${logRights} ON *.* TO reader@'%'`);
    await run(
      `GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON \`${name}\`.* TO reader@'%'`,
    );
    await run('BEGIN; DELETE FROM book WHERE id = 1; DELETE FROM loan WHERE id = 2; COMMIT');
    const after = await captureState(server, name);
    const event = await newest();
    const reader = { DB_USER: 'reader', DB_PASS: 'Reader-1' };
    const refused = await undo(event, reader);
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr).toContain('error PRIVILEGE: ');
    expect(refused.stderr).not.toContain('Reader-1');
    await expectState(after);
    // Its SQL can be had all the same, for somebody who may run it.
    const written = await shop.run((event.undo ?? '').split(' ').slice(1), reader);
    expect(written.code, written.stderr).toBe(0);
    expect(written.stdout).toContain('BINLOG');
    const [, grant = ''] = /`(GRANT .*;)`/.exec(refused.stderr) ?? [];
    await run(grant);
    const undone = await undo(event, reader);
    expect(undone.code, undone.stderr).toBe(0);
    await expectState(clean);
  });

  // MariaDB lets everybody who reads a row lock it.
  it.runIf(flavour === 'mysql')(
    'names the table whose rows it may not lock',
    { timeout: 120_000 },
    async () => {
      await run("CREATE USER looker@'%' IDENTIFIED BY 'Looker-1'");
      await run(`GRANT BINLOG_ADMIN, SESSION_VARIABLES_ADMIN, ${logRights} ON *.* TO looker@'%'`);
      await run(`GRANT SELECT ON \`${name}\`.* TO looker@'%'`);
      const before = await captureState(server, name);
      await run('UPDATE book SET title = NULL');
      const after = await captureState(server, name);
      const event = await newest();
      const looker = { DB_USER: 'looker', DB_PASS: 'Looker-1' };
      const refused = await undo(event, looker);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/error PRIVILEGE: .*book.*; nothing was changed/);
      await expectState(after);
      const [, grant = ''] = /`(GRANT .*;)`/.exec(refused.stderr) ?? [];
      expect(grant).toContain('LOCK TABLES');
      await run(grant);
      const undone = await undo(event, looker);
      expect(undone.code, undone.stderr).toBe(0);
      await expectState(before);
    },
  );
});
