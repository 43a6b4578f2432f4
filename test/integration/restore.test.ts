/** What a restore takes, refuses and leaves alone, on real servers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

async function createShop(server: ServerAddress): Promise<string> {
  const { name } = await createDatabase(server, 'shop');
  await query(
    server,
    `CREATE TABLE book (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(100), price DOUBLE);
     INSERT INTO book (title, price) VALUES ('it''s; a -- title', 1.5), ('zwei', 0.1), (NULL, NULL);
     CREATE TABLE loan (id INT PRIMARY KEY, book INT, FOREIGN KEY (book) REFERENCES book (id));
     INSERT INTO loan VALUES (1, 1), (2, 2);
     CREATE VIEW lent AS SELECT title FROM book JOIN loan ON loan.book = book.id;
     CREATE TRIGGER loan_insert BEFORE INSERT ON loan FOR EACH ROW SET NEW.book = NEW.book`,
    name,
  );
  return name;
}

interface Shop {
  readonly server: ServerAddress;
  readonly name: string;
  readonly shop: Workspace;
  readonly file: string;
}

async function backedUpShop(flavour: Flavour): Promise<Shop> {
  const server = await sharedServer(flavour);
  const name = await createShop(server);
  const shop = await createWorkspace(server, name, { BACKUP_RETENTION: '2' });
  workspace = shop;
  const full = await shop.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const [file = ''] = await shop.finished();
  return { server, name, shop, file: join(shop.backups, file) };
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it('puts the newest backup back, and asks first', async () => {
    const { server, name, shop } = await backedUpShop(flavour);
    const before = await captureState(server, name);
    await query(server, 'DROP TABLE loan; UPDATE book SET price = 0', name);
    const refused = await shop.run(['restore']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--yes');
    expect((await shop.run(['restore', '--dry-run'])).code).toBe(0);
    expect(await query(server, "SHOW TABLES LIKE 'loan'", name)).toEqual([]);
    const restored = await shop.run(['restore', '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    expect(compareStates(before, await captureState(server, name))).toEqual([]);
  });

  it('restores one table and leaves the others as they are', async () => {
    const { server, name, shop } = await backedUpShop(flavour);
    await query(server, 'DELETE FROM loan; UPDATE book SET price = 7', name);
    const restored = await shop.run(['restore', '--table', 'loan', '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    expect(await query(server, 'SELECT COUNT(*) AS n FROM loan', name)).toMatchObject([{ n: 2 }]);
    expect(
      await query(server, 'SELECT COUNT(*) AS n FROM book WHERE price = 7', name),
    ).toMatchObject([{ n: 3 }]);
    const unknown = await shop.run(['restore', '--table', 'nothing', '--yes']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('nothing');
  });

  it('refuses a damaged backup before it touches anything', async () => {
    const { server, name, shop, file } = await backedUpShop(flavour);
    const sound = await readFile(file);
    const before = await captureState(server, name);
    for (const at of [5, 200, Math.floor(sound.length / 2), sound.length - 10]) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await writeFile(file, damaged);
      const refused = await shop.run(['restore', '--yes']);
      expect(refused.code, `byte ${at}: ${refused.stderr}`).toBe(4);
      expect((await shop.run(['inspect', '--check', file])).code).toBe(4);
    }
    await writeFile(file, sound.subarray(0, sound.length - 1));
    expect((await shop.run(['restore', '--yes'])).code).toBe(4);
    expect(compareStates(before, await captureState(server, name))).toEqual([]);
  });

  it('takes the dump of the server’s own tool, and refuses half of it', async () => {
    const { server, name, shop } = await backedUpShop(flavour);
    const tool = flavour === 'mysql' ? 'mysqldump' : 'mariadb-dump';
    const dump = await runClient(server, tool, ['--routines', '--triggers', name]);
    expect(dump.code, dump.stderr).toBe(0);
    const whole = join(shop.directory, 'dump.sql.gz');
    await writeFile(whole, gzipSync(dump.stdout));
    const before = await captureState(server, name);
    const copy = await createDatabase(server, 'copy');
    const restored = await shop.run(['restore', whole, '--into', copy.name, '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    expect(compareStates(before, await captureState(server, copy.name))).toEqual([]);
    const verified = await shop.run(['verify', whole]);
    expect(verified.code, verified.stderr).toBe(0);

    const half = join(shop.directory, 'half.sql');
    await writeFile(half, dump.stdout.subarray(0, Math.floor(dump.stdout.length * 0.7)));
    const refused = await shop.run(['restore', half, '--into', copy.name, '--yes']);
    expect(refused.code, refused.stderr).toBe(4);
    expect(compareStates(before, await captureState(server, copy.name))).toEqual([]);
  });

  it('keeps the newest backups and the proven one', async () => {
    const { shop, file } = await backedUpShop(flavour);
    expect((await shop.run(['verify'])).code).toBe(0);
    for (let at = 0; at < 4; at += 1) expect((await shop.run(['full'])).code).toBe(0);
    const left = await shop.finished();
    expect(left).toHaveLength(3);
    expect(left.map((name) => join(shop.backups, name))).toContain(file);
  });
});
