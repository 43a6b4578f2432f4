/**
 * Goal: a foreign dump can fill the target database and do nothing else. Method: statements of real
 * dumps and of hostile ones, each with the decision expected.
 */
import { describe, expect, it } from 'vitest';
import { ForeignLoadPolicy, classifyForForeignLoad } from '../../src/sql/foreign-dump.js';
import type { LoadDecision } from '../../src/sql/foreign-dump.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';
import type { SplitStatement } from '../../src/sql/statement-splitter.js';

const same = { sourceDatabase: 'LibraryDB', targetDatabase: 'LibraryDB' };
const copy = { sourceDatabase: 'LibraryDB', targetDatabase: 'copy' };

function statementsOf(sql: string): SplitStatement[] {
  const splitter = new StatementSplitter();
  const statements = splitter.push(Buffer.from(sql));
  const end = splitter.finish();
  statements.push(...end.last);
  if (end.unterminated?.statement !== undefined) statements.push(end.unterminated.statement);
  return statements;
}

function decide(
  sql: string,
  context: Parameters<typeof classifyForForeignLoad>[1] = same,
): LoadDecision {
  const [statement] = statementsOf(sql);
  if (statement === undefined) throw new Error(`no statement in ${sql}`);
  return classifyForForeignLoad(statement, context);
}

const textOf = (decision: LoadDecision): string =>
  decision.action === 'run' ? decision.text.toString() : `${decision.action}: ${decision.reason}`;

describe('runs', () => {
  it.each([
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
    'SET NAMES utf8mb4',
    'SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN',
    'SET SESSION foreign_key_checks=0',
    'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
    'START TRANSACTION',
    'COMMIT',
    'DROP TABLE IF EXISTS `BOOK`',
    'CREATE TABLE `BOOK` (`id` int, FOREIGN KEY (`id`) REFERENCES `other`.`t` (`id`))',
    'CREATE TABLE LibraryDB.BOOK LIKE other.BOOK',
    '/*!40000 ALTER TABLE `BOOK` DISABLE KEYS */',
    "INSERT INTO `BOOK` VALUES (1,'other.x')",
    'INSERT LOW_PRIORITY IGNORE INTO `LibraryDB` . `BOOK` (other.x) VALUES (1)',
    'REPLACE INTO BOOK SELECT * FROM other.BOOK',
    'CREATE VIEW v AS SELECT other.f(1) FROM other.t',
    '/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`view`@`localhost` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */',
    'CREATE TRIGGER t BEFORE INSERT ON BOOK FOR EACH ROW INSERT INTO other.log VALUES (1)',
    'CREATE SEQUENCE s',
    'DO SETVAL(`s`, 1, 0)',
    'SELECT SETVAL(`s`, 1, 0)',
    'UPDATE BOOK SET other.x = 1',
    'DELETE FROM BOOK',
    'TRUNCATE BOOK',
    'ALTER DATABASE CHARACTER SET latin1',
    'CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ x $$',
    'CREATE PACKAGE BODY p AS x',
  ])('%s', (sql) => {
    expect(textOf(decide(sql))).toBe(sql);
  });
});

describe('skips', () => {
  it.each([
    ['USE `LibraryDB`', /target is in use/],
    [
      'CREATE DATABASE /*!32312 IF NOT EXISTS*/ `LibraryDB` /*!40100 DEFAULT CHARACTER SET utf8mb4 */',
      /target is in use/,
    ],
    ['/*!40000 DROP DATABASE IF EXISTS `LibraryDB`*/', /target is in use/],
    ['LOCK TABLES `BOOK` WRITE', /not needed/],
    ['LOCK TABLE `BOOK` WRITE', /not needed/],
    ['UNLOCK TABLES', /not needed/],
    ["SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'x:1-13'", /whole server/],
    ['SET @@SESSION.SQL_LOG_BIN= 0', /replication/],
    ['SET sql_log_bin=0', /replication/],
    ['SET SESSION GTID_NEXT="AUTOMATIC"', /replication/],
    ['SET GLOBAL innodb_stats_auto_recalc=OFF', /whole server/],
    ['SET @a=1, GLOBAL read_only=1', /whole server/],
    ['SET @@`persist`.max_connections=1', /whole server/],
    ["CHANGE MASTER TO MASTER_LOG_FILE='x', MASTER_LOG_POS=1", /replication/],
    ["CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='x'", /replication/],
    ['START SLAVE', /replication/],
    ['STOP REPLICA', /replication/],
    ['GRANT ALL ON *.* TO x', /accounts/],
    ['REVOKE ALL ON *.* FROM x', /accounts/],
    ["CREATE USER x IDENTIFIED BY 'y'", /accounts/],
    ['/*!50503 DROP ROLE x */', /accounts/],
    ["SET PASSWORD = 'x'", /accounts/],
    ['SET DEFAULT ROLE ALL TO x', /accounts/],
    ['FLUSH PRIVILEGES', /whole server/],
    ['RESET MASTER', /replication|whole server/],
    ["PURGE BINARY LOGS TO 'x'", /whole server/],
    ["INSTALL PLUGIN x SONAME 'y'", /whole server/],
    ['CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER "x")', /whole server/],
    ["CREATE UNDO TABLESPACE u ADD DATAFILE 'x'", /whole server/],
    ['ANALYZE TABLE BOOK', /changes nothing/],
    ['SELECT * FROM other.t', /changes nothing/],
    ['charset utf8mb4', /for the client/],
    ['/*!\\C utf8mb4 */', /for the client/],
  ])('%s', (sql, reason) => {
    const decision = decide(sql);
    expect(decision.action).toBe('skip');
    expect(textOf(decision)).toMatch(reason);
    expect(textOf(decision)).toContain('in line 1');
  });
});

describe('refuses', () => {
  it.each([
    ['USE other', /another database: other/],
    ['use other', /another database: other/],
    ['DROP DATABASE other', /another database: other/],
    ['ALTER SCHEMA other CHARACTER SET latin1', /another database: other/],
    ['INSERT INTO other.t VALUES (1)', /would change another database: other/],
    ['INSERT INTO `mysql`.`user` VALUES (1)', /would change another database: mysql/],
    ['REPLACE mysql.user VALUES (1)', /another database: mysql/],
    ['CREATE TABLE other.t (a int)', /another database: other/],
    ['DROP TABLE a, other.t', /another database: other/],
    ['DROP VIEW IF EXISTS other.v', /another database: other/],
    ['CREATE TRIGGER t BEFORE INSERT ON other.b FOR EACH ROW SET @a=1', /another database: other/],
    ['CREATE DEFINER=`a`@`b` PROCEDURE other.p() SELECT 1', /another database: other/],
    ['RENAME TABLE a TO other.a', /another database: other/],
    ['UPDATE a JOIN other.b SET b.x = 1', /another database: other/],
    ['DELETE FROM other.t', /another database: other/],
    ['TRUNCATE TABLE other.t', /another database: other/],
    ['DO other.f(1)', /another database: other/],
    ['CREATE EVENT other.e ON SCHEDULE EVERY 1 DAY DO SELECT 1', /another database: other/],
    ['ALTER TABLE other.t ADD x int', /another database: other/],
    ['CREATE INDEX i ON other.t (a)', /another database: other/],
    ["LOAD DATA INFILE 'x' INTO TABLE t", /file/],
    ['IMPORT TABLE FROM "x"', /files/],
    ['CALL p()', /does not show/],
    ["PREPARE s FROM 'DROP DATABASE other'", /does not show/],
    ["EXECUTE IMMEDIATE 'DROP DATABASE other'", /does not show/],
    ["BINLOG 'x'", /does not show/],
    ['XA START "x"', /does not show/],
    ['SHUTDOWN', /whole server/],
    ["CREATE FUNCTION f RETURNS INTEGER SONAME 'x.so'", /library/],
    ['source x.sql', /mysql client/],
    ['\\! rm -rf x', /mysql client/],
    ['system rm -rf x', /mysql client/],
    ['SELECT 1 \\c', /mysql client/],
    ['EXEC sp_x', /does not|kind/],
    ['HELLO world', /kind that dumps do not hold/],
  ])('%s', (sql, reason) => {
    const decision = decide(sql);
    expect(decision.action).toBe('refuse');
    expect(textOf(decision)).toMatch(reason);
    expect(textOf(decision)).toContain('in line 1');
  });

  it('a name that is not known to be the source', () => {
    const unknown = { targetDatabase: 'copy' };
    expect(decide('INSERT INTO LibraryDB.t VALUES (1)', unknown).action).toBe('refuse');
    expect(decide('INSERT INTO copy.t VALUES (1)', unknown).action).toBe('run');
    expect(decide('USE LibraryDB', unknown).action).toBe('refuse');
  });
});

describe('under another name', () => {
  it.each([
    [
      'INSERT INTO `LibraryDB`.`BOOK` VALUES (LibraryDB.f(1))',
      'INSERT INTO `copy`.`BOOK` VALUES (`copy`.f(1))',
    ],
    ["INSERT INTO BOOK VALUES ('LibraryDB.x')", "INSERT INTO BOOK VALUES ('LibraryDB.x')"],
    [
      '/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER LibraryDB.tr BEFORE INSERT ON LibraryDB.BOOK FOR EACH ROW SET @a = LibraryDB.f(1) */',
      '/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `copy`.tr BEFORE INSERT ON `copy`.BOOK FOR EACH ROW SET @a = `copy`.f(1) */',
    ],
    [
      'CREATE TABLE `ds` (`id` int DEFAULT nextval(`LibraryDB`.`sq`))',
      'CREATE TABLE `ds` (`id` int DEFAULT nextval(`copy`.`sq`))',
    ],
    [
      'ALTER DATABASE `LibraryDB` CHARACTER SET latin1',
      'ALTER DATABASE `copy` CHARACTER SET latin1',
    ],
    [
      'CREATE VIEW v AS select `LibraryDB`.`id` from `LibraryDB`.`LibraryDB`',
      'CREATE VIEW v AS select `LibraryDB`.`id` from `copy`.`LibraryDB`',
    ],
  ])('%s', (sql, expected) => {
    expect(textOf(decide(sql, copy))).toBe(expected);
  });

  it('the target’s own name is another database', () => {
    expect(decide('INSERT INTO copy.t VALUES (1)', copy).action).toBe('refuse');
  });

  it('compares names as the server does', () => {
    const sql = 'INSERT INTO librarydb.t VALUES (1)';
    expect(decide(sql, same).action).toBe('refuse');
    expect(decide(sql, { ...same, lowerCaseTableNames: 1 }).action).toBe('run');
  });

  it('reads only the head of a long INSERT', () => {
    const rows = Array.from({ length: 50_000 }, (_, row) => `(${row},'LibraryDB.x')`).join(',');
    const sql = `INSERT INTO LibraryDB.t VALUES ${rows}`;
    expect(textOf(decide(sql, copy))).toBe(sql.replace('LibraryDB.t', '`copy`.t'));
  });
});

describe('a dump of several databases', () => {
  const sql = [
    'SET NAMES utf8mb4',
    'CREATE DATABASE mysql',
    'USE mysql',
    'CREATE TABLE user (a int)',
    'INSERT INTO user VALUES (1)',
    'SET @a = 1',
    'USE LibraryDB',
    'CREATE TABLE BOOK (a int)',
    'USE other',
    'DROP TABLE BOOK',
    'DROP DATABASE third',
    'USE `LibraryDB`',
    'INSERT INTO BOOK VALUES (1)',
  ].join(';\n');

  it('loads the part between USE of the source and the next USE', () => {
    const policy = new ForeignLoadPolicy(copy);
    const run = statementsOf(`${sql};`)
      .map((statement) => policy.decide(statement))
      .filter(({ action }) => action === 'run');
    expect(run.map(textOf)).toEqual([
      'SET NAMES utf8mb4',
      'SET @a = 1',
      'CREATE TABLE BOOK (a int)',
      'INSERT INTO BOOK VALUES (1)',
    ]);
  });

  it('still refuses what would leave the target', () => {
    const policy = new ForeignLoadPolicy(copy);
    const [statement] = statementsOf('INSERT INTO other.t VALUES (1);');
    if (statement === undefined) throw new Error('no statement');
    expect(policy.decide(statement).action).toBe('refuse');
  });
});
