/**
 * `reshelve undo` case by case: what comes back, in which ways, and everything that it must refuse
 * without a row being changed.
 */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { PrivateServer } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const TABLES = [
  `CREATE TABLE book (id INT PRIMARY KEY, isbn VARCHAR(20) UNIQUE, price FLOAT, weight DOUBLE, cover LONGBLOB,
     facts JSON, due DATETIME(3), seen TIMESTAMP(6) NULL, twice INT AS (id * 2) VIRTUAL, thrice INT AS (id * 3) STORED)`,
  'CREATE TABLE loose (a INT, b FLOAT, c TEXT)',
  'CREATE TABLE pair (a VARCHAR(10), b BIGINT UNSIGNED, c CHAR(3), PRIMARY KEY (a, b))',
  'CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40))',
  'CREATE TABLE old_engine (id INT PRIMARY KEY) ENGINE = MyISAM',
  'CREATE TABLE shelf (id INT PRIMARY KEY, name VARCHAR(20))',
  `CREATE TABLE copy (id INT PRIMARY KEY, shelf_id INT, KEY (shelf_id),
     CONSTRAINT stands FOREIGN KEY (shelf_id) REFERENCES shelf (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  "CREATE TRIGGER gone AFTER DELETE ON book FOR EACH ROW INSERT INTO audit (what) VALUES ('deleted')",
  "CREATE TRIGGER come AFTER INSERT ON book FOR EACH ROW INSERT INTO audit (what) VALUES ('inserted')",
];

const ROWS = [
  `INSERT INTO book (id, isbn, price, weight, cover, facts, due, seen) VALUES
     (1, 'a', 16777215, 0.1, X'00FF0A0D27', '{"a": [1, 2.5, null], "ü": "x\\\\"y"}', '2026-01-02 03:04:05.678', '2026-10-25 01:30:00.123456'),
     (2, 'b', -0.0, 1e300, NULL, '[]', NULL, NULL), (3, NULL, 1.17549e-38, -0.0, '', 'true', '1000-01-01', NULL),
     (4, 'd', NULL, NULL, REPEAT('ab', 40000), '12345678901234567890', NULL, NULL)`,
  "INSERT INTO loose VALUES (1, 0.1, 'x'), (1, 0.1, 'x'), (2, NULL, NULL)",
  "INSERT INTO pair VALUES ('a', 18446744073709551615, 'x'), ('A ', 0, NULL), ('b', 1, '')",
  "INSERT INTO shelf VALUES (1, 'one'), (2, 'two')",
  'INSERT INTO copy VALUES (10, 1), (11, 1), (20, 2)',
];

describe.each([
  [
    'mysql',
    ['--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--binlog-transaction-compression=ON'],
  ],
  ['mariadb', []],
] as const)('%s', (flavour, options) => {
  let server: PrivateServer;
  let shop: Workspace;
  let name: string;
  const run = (sql: string) => query(server, sql, name);
  const state = () => captureState(server, name);

  beforeAll(async () => {
    server = await privateServer(flavour, { options: [...options] });
    ({ name } = await createDatabase(server, 'lib'));
    for (const statement of [...TABLES, ...ROWS]) await run(statement);
    shop = await createWorkspace(server, name);
    const full = await shop.run(['full']);
    expect(full.code, full.stderr).toBe(0);
  }, 300_000);

  afterAll(async () => {
    await shop.remove();
    await server.stop();
  });

  /** Options that name the newest transaction but `back` others: all are of this database. */
  async function transaction(back = 0): Promise<string[]> {
    const variable = flavour === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos';
    const [row] = await query(server, `SELECT @@GLOBAL.${variable} AS gtids`);
    const newest = String(row?.['gtids']).replace(/:.*[-:](\d+)$/s, ':$1');
    return ['--gtid', newest.replace(/\d+$/, (number) => String(Number(number) - back))];
  }

  const apply = (which: readonly string[], ...more: string[]): Promise<CliResult> =>
    shop.run(['undo', ...which, '--apply', '--yes', ...more]);

  /** Counters are no rows, and no transaction takes them back. */
  async function expectState(expected: DatabaseState): Promise<void> {
    const differences = compareStates(expected, await state());
    expect(differences.filter((text) => !text.includes('AUTO_INCREMENT'))).toEqual([]);
  }

  /** The message of a refusal that changed nothing. */
  async function refused(which: readonly string[], code: string): Promise<string> {
    const before = await state();
    const result = await apply(which);
    expect(result.stderr).toContain(`error ${code}: `);
    expect(result.code).toBe(code === 'TRANSACTION_NOT_FOUND' ? 2 : 1);
    await expectState(before);
    return result.stderr;
  }

  it(
    'takes a transaction of every kind of change back, triggers included',
    { timeout: 300_000 },
    async () => {
      const before = await state();
      await run(`BEGIN; UPDATE book SET price = price + 1, facts = '{"b": 1}', cover = X'01' WHERE id < 4;
      UPDATE book SET id = id + 100 ORDER BY id DESC; UPDATE book SET isbn = 'z' WHERE id = 101; DELETE FROM book WHERE id = 102;
      INSERT INTO book (id, isbn) VALUES (2, 'b'), (9, 'n'); DELETE FROM book WHERE id = 9; UPDATE loose SET b = 7 LIMIT 1;
      DELETE FROM loose WHERE a = 1 LIMIT 1; INSERT INTO loose VALUES (3, 0.2, 'y'); UPDATE pair SET c = 'new' WHERE a = 'b';
      UPDATE pair SET b = b - 1 WHERE b > 5; DELETE FROM pair WHERE a = 'A '; COMMIT`);
      const after = await state();
      expect(compareStates(before, after).length).toBeGreaterThan(4);
      const which = await transaction();
      const tried = await shop.run(['undo', ...which, '--apply', '--dry-run']);
      expect(tried.code, tried.stderr).toBe(0);
      expect(tried.stdout).toContain('all of it was run and rolled back');
      await expectState(after);
      const unasked = await shop.run(['undo', ...which, '--apply']);
      expect(unasked.code, unasked.stderr).toBe(2);
      await expectState(after);
      const done = await apply(which);
      expect(done.code, done.stderr).toBe(0);
      await expectState(before);
      const entry = (await shop.catalog()).at(-1);
      expect(entry).toMatchObject({
        type: 'undo',
        status: 'success',
        undone: { position: expect.any(Number) as number },
      });
    },
  );

  it('writes SQL that the client of the server runs', { timeout: 300_000 }, async () => {
    const before = await state();
    await run(
      'BEGIN; DELETE FROM pair; UPDATE loose SET c = NULL; UPDATE book SET weight = 1e0 / 3; COMMIT',
    );
    const incremental = await shop.run(['incremental']);
    expect(incremental.code, incremental.stderr).toBe(0);
    const which = await transaction();
    const path = join(shop.directory, 'undo.sql');
    const written = await shop.run(['undo', ...which, '--output', path]);
    expect(written.code, written.stderr).toBe(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await shop.run(['undo', ...which, '--output', path])).code).toBe(2);
    const printed = await shop.run(['undo', ...which]);
    expect(printed.stdout).toBe(await readFile(path, 'utf8'));
    const input = createReadStream(path);
    const loaded = await runClient(server, server.flavour, ['--binary-mode'], {
      database: name,
      input,
    });
    expect(loaded.code, loaded.stderr).toBe(0);
    await expectState(before);
    const again = await runClient(server, server.flavour, ['--binary-mode'], {
      database: name,
      input: createReadStream(path),
    });
    expect(again.code).not.toBe(0);
    await expectState(before);
  });

  it('refuses where rows were changed, deleted or made since', { timeout: 300_000 }, async () => {
    const clean = await state();
    await run('UPDATE pair SET c = NULL');
    await run("UPDATE pair SET c = 'y' WHERE a = 'b'");
    expect(await refused(await transaction(1), 'UNDO_CONFLICT')).toContain(
      'pair: rows were changed or deleted since',
    );
    await run("UPDATE pair SET c = NULL WHERE a = 'b'");
    expect((await apply(await transaction(2))).code).toBe(0);
    await expectState(clean);
    await run('UPDATE loose SET c = a');
    await run('DELETE FROM loose WHERE a = 2');
    expect(await refused(await transaction(1), 'UNDO_CONFLICT')).toContain('loose: ');
    await run("INSERT INTO loose VALUES (2, NULL, '2')");
    expect((await apply(await transaction(2))).code).toBe(0);
    await expectState(clean);
    await run("DELETE FROM pair WHERE a = 'b'");
    await run("INSERT INTO pair VALUES ('B', 1, 'new')");
    expect(await refused(await transaction(1), 'UNDO_CONFLICT')).toContain('pair: ');
    await run("DELETE FROM pair WHERE a = 'B'");
    expect((await apply(await transaction(2))).code).toBe(0);
    await expectState(clean);
  });

  it('keeps foreign keys whole', { timeout: 300_000 }, async () => {
    const clean = await state();
    await run("INSERT INTO shelf VALUES (7, 'seven')");
    await run('INSERT INTO copy VALUES (70, 7)');
    expect(await refused(await transaction(1), 'UNDO_CONFLICT')).toContain(
      'copy: rows would be without their row in shelf',
    );
    await run('DELETE FROM copy WHERE id = 70');
    expect((await apply(await transaction(2))).code).toBe(0);
    await expectState(clean);
    for (const change of [
      'DELETE FROM shelf WHERE id = 1',
      'UPDATE shelf SET id = 5 WHERE id = 2',
    ]) {
      await run(change);
      const which = await transaction();
      if (flavour === 'mariadb') {
        expect(await refused(which, 'NOT_UNDOABLE')).toContain(
          'copy: what the foreign key stands did to its rows',
        );
        if (change.startsWith('DELETE')) {
          expect((await apply(which, '--incomplete')).code).toBe(0);
          await run('INSERT INTO copy VALUES (10, 1), (11, 1)');
        } else await run('UPDATE shelf SET id = 2 WHERE id = 5');
      } else {
        const done = await apply(which);
        expect(done.code, done.stderr).toBe(0);
      }
      await expectState(clean);
    }
    await run("UPDATE shelf SET name = 'first' WHERE id = 1");
    expect((await apply(await transaction())).code).toBe(0);
    await expectState(clean);
  });

  it('refuses what the log does not hold whole', { timeout: 300_000 }, async () => {
    await run("SET SESSION binlog_row_image = 'MINIMAL'; UPDATE pair SET c = 'min' WHERE a = 'b'");
    expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain(
      'pair: the log holds parts of rows',
    );
    await run("SET SESSION binlog_format = 'STATEMENT'; UPDATE pair SET c = 'stm' WHERE a = 'b'");
    expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain('logged as a statement');
    if (flavour === 'mysql') {
      await run(
        `SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE book SET facts = '{"long": "${'x'.repeat(99)}", "n": 1}' WHERE id = 1`,
      );
      await run(
        `SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE book SET facts = JSON_SET(facts, '$.n', 2) WHERE id = 1`,
      );
      expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain(
        'book: updates of JSON are logged in part',
      );
    }
    await run('INSERT INTO old_engine VALUES (1)');
    expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain(
      'old_engine cannot be rolled back (ENGINE=MyISAM)',
    );
    await run('TRUNCATE TABLE loose');
    expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain('it is a TRUNCATE');
    await run("INSERT INTO loose VALUES (1, 1, 'x')");
    await run('ALTER TABLE loose MODIFY c TINYTEXT');
    expect(await refused(await transaction(1), 'NOT_UNDOABLE')).toContain(
      'the definition of loose was changed since (alter)',
    );
    expect(await refused(await transaction(), 'NOT_UNDOABLE')).toContain(
      'it is a definition (alter)',
    );
    const missing = await refused(
      ['--position', 'binlog.000001:999999999'],
      'TRANSACTION_NOT_FOUND',
    );
    expect(missing).toContain('looked in: ');
    const wrong = await shop.run(['undo']);
    expect(wrong.code).toBe(2);
  });

  it('carries a transaction that no memory should hold', { timeout: 300_000 }, async () => {
    const variable = flavour === 'mysql' ? 'cte_max_recursion_depth' : 'max_recursive_iterations';
    await run(`SET SESSION ${variable} = 1000000; CREATE TABLE big (id INT PRIMARY KEY, t VARCHAR(700));
      INSERT INTO big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
        SELECT i, REPEAT(SHA2(i, 256), 10) FROM n`);
    const [sum] = await run('CHECKSUM TABLE big');
    await run('BEGIN; UPDATE big SET t = REVERSE(t); DELETE FROM big WHERE id % 2 = 0; COMMIT');
    const which = await transaction();
    const done = await apply(which);
    expect(done.code, done.stderr).toBe(0);
    expect(await run('CHECKSUM TABLE big')).toEqual([sum]);
  });
});
