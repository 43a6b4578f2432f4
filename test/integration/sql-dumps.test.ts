/**
 * Goal: dumps of the servers' own tools come apart into statements that fill another database with
 * the same, and touch nothing else. Method: dumps with and without comments, of one database and of
 * all, are split in chunks of any size, filtered and run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';
import type { Session } from '../../src/mysql/session.js';
import { renameDatabaseQualifiers } from '../../src/sql/ddl-qualifiers.js';
import { ForeignLoadPolicy, inspectDump } from '../../src/sql/foreign-dump.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';
import type { SplitStatement } from '../../src/sql/statement-splitter.js';
import { createDatabase, privateServer, sharedServer } from '../support/servers.js';
import { FLAVOURS, open, show } from './sql-support.js';
import type { Flavour } from './sql-support.js';

const DUMPED = [
  "CREATE TABLE BOOK (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(50) COMMENT 'semi;colon', raw BLOB)",
  "INSERT INTO BOOK (title, raw) VALUES ('a;\\nb', 0x00015C275C2722), ('it''s -- /*', NULL), ('DELIMITER ;;', 0x0D0A)",
  'CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1',
  "CREATE PROCEDURE p() BEGIN SELECT 'a;'; -- don't\n # it's\n /* ;; ' */ SELECT 2; END",
  'CREATE VIEW v AS SELECT DATABASE_NAME.f(id) AS n, title FROM DATABASE_NAME.BOOK',
  'CREATE VIEW a_v AS SELECT * FROM v',
  'CREATE TRIGGER DATABASE_NAME.tr BEFORE UPDATE ON DATABASE_NAME.BOOK FOR EACH ROW BEGIN SET NEW.id = DATABASE_NAME.f(NEW.id); END',
  "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2038-01-01' DO BEGIN DELETE FROM DATABASE_NAME.BOOK WHERE id < 0; END",
  "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
  `CREATE PROCEDURE ansi() SELECT "title" AS "a;b", '\\' FROM BOOK`,
  "SET SESSION sql_mode = ''",
  'SET SESSION character_set_client = sjis',
  Buffer.concat([
    Buffer.from("CREATE PROCEDURE wide() SELECT '"),
    Buffer.from([0x83, 0x5c]),
    Buffer.from("' AS `"),
    Buffer.from([0x83, 0x60]),
    Buffer.from('`'),
  ]),
];

const DUMPED_OBJECTS = [
  'TABLE BOOK',
  'FUNCTION f',
  'PROCEDURE p',
  'PROCEDURE ansi',
  'VIEW v',
].concat(['VIEW a_v', 'TRIGGER tr', 'EVENT e']);

async function dump(
  server: ServerAddress,
  flavour: Flavour,
  args: readonly string[],
  database?: string,
): Promise<Buffer> {
  const tool = flavour === 'mysql' ? 'mysqldump' : 'mariadb-dump';
  const all = ['--routines', '--events', '--triggers', '--hex-blob', ...args];
  const result = await runClient(server, tool, all, database === undefined ? {} : { database });
  const output = Buffer.from(result.stdout);
  expect(output.length, result.stderr).toBeGreaterThan(1000);
  return output;
}

/** Makes what is dumped, and gives the session that made it. */
async function fill(server: ServerAddress, database: string): Promise<Session> {
  const session = await open(server, database);
  for (const sql of DUMPED) {
    const text = typeof sql === 'string' ? sql.replaceAll('DATABASE_NAME', database) : sql;
    await session.execute(text);
  }
  await session.execute('SET NAMES utf8mb4');
  return session;
}

function splitDump(bytes: Buffer, chunkBytes: number): SplitStatement[] {
  const splitter = new StatementSplitter();
  const inspector = inspectDump();
  const statements: SplitStatement[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    inspector.push(chunk);
    statements.push(...splitter.push(chunk));
  }
  const end = splitter.finish();
  expect(end.unterminated).toBeUndefined();
  statements.push(...end.last);
  for (const statement of statements) inspector.statement(statement);
  expect(inspector.finish()).toBeUndefined();
  return statements;
}

describe.each(FLAVOURS)('dumps of %s', (flavour) => {
  let server: ServerAddress;
  let source: string;
  let drop: () => Promise<void>;
  const expected = new Map<string, string>();

  beforeAll(async () => {
    server = await sharedServer(flavour);
    const database = await createDatabase(server, 'dumped');
    source = database.name;
    drop = () => database.drop();
    const session = await fill(server, source);
    for (const what of DUMPED_OBJECTS) expected.set(what, await objectText(session, what, source));
    await session.close();
  });

  afterAll(() => drop());

  async function objectText(session: Session, what: string, database: string): Promise<string> {
    const text = renameDatabaseQualifiers(await show(session, what), database, 'THIS');
    return text.toString().replace(/ AUTO_INCREMENT=\d+/, '');
  }

  it.each([
    ['of one database', []],
    ['with --databases', ['--databases']],
    ['without comments', ['--skip-comments']],
    [
      'compact, with complete inserts',
      ['--compact', '--complete-insert', '--skip-extended-insert'],
    ],
  ])('%s run in another database', async (_, args) => {
    const bytes = await dump(server, flavour, args, source);
    const statements = splitDump(bytes, 1009);
    expect(splitDump(bytes, bytes.length)).toEqual(statements);

    const target = await createDatabase(server, 'loaded');
    const session = await open(server, target.name);
    const policy = new ForeignLoadPolicy({ sourceDatabase: source, targetDatabase: target.name });
    for (const statement of statements) {
      const decision = policy.decide(statement);
      expect(decision.action, JSON.stringify(decision)).not.toBe('refuse');
      if (decision.action === 'run') await session.execute(decision.text);
    }
    await session.execute('SET NAMES utf8mb4');
    for (const what of DUMPED_OBJECTS) {
      expect(await objectText(session, what, target.name), what).toBe(expected.get(what));
    }
    const rows = 'SELECT id, HEX(title) AS title, HEX(raw) AS raw FROM BOOK ORDER BY id';
    const loaded = await session.records(rows);
    await session.execute(`USE ${source}`);
    expect(loaded).toEqual(await session.records(rows));
    await session.close();
  });

  it('keep a body in another character set byte for byte', async () => {
    const bytes = await dump(server, flavour, [], source);
    const wide = splitDump(bytes, 97).find(({ text }) => text.includes('wide`()'));
    expect(wide?.kind).toBe('CREATE PROCEDURE');
    expect(wide?.lex.charset).toBe('sjis');
  });

  // On a server of its own: a database that another test drops meanwhile ends the dump half way.
  it('of the whole server give up one database', async () => {
    const alone = await privateServer(flavour);
    await createDatabase(alone, 'another');
    const { name } = await createDatabase(alone, 'dumped');
    const session = await fill(alone, name);
    await session.close();
    const bytes = await dump(alone, flavour, ['--all-databases']);
    const policy = new ForeignLoadPolicy({ sourceDatabase: name, targetDatabase: 'picked' });
    const run = splitDump(bytes, 65_536).filter((statement) => {
      const decision = policy.decide(statement);
      expect(decision.action, JSON.stringify(decision)).not.toBe('refuse');
      return decision.action === 'run';
    });
    const created = run.filter(({ kind }) => kind === 'CREATE TABLE');
    expect(created.map(({ text }) => text.toString().slice(0, 19))).toEqual([
      'CREATE TABLE `BOOK`',
    ]);
  });
});
