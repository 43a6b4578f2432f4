/** A database with everything that the swap of an online recovery could lose, in two states. */
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import type { TestDatabase } from './servers.js';
import { connectTo, createDatabase, query } from './servers.js';

/** One statement a packet: a body made beside others would keep its `;` (docs/ARCHITECTURE.md). */
const TABLES = [
  `CREATE TABLE branch (id INT AUTO_INCREMENT PRIMARY KEY, head INT, name VARCHAR(40) NOT NULL,
     CONSTRAINT named_by_hand FOREIGN KEY (head) REFERENCES member (id))`,
  `CREATE TABLE member (id INT AUTO_INCREMENT PRIMARY KEY, branch INT, recruiter INT, name VARCHAR(80),
     FOREIGN KEY (branch) REFERENCES branch (id) ON DELETE SET NULL,
     FOREIGN KEY (recruiter) REFERENCES member (id)) AUTO_INCREMENT = 7001`,
  `CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, isbn CHAR(13) NOT NULL UNIQUE, title VARCHAR(100),
     copies INT NOT NULL DEFAULT 9, price FLOAT, CHECK (copies > -100000),
     CONSTRAINT price_is_sane CHECK (price < 1e9))`,
  `CREATE TABLE loan (id BIGINT AUTO_INCREMENT PRIMARY KEY, book INT NOT NULL, member INT NOT NULL,
     made DATETIME, KEY (book), FOREIGN KEY (book) REFERENCES book (id),
     FOREIGN KEY (member) REFERENCES member (id))`,
  `CREATE TABLE audit (id BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200))`,
  `CREATE TABLE visits (day DATE, n INT, PRIMARY KEY (day)) PARTITION BY RANGE (YEAR(day))
     (PARTITION old VALUES LESS THAN (2020), PARTITION now VALUES LESS THAN MAXVALUE)`,
  `CREATE TABLE scratch_notes (txt TEXT) ENGINE = MyISAM`,
  'CREATE TABLE `odd ``name; -- ü` (`key` INT PRIMARY KEY, `a b` VARCHAR(10))',
];

const MARIADB_TABLES = [
  `CREATE TABLE price_history (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING`,
  `INSERT INTO price_history VALUES (1, 5), (2, 6)`,
  `UPDATE price_history SET price = 7 WHERE id = 1`,
  `CREATE SEQUENCE tickets START WITH 100 INCREMENT BY 5`,
  `SELECT NEXTVAL(tickets)`,
];

const ROWS = [
  `INSERT INTO branch (name) VALUES ('Main'), ('East')`,
  `INSERT INTO member (branch, name) SELECT 1 + (id % 2), CONCAT('Member ', id) FROM (SELECT 1 AS id UNION
     SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) AS ids`,
  `UPDATE member SET recruiter = 7001 WHERE id > 7001`,
  `UPDATE branch SET head = 7002`,
  `INSERT INTO book (isbn, title, price) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n
     WHERE i < 300) SELECT LPAD(i * 7919, 13, '0'), CONCAT('Title ', i), i / 7 FROM n`,
  `INSERT INTO visits VALUES ('2019-05-05', 4), ('2026-01-02', 9)`,
  `INSERT INTO scratch_notes VALUES ('one'), ('two')`,
  "INSERT INTO `odd ``name; -- ü` VALUES (1, 'x'), (2, NULL)",
];

const OBJECTS = [
  `CREATE FUNCTION fine_of (days INT) RETURNS DECIMAL(8,2) DETERMINISTIC RETURN days * 0.25`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' PROCEDURE lend (IN b INT, IN m INT)
     INSERT INTO loan (book, member, made) VALUES (b, m, '2026-01-02 03:04:05')`,
  `CREATE VIEW titles AS SELECT id, title, fine_of(copies) AS fine FROM book`,
  `CREATE VIEW a_first_by_name AS SELECT title FROM titles WHERE id < 10`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' SQL SECURITY INVOKER VIEW names AS SELECT name FROM member`,
  `CREATE TRIGGER z_first AFTER INSERT ON loan FOR EACH ROW
     UPDATE book SET copies = copies - 1 WHERE id = NEW.book`,
  `CREATE TRIGGER a_second AFTER INSERT ON loan FOR EACH ROW
     INSERT INTO audit (what) VALUES (CONCAT('lent ', NEW.book))`,
  `CREATE TRIGGER m_between AFTER INSERT ON loan FOR EACH ROW PRECEDES a_second SET @seen = NEW.id`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' TRIGGER trimmed BEFORE INSERT ON member FOR EACH ROW
     SET NEW.name = TRIM(NEW.name)`,
  `CREATE EVENT sweep ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01 00:00:00' ENABLE
     DO DELETE FROM loan WHERE made < '2000-01-01'`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' EVENT count_up ON SCHEDULE EVERY 1 DAY
     STARTS '2030-01-01 00:00:00' DISABLE COMMENT 'not yet' DO DELETE FROM audit`,
  `INSERT INTO loan (book, member, made) VALUES (1, 7001, NOW()), (2, 7002, NOW())`,
  `DELETE FROM loan WHERE id = 2`,
];

/** Everything differs then: rows, definitions, objects, counters, the database's defaults. */
const CHANGES = [
  `INSERT INTO book (isbn, title) VALUES ('later', 'Written after the backup')`,
  `INSERT INTO loan (book, member) VALUES (5, 7003), (6, 7004)`,
  `ALTER TABLE audit ADD COLUMN who VARCHAR(40), AUTO_INCREMENT = 500`,
  `DROP TABLE scratch_notes`,
  `CREATE TABLE review (id INT AUTO_INCREMENT PRIMARY KEY, book INT, stars TINYINT,
     CONSTRAINT named_by_hand_too FOREIGN KEY (book) REFERENCES book (id)) AUTO_INCREMENT = 90`,
  `INSERT INTO review (book, stars) VALUES (1, 4)`,
  `CREATE TRIGGER reviewed BEFORE INSERT ON review FOR EACH ROW SET NEW.stars = LEAST(NEW.stars, 5)`,
  `DROP TRIGGER z_first`,
  `CREATE TRIGGER z_first AFTER INSERT ON loan FOR EACH ROW
     UPDATE book SET copies = copies - 2 WHERE id = NEW.book`,
  `DROP VIEW names`,
  `CREATE VIEW stars AS SELECT stars FROM review`,
  `CREATE OR REPLACE VIEW titles AS SELECT id, title, copies AS fine FROM book`,
  `DROP PROCEDURE lend`,
  `CREATE PROCEDURE giveback (IN l INT) DELETE FROM loan WHERE id = l`,
  `ALTER EVENT sweep DISABLE`,
  `DROP EVENT count_up`,
];

async function runAll(
  server: ServerAddress,
  database: string,
  statements: readonly string[],
): Promise<void> {
  const connection = await connectTo(server, database);
  try {
    await connection.query('SET SESSION foreign_key_checks = 0');
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** The first state; the definer `librarian` is made with it. */
export async function createSwappable(
  server: ServerAddress,
  flavour: Flavour,
): Promise<TestDatabase> {
  await query(server, `CREATE USER IF NOT EXISTS 'librarian'@'127.0.0.1'`);
  const database = await createDatabase(server, 'swap', 'CHARACTER SET latin1');
  const tables = flavour === 'mariadb' ? [...TABLES, ...MARIADB_TABLES] : TABLES;
  await runAll(server, database.name, [...tables, ...ROWS, ...OBJECTS]);
  return database;
}

/** The second state. */
export async function changeSwappable(server: ServerAddress, database: string): Promise<void> {
  await runAll(server, database, CHANGES);
  const collation = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';
  await query(server, `ALTER DATABASE \`${database}\` ${collation}`);
}

/** What online recoveries have left beside the database. */
export async function sideDatabases(server: ServerAddress, database: string): Promise<string[]> {
  const rows = await query(
    server,
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA
     WHERE SCHEMA_NAME LIKE '${database.replaceAll('_', '\\_')}\\_\\_%' ORDER BY 1`,
  );
  return rows.map(({ name }) => String(name));
}
