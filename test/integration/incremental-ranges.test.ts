/** Incrementals by comparison: what differs is written, loads plainly, and gives the exact state. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

/** `big` has several ranges; its triggers and its child's cascade must not run while loading. */
const SCHEMA = `
  CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, mark VARCHAR(40) UNIQUE, body VARCHAR(3000));
  CREATE TABLE child (id INT PRIMARY KEY, big INT, FOREIGN KEY (big) REFERENCES big (id) ON DELETE CASCADE);
  CREATE TABLE audit (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20), id INT);
  CREATE TABLE keyless (a INT, b TEXT);
  CREATE TABLE gone (id INT PRIMARY KEY);
  CREATE TABLE plain (id INT PRIMARY KEY, v DOUBLE);
  CREATE VIEW turning AS SELECT id FROM plain;
  CREATE VIEW steady AS SELECT id, v FROM plain;
  CREATE PROCEDURE p() SELECT 1;
  CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DO 0;
  INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
  INSERT INTO plain VALUES (1, 0.1), (2, 1e300);
  INSERT INTO gone VALUES (1)`;

const TRIGGERS = `
  CREATE TRIGGER big_deleted AFTER DELETE ON big FOR EACH ROW INSERT INTO audit (what, id) VALUES ('deleted', OLD.id);
  CREATE TRIGGER big_added AFTER INSERT ON big FOR EACH ROW INSERT INTO audit (what, id) VALUES ('added', NEW.id);
  CREATE TRIGGER big_added_too AFTER INSERT ON big FOR EACH ROW FOLLOWS big_added INSERT INTO audit (what, id) VALUES ('too', NEW.id)`;

/** One statement in each packet: the server keeps the `;` of bodies that come with others. */
async function each(server: ServerAddress, database: string, sql: string): Promise<void> {
  const connection = await connectTo(server, database);
  try {
    for (const statement of sql.split(/;\n/)) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

async function createLibrary(server: ServerAddress): Promise<string> {
  const { name } = await createDatabase(server, 'ranges');
  await each(server, name, SCHEMA);
  await query(
    server,
    `SET SESSION sql_mode = '';
     INSERT INTO big (mark, body) SELECT CONCAT('m', a.n * 200 + b.n), REPEAT(CHAR(65 + b.n % 26), 2900)
     FROM (WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 99) SELECT n FROM s) a,
       (WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 199) SELECT n FROM s) b`,
    name,
  );
  await query(server, 'INSERT INTO child SELECT id, id FROM big WHERE id % 100 = 1', name);
  await query(server, 'ANALYZE TABLE big', name);
  await each(server, name, TRIGGERS);
  return name;
}

/** Rows of the first and the last range; one unique value moves from one range to another. */
const FIRST_CHANGES = `
  DELETE FROM child WHERE big < 150;
  DELETE FROM big WHERE id = 7;
  SET @moving = (SELECT mark FROM big WHERE id = 8);
  UPDATE big SET mark = 'moved' WHERE id = 8;
  INSERT INTO big (mark, body) VALUES (@moving, 'new'), ('last', NULL);
  INSERT INTO keyless VALUES (1, 'x');
  DROP TABLE gone;
  DROP PROCEDURE p`;

const SECOND_CHANGES = `
  DROP VIEW turning;
  CREATE TABLE turning (id INT PRIMARY KEY, note TEXT) COMMENT = 'it''s AUTO_INCREMENT=5 ';
  INSERT INTO turning VALUES (1, 'a view before');
  ALTER TABLE plain ADD COLUMN added INT DEFAULT 7, ADD KEY (v);
  DROP TRIGGER big_added;
  CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 3;
  CREATE VIEW late AS SELECT f() AS three;
  DROP EVENT ev;
  CREATE TABLE fresh (id INT PRIMARY KEY AUTO_INCREMENT) AUTO_INCREMENT = 500;
  INSERT INTO big (id, mark) VALUES (900000, 'far');
  DELETE FROM big WHERE id = 900000`;

interface Library {
  readonly server: ServerAddress;
  readonly name: string;
  readonly shop: Workspace;
  /** The full one and two incrementals. */
  readonly files: readonly [string, string, string];
  readonly states: readonly [DatabaseState, DatabaseState, DatabaseState];
}

async function backUpThrice(flavour: Flavour): Promise<Library> {
  const server = await sharedServer(flavour);
  const name = await createLibrary(server);
  const shop = await createWorkspace(server, name, { BACKUP_THREADS: '3' });
  workspace = shop;
  const full = await shop.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const states = [await captureState(server, name)];
  for (const changes of [FIRST_CHANGES, SECOND_CHANGES]) {
    await each(server, name, changes);
    const run = await shop.run(['incremental', '--method', 'ranges']);
    expect(run.code, run.stderr).toBe(0);
    states.push(await captureState(server, name));
  }
  const [file = ''] = await shop.finished();
  const [first = '', second = ''] = (await readdir(join(shop.backups, 'incremental'))).sort();
  const [zero, one, two] = states;
  if (zero === undefined || one === undefined || two === undefined) throw new Error('three states');
  const inFolder = (entry: string): string => join(shop.backups, 'incremental', entry);
  return {
    server,
    name,
    shop,
    files: [join(shop.backups, file), inFolder(first), inFolder(second)],
    states: [zero, one, two],
  };
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it(
    'gives every state again, by our restore and by a plain client',
    { timeout: 400_000 },
    async () => {
      const { server, shop, files, states } = await backUpThrice(flavour);
      const verified = await shop.run(['verify']);
      expect(verified.code, verified.stderr).toBe(0);
      expect(verified.stdout).toContain('incremental_');
      for (const [at, file] of files.entries()) {
        const checked = await shop.run(['inspect', '--check', file]);
        expect(checked.code, checked.stdout).toBe(0);
        const copy = await createDatabase(server, 'copy');
        const restored = await shop.run(['restore', file, '--into', copy.name]);
        expect(restored.code, restored.stderr).toBe(0);
        const state = states[at];
        expect(state && compareStates(state, await captureState(server, copy.name))).toEqual([]);
        await copy.drop();
      }
      const newest = await createDatabase(server, 'copy');
      expect((await shop.run(['restore', '--into', newest.name])).code).toBe(0);
      expect(compareStates(states[2], await captureState(server, newest.name))).toEqual([]);
      await query(server, 'DELETE FROM child; DELETE FROM big WHERE id > 3', newest.name);
      const one = await shop.run(['restore', '--table', 'big', '--into', newest.name, '--yes']);
      expect(one.code, one.stderr).toBe(0);
      expect(await query(server, 'SELECT COUNT(*) AS n FROM child', newest.name)).toEqual([
        { n: 0 },
      ]);
      await newest.drop();

      const plain = await createDatabase(server, 'plain');
      const options = flavour === 'mysql' ? ['--binary-mode'] : ['--binary-mode', '--comments'];
      for (const file of files) {
        const loaded = await runClient(server, flavour === 'mysql' ? 'mysql' : 'mariadb', options, {
          database: plain.name,
          input: createReadStream(file).pipe(createGunzip()),
          timeoutMs: 300_000,
        });
        expect(loaded.code, loaded.stderr).toBe(0);
      }
      expect(compareStates(states[2], await captureState(server, plain.name))).toEqual([]);
    },
  );

  it('writes only what differs, and finds damage in it', { timeout: 400_000 }, async () => {
    const { shop, files } = await backUpThrice(flavour);
    const idle = await shop.run(['incremental', '--method', 'ranges', '--json']);
    expect(idle.code, idle.stderr).toBe(0);
    const { notes } = JSON.parse(idle.stdout) as { notes: string[] };
    expect(notes.join()).toMatch(/compared 20\d\d\d rows .* wrote 0 rows of 0 tables/);
    const inspected = await shop.run(['inspect', '--json', files[1]]);
    const { members } = JSON.parse(inspected.stdout) as { members: Record<string, number> };
    expect(members['table']).toBe(3);
    const sound = await readFile(files[1]);
    const damaged = Buffer.from(sound);
    const middle = Math.floor(sound.length / 2);
    damaged[middle] = (damaged[middle] ?? 0) ^ 1;
    await writeFile(files[1], damaged);
    const refused = await shop.run(['restore', files[2], '--yes']);
    expect(refused.code, refused.stderr).toBe(4);
  });
});
