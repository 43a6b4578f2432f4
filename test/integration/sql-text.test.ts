/**
 * Goal: what the pure text functions make of real definitions is what the servers take and mean.
 * Method: a database whose tables, aliases and columns are called like itself; its objects move to
 * another database while the first one is gone; tables get their indexes and foreign keys later.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../src/mysql/session.js';
import { splitCreateTable } from '../../src/sql/ddl-create-table.js';
import { readDefiner, replaceDefiner, stripDefiner } from '../../src/sql/ddl-definer.js';
import { setEventStatus } from '../../src/sql/ddl-event.js';
import {
  findDatabaseReferences,
  renameDatabaseQualifiers,
  stripDatabaseQualifiers,
  stripTriggerHeaderDatabase,
} from '../../src/sql/ddl-qualifiers.js';
import { isNativeFunction } from '../../src/sql/ddl-native-functions.js';
import { quoteIdentifier } from '../../src/sql/quote.js';
import { viewOrder } from '../../src/sql/view-order.js';
import { createDatabase, sharedServer } from '../support/servers.js';
import { FLAVOURS, open, show } from './sql-support.js';
import type { Flavour } from './sql-support.js';

/** Objects of a database `d` that name it wherever that is possible. `other` is a second one. */
function definitions(d: string, other: string, flavour: Flavour): string[] {
  return [
    'CREATE TABLE BOOK (id INT PRIMARY KEY, title VARCHAR(50), library_id INT)',
    `CREATE TABLE ${d} (id INT PRIMARY KEY, name VARCHAR(20))`,
    `CREATE TABLE ${other}.o (id INT, x INT)`,
    'CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1',
    'CREATE FUNCTION abs(a INT) RETURNS INT DETERMINISTIC RETURN 77',
    `CREATE VIEW v1 AS SELECT ${d}.f(id) AS a, ${d}.BOOK.title FROM ${d}.BOOK`,
    `CREATE VIEW a1 AS SELECT * FROM ${d}.v1`,
    `CREATE VIEW v2 AS SELECT ${d}.id, ${d}.name FROM BOOK b, ${d} WHERE ${d}.id IN (SELECT library_id FROM BOOK)`,
    `CREATE VIEW v3 AS SELECT ${d}.title FROM BOOK AS ${d} JOIN ${other}.o ON o.id = ${d}.id`,
    `CREATE VIEW v4 AS SELECT b.id, (SELECT MAX(o.x) FROM ${other}.o WHERE o.id = b.id) AS mx FROM BOOK b LEFT JOIN (${d} l, v1) ON l.id = b.id`,
    `CREATE VIEW v5 AS SELECT TRIM(LEADING 'a' FROM ${d}.name) AS t, EXTRACT(YEAR FROM ${d}.name) y FROM ${d}, ${other}.o`,
    `CREATE VIEW v6 AS SELECT id FROM BOOK UNION SELECT x FROM ${other}.o`,
    `CREATE VIEW v7 AS WITH c AS (SELECT id FROM ${d}.BOOK) SELECT c.id, ${d}.f(c.id) AS n FROM c, ${other}.o`,
    `CREATE TRIGGER ${d}.trg BEFORE INSERT ON ${d}.BOOK FOR EACH ROW SET NEW.title = ${d}.f(1), NEW.library_id = (SELECT MAX(id) FROM ${d}.${d})`,
    `CREATE PROCEDURE ${d}.p(IN ${d} INT) BEGIN SELECT ${d}.id FROM ${d}.BOOK AS ${d}; INSERT INTO ${d}.${d} VALUES (1, 'x') ON DUPLICATE KEY UPDATE ${d}.name = 'y'; CALL ${d}.q(); END`,
    `CREATE EVENT ${d}.e ON SCHEDULE EVERY 1 DAY STARTS '2038-01-01' COMMENT 'DO ENABLE' DO DELETE FROM ${d}.BOOK WHERE id < 0`,
    ...(flavour === 'mariadb'
      ? [
          'CREATE SEQUENCE s',
          `CREATE TABLE numbered (id INT DEFAULT NEXTVAL(${d}.s), b INT DEFAULT (NEXT VALUE FOR s))`,
          `CREATE VIEW vs AS SELECT NEXTVAL(s) AS a, LASTVAL(${d}.s) AS b`,
        ]
      : []),
  ];
}

const VIEWS = ['a1', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7'];

describe.each(FLAVOURS)('definitions on %s', (flavour) => {
  let session: Session;
  let source: string;
  let target: string;
  let other: string;
  let cleanUp: (() => Promise<void>)[] = [];
  const shown = new Map<string, Buffer>();
  const objects = [
    ...VIEWS.map((name) => `VIEW ${name}`),
    'FUNCTION f',
    'PROCEDURE p',
    'TRIGGER trg',
    'EVENT e',
    ...(flavour === 'mariadb' ? ['VIEW vs', 'TABLE numbered'] : []),
  ];

  beforeAll(async () => {
    const server = await sharedServer(flavour);
    const databases = [];
    for (const prefix of ['Lib', 'copy', 'other']) {
      databases.push(await createDatabase(server, prefix));
    }
    [source = '', target = '', other = ''] = databases.map(({ name }) => name);
    cleanUp = databases.map((database) => () => database.drop());
    session = await open(server, source);
    for (const sql of definitions(source, other, flavour)) await session.execute(sql);
    for (const what of objects) shown.set(what, await show(session, what));
    await session.execute(`DROP DATABASE ${source}`);
    await session.execute(`CREATE DATABASE ${source}`);
    await session.execute(`USE ${target}`);
    await session.execute(
      `CREATE TABLE BOOK (id INT PRIMARY KEY, title VARCHAR(50), library_id INT)`,
    );
    await session.execute(`CREATE TABLE ${source} (id INT PRIMARY KEY, name VARCHAR(20))`);
    if (flavour === 'mariadb') await session.execute('CREATE SEQUENCE s');
    await session.execute(shown.get('FUNCTION f') ?? '');
  });

  afterAll(async () => {
    await session.close();
    for (const clean of cleanUp) await clean();
  });

  const text = (what: string): Buffer => shown.get(what) ?? Buffer.alloc(0);

  it('views load into another database in the order found, and are the same there', async () => {
    const stripped = VIEWS.map((name) => ({
      name,
      text: stripDatabaseQualifiers(text(`VIEW ${name}`), source),
    }));
    const order = viewOrder(stripped);
    for (const name of order) {
      const view = stripped.find((one) => one.name === name);
      await session.execute(view?.text ?? '');
    }
    for (const { name, text: expected } of stripped) {
      const loaded = stripDatabaseQualifiers(await show(session, `VIEW ${name}`), target);
      expect(loaded.toString()).toBe(expected.toString());
      // The first database is empty: a name left in the view would fail here.
      await session.query(`SELECT * FROM ${name}`);
    }
  });

  it('bodies follow a new name, wherever they name the database', async () => {
    for (const what of ['PROCEDURE p', 'TRIGGER trg', 'EVENT e']) {
      const renamed = renameDatabaseQualifiers(text(what), source, target);
      expect(findDatabaseReferences(renamed, source)).toBe(0);
      expect(renamed.toString()).toContain(quoteIdentifier(target));
      await session.execute(renamed);
    }
    await session.execute('CREATE PROCEDURE q() SET @q = 1');
    await session.execute(`INSERT INTO ${source} VALUES (5, 'five')`);
    await session.execute(`INSERT INTO BOOK (id) VALUES (1)`);
    await session.query('CALL p(1)');
    const rows = await session.records('SELECT title, library_id FROM BOOK');
    expect(rows).toEqual([{ title: '2', library_id: '5' }]);
    await session.execute('DROP TRIGGER trg');
  });

  it('triggers lose the database in their header', async () => {
    const stripped = stripTriggerHeaderDatabase(text('TRIGGER trg'), source);
    await session.execute(stripped);
    expect((await show(session, 'TRIGGER trg')).toString()).toBe(stripped.toString());
    await session.execute('DROP TRIGGER trg');
  });

  it('events are made disabled, their body untouched', async () => {
    await session.execute('DROP EVENT IF EXISTS e');
    await session.execute(setEventStatus(text('EVENT e'), 'DISABLE'));
    const status = await session.value(
      `SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()`,
    );
    expect(status).toBe('DISABLED');
    const back = setEventStatus(await show(session, 'EVENT e'), 'ENABLE');
    expect(back.toString()).toBe(text('EVENT e').toString());
  });

  it('definers are read, replaced and removed', async () => {
    const own = await session.value('SELECT CURRENT_USER()');
    for (const what of ['VIEW v1', 'PROCEDURE p', 'TRIGGER trg', 'EVENT e', 'FUNCTION f']) {
      const definer = readDefiner(text(what));
      expect(`${definer?.user}@${definer?.host}`).toBe(own);
      expect(readDefiner(stripDefiner(text(what)))).toBeUndefined();
      const nobody = replaceDefiner(text(what), { user: 'no`body', host: '%' });
      expect(readDefiner(nobody)).toEqual({ user: 'no`body', host: '%' });
    }
    await session.execute('DROP FUNCTION f');
    await session.execute(stripDefiner(text('FUNCTION f')));
    expect((await show(session, 'FUNCTION f')).toString()).toBe(text('FUNCTION f').toString());
  });

  it('a function called like one of the server is another one without its database', async () => {
    await session.execute('CREATE FUNCTION abs(a INT) RETURNS INT DETERMINISTIC RETURN 77');
    expect(await session.value('SELECT `abs`(-5)')).toBe('5');
    expect(await session.value(`SELECT ${target}.abs(-5)`)).toBe('77');
    expect(isNativeFunction('abs')).toBe(true);
  });

  if (flavour === 'mariadb') {
    it('sequences lose the database in defaults and views', async () => {
      await session.execute(stripDatabaseQualifiers(text('TABLE numbered'), source));
      await session.execute(stripDatabaseQualifiers(text('VIEW vs'), source));
      await session.execute('INSERT INTO numbered VALUES ()');
      expect(await session.value('SELECT b FROM vs')).toBeDefined();
    });
  }
});

const TABLES = [
  'CREATE TABLE parent (id INT NOT NULL, k INT, PRIMARY KEY (id), KEY (k))',
  `CREATE TABLE child (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(90) CHARACTER SET utf8mb4 DEFAULT 'x,(''', b INT NOT NULL,
    g INT AS (b + 1) VIRTUAL, h INT AS (b + 2) STORED, t TEXT, p INT, self BIGINT UNSIGNED, PRIMARY KEY (id), UNIQUE KEY u2 (a), UNIQUE KEY u1 (b),
    KEY z (a(3), b), KEY kg (g), KEY a (b) COMMENT 'KEY (', FULLTEXT KEY ft (t), KEY h (h, b), KEY last (b, a),
    CONSTRAINT fz FOREIGN KEY (p) REFERENCES parent (id) ON DELETE SET NULL, CONSTRAINT fa FOREIGN KEY (self) REFERENCES child (id),
    CONSTRAINT positive CHECK (b > 0)) AUTO_INCREMENT=77 COMMENT='ENGINE=MyISAM'`,
  'CREATE TABLE auto_key (a INT, id INT AUTO_INCREMENT, b INT, KEY k1 (a), KEY k2 (id, a), KEY k3 (b))',
  'CREATE TABLE `we``ird,( KEY` (`a,)` INT, KEY `k(` (`a,)`)) PARTITION BY HASH(`a,)`) PARTITIONS 2',
] as const;

describe.each(FLAVOURS)('tables on %s', (flavour) => {
  it('are the same after their indexes and foreign keys came later', async () => {
    const server = await sharedServer(flavour);
    const session = await open(server, (await createDatabase(server, 'tables')).name);
    const names = ['parent', 'child', 'auto_key', '`we``ird,( KEY`'];
    for (const sql of TABLES) await session.execute(sql);
    const before = [];
    for (const name of names) before.push(await show(session, `TABLE ${name}`));
    await session.execute(`DROP TABLE ${[...names].reverse().join(', ')}`);

    const parts = before.map((text) => splitCreateTable(text, { flavour }));
    for (const { withoutSecondary } of parts) await session.execute(withoutSecondary);
    for (const [at, { addIndexes }] of parts.entries()) {
      if (addIndexes.length === 0) continue;
      await session.execute(`ALTER TABLE ${names[at]} ${addIndexes.join(', ')}`);
    }
    for (const [at, { addForeignKeys }] of parts.entries()) {
      if (addForeignKeys.length === 0) continue;
      await session.execute(`ALTER TABLE ${names[at]} ${addForeignKeys.join(', ')}`);
    }
    for (const [at, name] of names.entries()) {
      expect((await show(session, `TABLE ${name}`)).toString()).toBe(before[at]?.toString());
    }
    // On MariaDB the key over the virtual column stays where it is, and the one before it.
    const ofChild = flavour === 'mysql' ? 6 : 5;
    expect(parts.map(({ addIndexes }) => addIndexes.length)).toEqual([1, ofChild, 1, 1]);
    expect(parts.map(({ addForeignKeys }) => addForeignKeys.length)).toEqual([0, 2, 0, 0]);
    await session.close();
  });
});
