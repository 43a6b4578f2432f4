/** A small database with one of everything that a recovery must bring back to the letter. */
import type { ServerAddress } from '../../sandbox/index.js';
import type { TestDatabase } from './servers.js';
import { createDatabase, query } from './servers.js';

export const BOOKS = 400;

/** One statement a packet: a body made beside others would keep its `;` (docs/ARCHITECTURE.md). */
const STATEMENTS = [
  `CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, isbn CHAR(13) NOT NULL, title VARCHAR(200)
     CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, price FLOAT, cover BLOB, UNIQUE KEY (isbn))`,
  `CREATE TABLE member (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80)) AUTO_INCREMENT = 70001`,
  `CREATE TABLE loan (id INT AUTO_INCREMENT PRIMARY KEY, book_id INT NOT NULL, member_id INT NOT NULL,
     due DATETIME, KEY (book_id), FOREIGN KEY (book_id) REFERENCES book (id),
     FOREIGN KEY (member_id) REFERENCES member (id))`,
  `CREATE TABLE note (text VARCHAR(100)) ENGINE = MyISAM`,
  `CREATE TABLE empty_shelf (id INT PRIMARY KEY)`,
];

const numbers = (count: number): string =>
  `(WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) AS numbers`;

/**
 * With ids of their own: numbers that a server sets aside for INSERT … SELECT and does not use are
 * forgotten when it is killed, whoever kills it.
 */
const ROWS = [
  `INSERT INTO book (id, isbn, title, price, cover) SELECT i, LPAD(i * 7919, 13, '0'),
     CONCAT('Title ', i, ' ', SHA2(i, 512)), i / 7, UNHEX(SHA2(i, 512)) FROM ${numbers(BOOKS)}`,
  `INSERT INTO member (id, name) SELECT 70000 + i, CONCAT('Member ', i) FROM ${numbers(100)}`,
  `INSERT INTO loan (id, book_id, member_id, due)
     SELECT i, i, 70001 + i % 100, '2026-01-02 03:04:05' FROM ${numbers(300)}`,
  `INSERT INTO note SELECT CONCAT('Note ', i) FROM ${numbers(50)}`,
  `DELETE FROM loan WHERE id > 290`,
];

const OBJECTS = [
  `CREATE VIEW overdue AS SELECT loan.id, book.title FROM loan JOIN book ON book.id = loan.book_id`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' SQL SECURITY INVOKER VIEW titles AS SELECT title FROM book`,
  `CREATE TRIGGER member_joined BEFORE INSERT ON member FOR EACH ROW SET NEW.name = TRIM(NEW.name)`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' PROCEDURE lend (IN b INT, IN m INT)
     INSERT INTO loan (book_id, member_id) VALUES (b, m)`,
  `CREATE FUNCTION fine_of (days INT) RETURNS DECIMAL(8,2) DETERMINISTIC RETURN days * 0.25`,
  `CREATE EVENT sweep ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01 00:00:00' ENABLE
     DO DELETE FROM loan WHERE due < '2000-01-01'`,
  `CREATE DEFINER = 'librarian'@'127.0.0.1' EVENT count_up ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM note`,
];

/** The database with its rows and objects; the definer `librarian` is made with it. */
export async function createRecoverable(server: ServerAddress): Promise<TestDatabase> {
  await query(server, `CREATE USER IF NOT EXISTS 'librarian'@'127.0.0.1'`);
  const database = await createDatabase(server, 'recover', 'CHARACTER SET latin1');
  for (const statement of [...STATEMENTS, ...ROWS, ...OBJECTS]) {
    await query(server, statement, database.name);
  }
  return database;
}

/** Changes rows, definitions, objects and a counter, so that old and new differ in everything. */
const CHANGES = [
  `INSERT INTO book (id, isbn, title) VALUES (901, 'later', 'Written after the backup')`,
  `DELETE FROM loan WHERE id < 50`,
  `UPDATE member SET name = 'Renamed' WHERE id = 70005`,
  `ALTER TABLE note ADD COLUMN added INT`,
  `DROP TABLE empty_shelf`,
  `CREATE TABLE review (id INT AUTO_INCREMENT PRIMARY KEY, stars TINYINT) AUTO_INCREMENT = 9000`,
  `INSERT INTO review (id, stars) VALUES (9000, 3), (9001, 5)`,
  `DROP VIEW titles`,
  `DROP PROCEDURE lend`,
  `CREATE PROCEDURE giveback (IN l INT) DELETE FROM loan WHERE id = l`,
  `DROP EVENT count_up`,
  `CREATE TRIGGER reviewed AFTER INSERT ON review FOR EACH ROW SET @seen = NEW.id`,
];

export async function changeEverything(server: ServerAddress, database: string): Promise<void> {
  for (const statement of CHANGES) await query(server, statement, database);
  const collation = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';
  await query(server, `ALTER DATABASE \`${database}\` ${collation}`);
}
