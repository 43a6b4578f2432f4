/**
 * Single changes to a small database, each the least that can go wrong with one kind of value or
 * object. The oracle must see every one of them; its own test goes through this list.
 */

export interface Alteration {
  readonly what: string;
  readonly sql: readonly (string | Buffer)[];
  /** The oracle's sentences must say this. */
  readonly says: RegExp;
}

/** The database that the alterations start from: one row of every type, one object of every kind. */
export const SPECIMEN_SCHEMA: readonly string[] = [
  `CREATE TABLE specimen (id INT PRIMARY KEY, t TINYINT, i BIGINT UNSIGNED, d DECIMAL(65,30), f FLOAT, fd FLOAT(7,3), dbl DOUBLE, b1 BIT(1), b64 BIT(64),
    y YEAR, dt DATE, tm TIME(6), dtm DATETIME(6), ts TIMESTAMP(6) NULL, c CHAR(10), v VARCHAR(20), tx TEXT, l1 VARCHAR(10) CHARACTER SET latin1,
    sj VARCHAR(10) CHARACTER SET sjis, u16 VARCHAR(10) CHARACTER SET utf16, bin BINARY(4), vb VARBINARY(10), bl BLOB, big LONGBLOB,
    e ENUM('x', '', 'y'), s SET('p', '', 'q'), g GEOMETRY, gen INT GENERATED ALWAYS AS (id + 1) VIRTUAL, hid INT INVISIBLE) COMMENT = 'specimen'`,
  `INSERT INTO specimen (id, t, i, d, f, fd, dbl, b1, b64, y, dt, tm, dtm, ts, c, v, tx, l1, sj, u16, bin, vb, bl, big, e, s, g, hid) VALUES
    (1, 1, 18446744073709551615, 1.000000000000000000000000000001, 0.1, 0.1, 0.1, b'1', 0xffffffffffffffff, 2024, '2024-02-29', '-00:00:00.000001',
     '2024-02-30 00:00:00.000001', '2024-10-27 00:30:00.000001', 'c', 'v', 'tx', _latin1 0xe9, _sjis 0x835c, _utf16 0x005c, 0x61, 0x61, 0x00, REPEAT(0x00ff, 200000),
     'x', 'p', ST_GeomFromText('POINT(1 2)', 4326), 5)`,
  'CREATE TABLE twins (a INT, b TEXT)',
  "INSERT INTO twins VALUES (1, 'x'), (1, 'x'), (2, NULL)",
  `CREATE TABLE structure (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 1 COMMENT 'a', b VARCHAR(20), parent INT, KEY ka (a), KEY kb (b),
    CONSTRAINT fk FOREIGN KEY (parent) REFERENCES structure (id) ON DELETE CASCADE, CONSTRAINT ck CHECK (a < 10))`,
  "CREATE TABLE parted (a INT) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (0) COMMENT = 'zero', PARTITION p1 VALUES IN (1))",
  'CREATE VIEW v_one AS SELECT id FROM structure',
  'CREATE VIEW v_two AS SELECT id FROM v_one',
  'CREATE TRIGGER tr_a BEFORE INSERT ON structure FOR EACH ROW SET NEW.a = 1',
  'CREATE TRIGGER tr_b BEFORE INSERT ON structure FOR EACH ROW FOLLOWS tr_a SET NEW.a = 2',
  'CREATE PROCEDURE pr() SELECT 1',
  'CREATE FUNCTION fn(a INT) RETURNS INT DETERMINISTIC RETURN a',
  "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DO 0",
];

function value(column: string, sql: string): Alteration {
  return {
    what: `${column} = ${sql}`,
    sql: [`UPDATE specimen SET ${column} = ${sql}`],
    says: new RegExp(`^table specimen: in the row .*${column} .* became `, 'su'),
  };
}

/** In two steps, as an update to a value that compares equal is skipped. */
function rewriteJson(path: string, sql: string): string[] {
  return ["'between'", sql].map(
    (value) => `UPDATE documents SET j = JSON_SET(j, '${path}', ${value})`,
  );
}

function change(what: string, says: RegExp, ...sql: readonly (string | Buffer)[]): Alteration {
  return { what, sql, says };
}

/** One least change per type. Each starts from where the one before left off. */
const VALUES: readonly Alteration[] = [
  value('t', '2'),
  value('t', 'NULL'),
  value('t', '0'),
  value('i', '18446744073709551614'),
  value('d', '1.000000000000000000000000000002'),
  value('f', '0.10000000894069672e0'),
  value('f', '0e0'),
  value('f', '1.401298464324817e-45'),
  value('fd', '0.101'),
  value('dbl', '0.10000000000000002e0'),
  value('dbl', '0e0'),
  value('dbl', '5e-324'),
  value('b1', "b'0'"),
  value('b64', '0xfffffffffffffffe'),
  value('y', '0'),
  value('y', '1901'),
  value('dt', "'2024-02-30'"),
  value('dt', "'0000-00-00'"),
  value('tm', "'00:00:00.000001'"),
  value('tm', "'-838:59:59'"),
  value('dtm', "'2024-02-30 00:00:00.000002'"),
  value('ts', "'2024-10-27 01:30:00.000001'"),
  value('c', "'C'"),
  value('v', "'v '"),
  value('v', "''"),
  value('v', 'NULL'),
  value('tx', "'tx\\0'"),
  value('l1', '_latin1 0xe8'),
  value('sj', '_sjis 0x8350'),
  value('u16', '_utf16 0x5c00'),
  value('bin', '0x62'),
  value('vb', '0x6100'),
  value('bl', "''"),
  value('big', 'CONCAT(LEFT(big, 399999), 0x01)'),
  value('e', "''"),
  value('s', "''"),
  value('g', "ST_GeomFromText('POINT(1 2)', 0)"),
  value('hid', '6'),
  change('ENUM error value', /number of e /u, "SET sql_mode = ''", 'UPDATE specimen SET e = 0'),
  change('SET with an empty member', /number of s /u, 'UPDATE specimen SET s = 2'),
  change('generated column follows', /gen =2 became =3/u, 'UPDATE specimen SET id = 2'),
];

const ROWS: readonly Alteration[] = [
  change('a twin lost', /table twins: 3 rows became 2/u, 'DELETE FROM twins WHERE a = 1 LIMIT 1'),
  change(
    'a row doubled',
    /table twins: gained the row/u,
    'INSERT INTO twins SELECT * FROM twins WHERE a = 2',
  ),
  change(
    'one twin of two altered',
    /table twins: in the row/u,
    "UPDATE twins SET b = '' WHERE a = 2 LIMIT 1",
  ),
  change('a table emptied', /table twins: \d rows became 0/u, 'DELETE FROM twins'),
  change('a table lost', /table twins is missing from the second/u, 'DROP TABLE twins'),
  change('a table gained', /table twins is in the second only/u, 'CREATE TABLE twins (a INT)'),
];

const DEFINITIONS: readonly Alteration[] = [
  change(
    'column comment',
    /table structure: column a COLUMN_COMMENT/u,
    "ALTER TABLE structure MODIFY a INT DEFAULT 1 COMMENT 'b'",
  ),
  change('column default', /COLUMN_DEFAULT/u, 'ALTER TABLE structure ALTER a SET DEFAULT 2'),
  change(
    'column order',
    /column b ORDINAL_POSITION/u,
    'ALTER TABLE structure MODIFY b VARCHAR(20) AFTER id',
  ),
  change(
    'column collation',
    /COLLATION_NAME/u,
    'ALTER TABLE structure MODIFY b VARCHAR(20) COLLATE utf8mb4_bin AFTER id',
  ),
  change(
    'index order',
    /Create Table/u,
    'ALTER TABLE structure DROP KEY ka',
    'ALTER TABLE structure ADD KEY ka (a)',
  ),
  change('index lost', /index kb/u, 'ALTER TABLE structure DROP KEY kb'),
  change('counter', /AUTO_INCREMENT/u, 'ALTER TABLE structure AUTO_INCREMENT = 100'),
  change('table comment', /TABLE_COMMENT/u, "ALTER TABLE structure COMMENT = 'x'"),
  change(
    'foreign key rule',
    /Create Table/u,
    'ALTER TABLE structure DROP FOREIGN KEY fk',
    'ALTER TABLE structure ADD CONSTRAINT fk FOREIGN KEY (parent) REFERENCES structure (id) ON DELETE SET NULL',
  ),
  change('check', /Create Table/u, 'ALTER TABLE structure DROP CONSTRAINT ck'),
  change(
    'partition',
    /PARTITION_DESCRIPTION|partition p2/u,
    'ALTER TABLE parted ADD PARTITION (PARTITION p2 VALUES IN (2))',
  ),
  change('engine', /ENGINE/u, 'ALTER TABLE specimen ENGINE = MyISAM'),
  change(
    'view text',
    /view v_two: Create View/u,
    'CREATE OR REPLACE VIEW v_two AS SELECT id FROM v_one WHERE id > 0',
  ),
  change(
    'view security',
    /SECURITY_TYPE/u,
    'CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_two AS SELECT id FROM v_one WHERE id > 0',
  ),
  change('view broken', /view v_two: readable/u, 'DROP VIEW v_one'),
  change(
    'trigger order',
    /trigger tr_b: .*ACTION_ORDER =?"?=2"? became|ACTION_ORDER/u,
    'DROP TRIGGER tr_b',
    'CREATE TRIGGER tr_b BEFORE INSERT ON structure FOR EACH ROW PRECEDES tr_a SET NEW.a = 2',
  ),
  change(
    'trigger mode',
    /trigger tr_a: sql_mode/u,
    "SET sql_mode = 'ANSI_QUOTES'",
    'DROP TRIGGER tr_a',
    'CREATE TRIGGER tr_a BEFORE INSERT ON structure FOR EACH ROW SET NEW.a = 1',
  ),
  change(
    'routine mode',
    /procedure pr: sql_mode/u,
    "SET sql_mode = ''",
    'DROP PROCEDURE pr',
    'CREATE PROCEDURE pr() SELECT 1',
  ),
  change(
    'routine client charset',
    /procedure pr: character_set_client/u,
    'SET NAMES latin1',
    'DROP PROCEDURE pr',
    'CREATE PROCEDURE pr() SELECT 1',
  ),
  change('routine comment', /procedure pr: .*COMMENT/u, "ALTER PROCEDURE pr COMMENT 'c'"),
  change(
    'function parameter',
    /function fn: parameter 1/u,
    'DROP FUNCTION fn',
    'CREATE FUNCTION fn(a BIGINT) RETURNS INT DETERMINISTIC RETURN a',
  ),
  change('event disabled', /event ev: .*STATUS/u, 'ALTER EVENT ev DISABLE'),
  change(
    'event time zone',
    /event ev: time_zone/u,
    "SET time_zone = '+05:30'",
    "ALTER EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 05:30:00'",
  ),
  change('event lost', /event ev is missing/u, 'DROP EVENT ev'),
  change('trigger lost', /trigger tr_b is missing/u, 'DROP TRIGGER tr_b'),
  change('function lost', /function fn is missing/u, 'DROP FUNCTION fn'),
  change(
    'database collation',
    /^database: DEFAULT_COLLATION_NAME/u,
    'ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin',
  ),
];

export const SHARED_ALTERATIONS: readonly Alteration[] = [...VALUES, ...ROWS, ...DEFINITIONS];

export const MYSQL_SPECIMENS: readonly string[] = [
  'CREATE TABLE documents (j JSON, v VECTOR(2))',
  `INSERT INTO documents VALUES ('{"n": 1.5, "d": "2024-02-29", "u": 1}', 0x0000803f00000000)`,
];

export const MYSQL_ALTERATIONS: readonly Alteration[] = [
  change(
    'JSON double to decimal',
    /JSON_TYPE of j at \$\."n" =DOUBLE became =DECIMAL/u,
    ...rewriteJson('$.n', '1.5'),
  ),
  change(
    'JSON string to date',
    /JSON_TYPE of j at \$\."d" =STRING became =DATE/u,
    ...rewriteJson('$.d', "DATE '2024-02-29'"),
  ),
  change(
    'JSON signed to unsigned',
    /at \$\."u" =INTEGER became =UNSIGNED INTEGER/u,
    ...rewriteJson('$.u', 'CAST(1 AS UNSIGNED)'),
  ),
  // MariaDB has no negative zero: it stores every zero without a sign.
  value('f', '0e0'),
  value('f', '-0e0'),
  value('dbl', '0e0'),
  value('dbl', '-0e0'),
  change(
    'VECTOR -0',
    /v =0000803F00000000 became =0000803F00000080/u,
    'UPDATE documents SET v = 0x0000803f00000080',
  ),
  change(
    'invisible index',
    /IS_VISIBLE/u,
    'ALTER TABLE structure ADD KEY kc (a)',
    'ALTER TABLE structure ALTER INDEX kc INVISIBLE',
  ),
  change(
    'functional index',
    /index functional/u,
    'ALTER TABLE structure ADD KEY functional ((a + 1))',
  ),
];

export const MARIADB_SPECIMENS: readonly string[] = [
  'CREATE TABLE own_types (u UUID, i INET6, z TEXT COMPRESSED, j JSON)',
  "INSERT INTO own_types VALUES ('00000000-0000-0000-0000-000000000001', '::1', 'x', '{}')",
  'CREATE SEQUENCE sq',
  'CREATE TABLE history (id INT) WITH SYSTEM VERSIONING',
  'INSERT INTO history VALUES (1), (2)',
  'DELETE FROM history WHERE id = 2',
];

export const MARIADB_ALTERATIONS: readonly Alteration[] = [
  change(
    'UUID',
    /u =0+-.* became /u,
    "UPDATE own_types SET u = '00000000-0000-0000-0000-000000000002'",
  ),
  change('INET6', /i =::1 became =::2/u, "UPDATE own_types SET i = '::2'"),
  change('compressed text', /z =78 became =79/u, "UPDATE own_types SET z = 'y'"),
  change('JSON blank', /j =7B7D became =7B207D/u, "UPDATE own_types SET j = '{ }'"),
  change('sequence value', /sequence sq: state next_not_cached_value/u, 'DO NEXTVAL(sq)'),
  change('history row lost', /table history: 2 rows became 1/u, 'DELETE HISTORY FROM history'),
  change(
    'history lost altogether',
    /table history: TABLE_TYPE|table history: .*TABLE_TYPE/u,
    'ALTER TABLE history DROP SYSTEM VERSIONING',
  ),
  change(
    'ignored index',
    /IGNORED/u,
    'ALTER TABLE structure ADD KEY kc (a)',
    'ALTER TABLE structure ALTER INDEX kc IGNORED',
  ),
];
