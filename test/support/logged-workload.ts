/** Statements of every kind that a binary log may hold, for one database and another one beside it. */
import { RawConnection } from '../corpus/raw-connection.js';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';

/** Tables and rows that are there before the log is followed. */
export function initialStatements(): string[] {
  return [
    `CREATE TABLE book (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(200) NOT NULL, isbn CHAR(13),
      weight FLOAT, price DECIMAL(20,5), doc JSON, cover MEDIUMBLOB, added DATETIME(6),
      shelf ENUM('a','b','c'), tags SET('x','y','z'), flags BIT(11), at TIME(3), KEY (isbn)) ENGINE=InnoDB`,
    'CREATE TABLE member (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET latin1, note TEXT)',
    `CREATE TABLE loan (id INT PRIMARY KEY AUTO_INCREMENT, book INT, member INT,
      FOREIGN KEY (book) REFERENCES book (id) ON DELETE CASCADE ON UPDATE CASCADE,
      FOREIGN KEY (member) REFERENCES member (id) ON DELETE SET NULL)`,
    'CREATE TABLE audit (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(100))',
    'CREATE TABLE keyless (a INT, b VARCHAR(20))',
    'CREATE TABLE empty_row (a INT GENERATED ALWAYS AS (1) STORED)',
    "CREATE TRIGGER book_added AFTER INSERT ON book FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('add; ', NEW.id))",
    "INSERT INTO member VALUES (1,'Ann',NULL),(2,'Bob','x'),(3,'Zoë','y')",
    `INSERT INTO book (title,weight,price,doc,cover,added,shelf,tags,flags,at) VALUES
      ('first',16777215,1.10,'{"a": 1, "b": [1,2,3], "c": "text"}',x'00ff0a0d1a275c','2024-02-29 12:00:00.123456','a','x,z',b'10101010101','11:22:33.444'),
      ('second',-0.0,-12345678.12345,'{"long": "${'y'.repeat(300)}"}',NULL,NULL,NULL,'',NULL,NULL)`,
    'INSERT INTO loan (book,member) VALUES (1,1),(1,2),(2,3)',
    "INSERT INTO keyless VALUES (1,'one'),(1,'one'),(2,NULL)",
  ];
}

/** `other` is the name of the database beside. */
export function workload(flavour: Flavour, other: string, database: string): (string | Buffer)[] {
  const isMySql = flavour === 'mysql';
  const mySql = (...statements: string[]): string[] => (isMySql ? statements : []);
  return [
    "INSERT INTO book (title, cover) VALUES ('third', REPEAT('z', 9000)), ('fourth', NULL)",
    "UPDATE book SET doc = JSON_SET(doc, '$.a', 99), price = price + 1 WHERE id = 1",
    "UPDATE book SET doc = JSON_REPLACE(doc, '$.long', 'short') WHERE id = 2",
    'UPDATE book SET id = 77 WHERE id = 2',
    'DELETE FROM book WHERE id = 1',
    "UPDATE keyless SET b = 'changed' WHERE a = 1",
    'DELETE FROM keyless WHERE b IS NULL',
    'DELETE FROM member WHERE id = 3',
    // Transactions: across databases, rolled back, with savepoints.
    `START TRANSACTION; INSERT INTO ${other}.t VALUES (1,'o'); INSERT INTO member VALUES (4,'Dan',''); INSERT INTO ${other}.t VALUES (2,'o'); COMMIT`,
    'START TRANSACTION; DELETE FROM member; ROLLBACK',
    "START TRANSACTION; SAVEPOINT s1; INSERT INTO member VALUES (5,'Eve',''); SAVEPOINT `s 2`; INSERT INTO member VALUES (6,'x',''); ROLLBACK TO `s 2`; COMMIT",
    `START TRANSACTION; SAVEPOINT s1; INSERT INTO ${other}.t VALUES (3,'o'); COMMIT`,
    // A statement over several tables, ours first and ours last.
    `UPDATE member m JOIN ${other}.t o ON o.a = m.id SET m.note = 'joined', o.b = 'joined'`,
    `UPDATE ${other}.t o JOIN member m ON o.a = m.id SET m.note = 'joined again', o.b = 'again'`,
    // Definitions.
    'CREATE TABLE copied LIKE member',
    isMySql
      ? 'CREATE TABLE selected AS SELECT id, title FROM book'
      : 'CREATE TABLE selected SELECT id, title FROM book',
    "ALTER TABLE member ADD COLUMN mail VARCHAR(100) DEFAULT 'a;b'",
    "INSERT INTO member (id,name,mail) VALUES (8,'Fay','f@x'),(9,'Ümit',DEFAULT)",
    'CREATE INDEX by_mail ON member (mail)',
    'TRUNCATE TABLE keyless',
    "INSERT INTO keyless VALUES (5,'after')",
    'CREATE TABLE gone (a INT)',
    'CREATE TABLE gone_too (a INT)',
    `DROP TABLE gone, ${other}.dropped`,
    'DROP TABLE IF EXISTS gone_too, never_was',
    'RENAME TABLE copied TO copied_2',
    'CREATE TABLE swap_a (a INT); CREATE TABLE swap_b (b INT)',
    'RENAME TABLE swap_a TO swap_c, swap_b TO swap_a, swap_c TO swap_b',
    'CREATE TABLE leaving (a INT)',
    `RENAME TABLE leaving TO ${other}.arrived`,
    'CREATE TABLE renamed (a INT PRIMARY KEY, c VARCHAR(9))',
    "INSERT INTO renamed VALUES (1,'r')",
    'ALTER TABLE renamed RENAME TO renamed_2, ADD d INT DEFAULT 5',
    `CREATE TABLE parted (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y)
      (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))`,
    'INSERT INTO parted VALUES (1,5),(2,15),(3,6)',
    'ALTER TABLE parted TRUNCATE PARTITION p1',
    'ALTER TABLE parted ADD PARTITION (PARTITION p2 VALUES LESS THAN MAXVALUE)',
    // Objects, with what a client takes for the end of a statement in them.
    'CREATE VIEW titles AS SELECT id, title FROM book -- all of them',
    "CREATE PROCEDURE noise (n INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO INSERT INTO audit (what) VALUES (';;$$'); SET i = i + 1; END WHILE; END",
    'CALL noise(3)',
    'CREATE FUNCTION twice (n INT) RETURNS INT DETERMINISTIC RETURN n * 2',
    "CREATE EVENT later ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO DELETE FROM audit",
    'DROP TRIGGER book_added',
    "CREATE TRIGGER book_gone BEFORE DELETE ON book FOR EACH ROW BEGIN INSERT INTO audit (what) VALUES ('gone'); END",
    'DELETE FROM book WHERE id = 77',
    "ALTER PROCEDURE noise COMMENT 'loud'",
    // From within the other database, with names that say where.
    `USE ${other}`,
    `CREATE TABLE ${database}.from_afar (a INT PRIMARY KEY)`,
    `INSERT INTO ${database}.from_afar VALUES (1),(2)`,
    `ALTER TABLE ${database}.from_afar ADD b INT`,
    `DROP TABLE IF EXISTS ${database}.selected, nonexistent`,
    `TRUNCATE ${database}.audit`,
    'CREATE TABLE book (only_other INT)',
    'TRUNCATE book',
    'DROP TABLE book',
    `USE ${database}`,
    // XA: committed at once, in two phases, rolled back.
    "XA START 'one'; INSERT INTO member (id,name) VALUES (20,'xa'); XA END 'one'; XA COMMIT 'one' ONE PHASE",
    "XA START 'two','b',7; INSERT INTO member (id,name) VALUES (21,'xa'); XA END 'two','b',7; XA PREPARE 'two','b',7; XA COMMIT 'two','b',7",
    "XA START 'three'; INSERT INTO member (id,name) VALUES (22,'xa'); XA END 'three'; XA PREPARE 'three'; XA ROLLBACK 'three'",
    // Accounts concern no database.
    `CREATE USER logged_${database}@localhost`,
    `GRANT SELECT ON ${database}.* TO logged_${database}@localhost`,
    `DROP USER logged_${database}@localhost`,
    // A client in another character set, and under other modes.
    'SET NAMES latin1',
    Buffer.from(
      "CREATE TABLE caf\xe9 (a VARCHAR(20) DEFAULT 'na\xefve' COMMENT '\xfc\\'s')",
      'latin1',
    ),
    Buffer.from("INSERT INTO caf\xe9 VALUES ('\xe4\xf6')", 'latin1'),
    'SET NAMES sjis',
    Buffer.concat([
      Buffer.from("ALTER TABLE keyless COMMENT '"),
      Buffer.from('835c955c', 'hex'),
      Buffer.from("'"),
    ]),
    'SET NAMES utf8mb4',
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    `CREATE TABLE "an'si" ("a\\" VARCHAR(10) DEFAULT '\\')`,
    'SET SESSION sql_mode = DEFAULT',
    ...(flavour === 'mariadb'
      ? [
          // What a table gets that names no collation.
          'SET SESSION collation_database = latin1_bin',
          'CREATE TABLE collated (a VARCHAR(5))',
          'SET SESSION collation_database = DEFAULT',
          'CREATE TABLE collated_as_usual (a VARCHAR(5))',
        ]
      : []),
    'SET SESSION foreign_key_checks = 0',
    'CREATE TABLE orphan (a INT, FOREIGN KEY (a) REFERENCES not_there (a))',
    'SET SESSION foreign_key_checks = 1',
    'SET timestamp = 1700000000.123456',
    'CREATE TABLE timed (a TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))',
    'INSERT INTO timed VALUES ()',
    'SET timestamp = DEFAULT',
    ...mySql(
      'SET SESSION binlog_transaction_compression = 1',
      "INSERT INTO member (id,name,note) VALUES (30,'zstd',REPEAT('abc',5000))",
      `START TRANSACTION; INSERT INTO ${other}.t VALUES (30,'z'); UPDATE member SET note = 'c' WHERE id > 5; COMMIT`,
      'SET SESSION binlog_transaction_compression = 0',
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
      `UPDATE book SET doc = '{"k": "${'v'.repeat(200)}", "n": 1}'`,
      "UPDATE book SET doc = JSON_SET(doc, '$.n', 2)",
      "SET SESSION binlog_row_value_options = ''",
      "SET SESSION binlog_row_image = 'MINIMAL'",
      "UPDATE book SET title = 'minimal' WHERE id = 3",
      'DELETE FROM book WHERE id = 4',
      "SET SESSION binlog_row_image = 'FULL'",
      'CREATE TABLE vec (a INT, v VECTOR(3))',
      "INSERT INTO vec VALUES (1, STRING_TO_VECTOR('[1,2,3]'))",
    ),
    `ALTER DATABASE ${database} DEFAULT COLLATE utf8mb4_bin`,
    'CREATE TABLE after_default (a VARCHAR(5))',
    'FLUSH BINARY LOGS',
    "INSERT INTO book (title) VALUES ('after the rotation')",
    'ANALYZE TABLE book',
    'OPTIMIZE TABLE book',
  ];
}

/** Runs statements one after the other on one connection; `;` separates within an item. */
export async function runStatements(
  server: ServerAddress,
  database: string,
  items: readonly (string | Buffer)[],
): Promise<void> {
  const connection = await RawConnection.open(server);
  try {
    await connection.run('SET NAMES utf8mb4');
    await connection.run(`USE ${database}`);
    for (const item of items) {
      await runItem(connection, item);
    }
  } finally {
    await connection.end();
  }
}

/** One item of a list; `;` separates statements within some. */
export async function runItem(connection: RawConnection, item: string | Buffer): Promise<void> {
  const isList = typeof item === 'string' && /^(?:START|XA|CREATE TABLE swap)/.test(item);
  for (const part of isList ? item.split('; ') : [item]) {
    try {
      await connection.run(part);
    } catch (error) {
      throw new Error(`${part.toString().slice(0, 200)}: ${String(error)}`, { cause: error });
    }
  }
}
