/** A table that is restored by itself is of another time than those that it refers to, and it is said. */
import { expect, it, onTestFinished } from 'vitest';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

it.each(['mysql', 'mariadb'] as const)(
  'rows without their row in another table are told (%s)',
  { timeout: 120_000 },
  async (flavour) => {
    const server = await sharedServer(flavour);
    const database = await createDatabase(server, 'lib');
    const { name } = database;
    for (const statement of [
      'CREATE TABLE book (id INT PRIMARY KEY, part INT, UNIQUE (id, part))',
      `CREATE TABLE loan (id INT PRIMARY KEY, book INT, part INT,
         CONSTRAINT lent FOREIGN KEY (book, part) REFERENCES book (id, part))`,
      'INSERT INTO book VALUES (1, 1), (2, 1), (3, 1)',
      'INSERT INTO loan VALUES (1, 1, 1), (2, 2, 1), (3, NULL, 7), (4, 3, 1)',
    ])
      await query(server, statement, name);
    const shop = await createWorkspace(server, name);
    onTestFinished(async () => {
      await shop.remove();
      await database.drop();
      await query(server, `DROP DATABASE IF EXISTS \`${name}_new\``);
    });
    expect((await shop.run(['full'])).code).toBe(0);

    const whole = await shop.run(['restore', '--table', 'loan', '--yes']);
    expect(whole.code, whole.stderr).toBe(0);

    await query(server, 'DELETE FROM loan; DELETE FROM book WHERE id > 1', name);
    const child = await shop.run(['restore', '--table', 'loan', '--yes']);
    expect(child.code, child.stderr).toBe(3);
    const [, shown = ''] =
      /warning ORPHANS: 2 rows of loan refer to rows that book does not have \(foreign key lent\).*`(SELECT .*)` shows/.exec(
        child.stderr,
      ) ?? [];
    const rows = await query(server, `${shown} ORDER BY c.id`, name);
    expect(rows.map((row) => row['id'])).toEqual([2, 4]);

    const parent = await shop.run(['restore', '--table', 'book', '--yes']);
    expect(parent.code, parent.stderr).toBe(0);

    const alone = await shop.run(['restore', '--table', 'loan', '--into', `${name}_new`, '--yes']);
    expect(alone.code, alone.stderr).toBe(3);
    expect(alone.stderr).toContain('loan refers to book, which is not there (foreign key lent)');
    const both = await shop.run(['restore', '--table', 'book', '--into', `${name}_new`, '--yes']);
    expect(both.code, both.stderr).toBe(0);
    await query(server, 'INSERT INTO loan VALUES (5, 2, 1)', `${name}_new`);
  },
);
