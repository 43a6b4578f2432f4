/** A small library's database of the guide's kind, with enough rows to be interrupted half way. */
import { randomBytes } from 'node:crypto';
import type { ServerAddress } from '../../../sandbox/index.js';
import type { TestDatabase } from '../../support/servers.js';
import { createDatabase, query } from '../../support/servers.js';

export interface LibraryOptions {
  /** Rows of `book`, each of some 300 bytes; the other tables are smaller. */
  readonly books?: number;
  /** Whether there is a procedure and a function. */
  readonly routines?: boolean;
}

export const BOOKS_DEFAULT = 20_000;

export async function createLibrary(
  server: ServerAddress,
  options: LibraryOptions = {},
): Promise<TestDatabase> {
  const database = await createDatabase(server, 'faults');
  const books = options.books ?? BOOKS_DEFAULT;
  await query(server, tables(books), database.name);
  await query(server, OBJECTS, database.name);
  if (options.routines !== false) await query(server, ROUTINES, database.name);
  return database;
}

/** The numbers 1 to `count` (at most 100,000) as a derived table. */
function numbers(count: number): string {
  const digit = Array.from({ length: 10 }, (_, value) => `SELECT ${value} AS i`).join(
    ' UNION ALL ',
  );
  const digits = [0, 1, 2, 3, 4].map((place) => `(${digit}) AS d${place}`).join(', ');
  const value = '1 + d0.i + 10 * d1.i + 100 * d2.i + 1000 * d3.i + 10000 * d4.i';
  return `(SELECT ${value} AS i FROM ${digits} HAVING i <= ${count} ORDER BY i) AS numbers`;
}

function tables(books: number): string {
  return `
    CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, isbn CHAR(13) NOT NULL, title VARCHAR(200),
      summary TEXT, price DECIMAL(8,2), UNIQUE KEY (isbn));
    INSERT INTO book (isbn, title, summary, price)
      SELECT LPAD(i * 7919, 13, '0'), CONCAT('Title ', i, ' ', SHA2(i, 256)),
        CONCAT(SHA2(i + 1, 512), SHA2(i + 2, 256)), i / 100 FROM ${numbers(books)};
    CREATE TABLE member (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80), joined DATE);
    INSERT INTO member (name, joined)
      SELECT CONCAT('Member ', i), '2020-02-29' + INTERVAL i DAY FROM ${numbers(500)};
    CREATE TABLE loan (id INT AUTO_INCREMENT PRIMARY KEY, book_id INT NOT NULL, member_id INT NOT NULL,
      due DATETIME, KEY (book_id), FOREIGN KEY (book_id) REFERENCES book (id),
      FOREIGN KEY (member_id) REFERENCES member (id));
    INSERT INTO loan (book_id, member_id, due)
      SELECT i, 1 + i % 500, '2026-01-02 03:04:05' FROM ${numbers(Math.min(books, 2000))};`;
}

const OBJECTS = `
  CREATE VIEW overdue AS SELECT loan.id, book.title FROM loan JOIN book ON book.id = loan.book_id;
  CREATE TRIGGER member_joined BEFORE INSERT ON member FOR EACH ROW SET NEW.name = TRIM(NEW.name);
  CREATE EVENT sweep ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM loan WHERE due < '2000-01-01';`;

const ROUTINES = `
  CREATE PROCEDURE lend (IN b INT, IN m INT) INSERT INTO loan (book_id, member_id) VALUES (b, m);
  CREATE FUNCTION fine_of (days INT) RETURNS DECIMAL(8,2) DETERMINISTIC RETURN days * 0.25;`;

export interface TestUser {
  readonly user: string;
  readonly password: string;
}

/** The grants of the guide's backup user. */
export const GUIDE_GRANTS = ['SELECT', 'LOCK TABLES', 'SHOW VIEW', 'EVENT', 'TRIGGER'] as const;

/** A user with these privileges on all of `database`; the password is easy to find again. */
export async function createUser(
  server: ServerAddress,
  database: string,
  privileges: readonly string[] = GUIDE_GRANTS,
): Promise<TestUser> {
  const user = `backup_${randomBytes(4).toString('hex')}`;
  const password = `Geheim-${randomBytes(9).toString('base64url')}`;
  await query(server, `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`);
  if (privileges.length > 0) {
    await query(
      server,
      `GRANT ${privileges.join(', ')} ON \`${database}\`.* TO '${user}'@'127.0.0.1'`,
    );
  }
  return { user, password };
}
