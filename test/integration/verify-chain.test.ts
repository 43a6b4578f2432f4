/**
 * A new full backup closes the chain before it and proves it: on real servers, through the command line.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import type { TestDatabase } from '../support/servers.js';

const WHOLE_SECOND_MS = 1100;

async function run(shop: Workspace, args: readonly string[], code = 0): Promise<CliResult> {
  const result = await shop.run(args);
  expect(result.code, `${args.join(' ')}: ${result.stderr}${result.stdout}`).toBe(code);
  return result;
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  async function makeShop(): Promise<{ shop: Workspace; library: TestDatabase }> {
    const server = await sharedServer(flavour);
    const library = await createDatabase(server, 'proof');
    await query(
      server,
      `CREATE TABLE book (id INT PRIMARY KEY, title VARCHAR(50), price FLOAT);
       CREATE TABLE loan (id INT PRIMARY KEY, book INT, FOREIGN KEY (book) REFERENCES book (id) ON DELETE CASCADE);
       CREATE VIEW cheap AS SELECT id FROM book WHERE price < 3;
       INSERT INTO book VALUES (1, 'one', 0.1), (2, 'two', 16777215)`,
      library.name,
    );
    const shop = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    onTestFinished(() => shop.remove());
    return { shop, library };
  }

  async function change(library: TestDatabase, sql: string): Promise<void> {
    await query(await sharedServer(flavour), sql, library.name);
  }

  it('closes the chain, proves it, and says so', { timeout: 240_000 }, async () => {
    const server = await sharedServer(flavour);
    const { shop, library } = await makeShop();
    const [first] = await namesAfter(shop, ['full']);
    const nothing = await run(shop, ['verify', '--chain'], 3);
    expect(nothing.stderr).toMatch(
      /^warning NOTHING_TO_PROVE: .*no chain was proven.*`reshelve full`/m,
    );
    await change(
      library,
      "INSERT INTO loan VALUES (1, 1), (2, 2); UPDATE book SET title = 'uno' WHERE id = 1",
    );
    await run(shop, ['incremental']);
    await change(
      library,
      'CREATE TABLE later SELECT id, title FROM book; DELETE FROM book WHERE id = 2',
    );
    await sleep(WHOLE_SECOND_MS);
    const [clock] = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
    await change(library, 'INSERT INTO book VALUES (3, NULL, -0.0)');
    const full = await run(shop, ['full']);
    expect(full.stdout).toMatch(
      /incremental_\S+ goes on from incremental\/\S+ to where this backup stands/,
    );
    expect(await readdir(join(shop.backups, 'incremental'))).toHaveLength(2);

    const copy = await createDatabase(server, 'copy');
    await run(shop, [
      'restore',
      '--to',
      `${String(clock?.['now'])}Z`,
      '--into',
      copy.name,
      '--yes',
    ]);
    const books = await query(server, 'SELECT id FROM book ORDER BY id', copy.name);
    expect(books.map(({ id }) => id)).toEqual([1]);

    const proven = await run(shop, ['verify', '--chain']);
    expect(proven.stdout).toMatch(/Chain PROVEN: \S+ and its 2 incrementals give/);
    expect(proven.stdout).toContain(first);
    expect((await shop.catalog()).at(-1)).toMatchObject({
      type: 'verify',
      status: 'success',
      chainProof: { until: expect.stringMatching(/Z$/) as string },
    });
    expect((await shop.run(['status'])).stdout).toMatch(/last chain +.*proven by /);

    await change(library, "INSERT INTO book VALUES (4, 'on the new chain', 1)");
    const next = await run(shop, ['incremental']);
    expect(next.stdout).toContain((await shop.finished()).at(-1));
  });

  it('names the tables that the log does not account for', { timeout: 240_000 }, async () => {
    const { shop, library } = await makeShop();
    await namesAfter(shop, ['full']);
    await change(library, "UPDATE book SET title = 'uno' WHERE id = 1");
    await run(shop, ['incremental']);
    await change(
      library,
      "SET SESSION sql_log_bin = 0; UPDATE book SET title = 'unlogged' WHERE id = 2",
    );
    await run(shop, ['full']);
    const refuted = await run(shop, ['verify', '--chain'], 4);
    expect(refuted.stderr).toMatch(/VERIFY_FAILED: .*table book: the content of its rows differs/);
    expect(refuted.stderr).toMatch(/^next: \S/m);
    expect((await shop.run(['status'])).stdout).toMatch(
      /the last verify failed .*VERIFY_FAILED: the incrementals of /,
    );
    // The newest full backup is sound, and so is what follows on it.
    await change(library, "INSERT INTO book VALUES (5, 'five', 5)");
    await run(shop, ['incremental']);
    await run(shop, ['verify']);
  });

  async function namesAfter(shop: Workspace, args: readonly string[]): Promise<string[]> {
    await run(shop, args);
    return shop.finished();
  }
});
