/**
 * Characters that SHOW CREATE TABLE does not print: what comes back must be what was there, and not
 * the `?` that stands in the server's text. Looked at with statements of this file's own.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { createDatabase, privateServer, query, sharedServer } from '../support/servers.js';
import type { Row } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

interface Copies {
  readonly server: ServerAddress;
  readonly source: string;
  /** Loaded by `restore` and by the server's own client. */
  readonly copies: readonly string[];
}

/** Backs up what `statements` make, without a warning; verifies it; loads it in both ways. */
async function copiesOf(flavour: Flavour, statements: readonly string[]): Promise<Copies> {
  const server = await sharedServer(flavour);
  const { name: source } = await createDatabase(server, 'lost');
  for (const statement of statements) await query(server, statement, source);
  workspace = await createWorkspace(server, source);
  const full = await workspace.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const verified = await workspace.run(['verify']);
  expect(verified.code, verified.stderr).toBe(0);
  const { name: restored } = await createDatabase(server, 'restored');
  const restore = await workspace.run(['restore', '--into', restored]);
  expect(restore.code, restore.stderr).toBe(0);
  const { name: loaded } = await createDatabase(server, 'loaded');
  const [file = ''] = await workspace.finished();
  const client = await runClient(
    server,
    flavour === 'mysql' ? 'mysql' : 'mariadb',
    ['--binary-mode'],
    {
      database: loaded,
      input: createReadStream(join(workspace.backups, file)).pipe(createGunzip()),
    },
  );
  expect(client.code, client.stderr).toBe(0);
  return { server, source, copies: [restored, loaded] };
}

async function expectSame(
  { server, source, copies }: Copies,
  sql: string,
): Promise<readonly Row[]> {
  const expected = await query(server, sql, source);
  expect(expected.length).toBeGreaterThan(0);
  for (const copy of copies) expect(await query(server, sql, copy), copy).toEqual(expected);
  return expected;
}

/** Runs a change in the source and in both copies alike. */
async function everywhere({ server, source, copies }: Copies, sql: string): Promise<void> {
  for (const database of [source, ...copies]) await query(server, sql, database);
}

const MANY_MEMBERS = Array.from({ length: 62 }, (_, at) => `'m${at}?'`).join(',');

const MEMBERS = [
  `CREATE TABLE members (id INT AUTO_INCREMENT PRIMARY KEY,
    e ENUM('😀', 'why?', 'x😀y', 'it''s \\\\ 🎉', 'plain') NOT NULL DEFAULT 'x😀y',
    b ENUM('😀?', '中?') COLLATE utf8mb4_bin DEFAULT '中?',
    s SET('q?', ${MANY_MEMBERS}, '😀') NOT NULL DEFAULT 'q?,😀',
    w ENUM('a', '😀', 'é?') CHARACTER SET utf16 DEFAULT '😀',
    l SET('é?', 'ü') CHARACTER SET latin1 DEFAULT 'é?')`,
  "INSERT INTO members (e, b, s, w, l) VALUES ('😀', '😀?', '😀,q?', '😀', 'é?,ü'), ('plain', NULL, '', 'a', '')",
];

const ALL_MEMBERS = `INSERT INTO members (e, b, s, w, l) VALUES (1, 1, 1, 1, 1), (2, 2, 2, 2, 2),
  (3, NULL, 1 << 61, 3, 3), (4, NULL, 1 << 62, 1, 1), (5, NULL, 1 << 63, 1, 1)`;

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it('brings members back by name, in use or not', async () => {
    const copies = await copiesOf(flavour, [
      ...MEMBERS,
      "CREATE TABLE `empty ``t``` (`odd ``e``` ENUM('😀', '?') NOT NULL)",
    ]);
    await everywhere(copies, 'INSERT INTO members () VALUES ()');
    await everywhere(copies, ALL_MEMBERS);
    await everywhere(copies, 'INSERT INTO `empty ``t``` VALUES (1), (2)');
    const rows = await expectSame(
      copies,
      'SELECT id, HEX(e) AS e, HEX(b) AS b, HEX(s) AS s, HEX(w) AS w, HEX(l) AS l FROM members ORDER BY id',
    );
    expect(rows[0]?.['e']).toBe('F09F9880');
    expect(rows[2]).toMatchObject({ e: '78F09F988079', s: '713F2CF09F9880', w: 'D83DDE00' });
    const names = await expectSame(
      copies,
      'SELECT HEX(`odd ``e```) AS e FROM `empty ``t``` ORDER BY 1',
    );
    expect(names.map((row) => row['e'])).toEqual(['3F', 'F09F9880']);
  });

  it('brings hundreds of members back', async () => {
    const list = Array.from({ length: 1300 }, (_, at) => `'${at}?😀'`).join(',');
    const copies = await copiesOf(flavour, [
      `CREATE TABLE hundreds (e ENUM(${list}))`,
      'INSERT INTO hundreds VALUES (1), (500), (501), (1300)',
    ]);
    const rows = await expectSame(copies, 'SELECT HEX(e) AS e FROM hundreds ORDER BY e + 0');
    expect(rows.at(-1)?.['e']).toBe(Buffer.from('1299?😀').toString('hex').toUpperCase());
  });

  it('brings defaults back', async () => {
    const copies = await copiesOf(flavour, [
      `CREATE TABLE defaults (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL DEFAULT 'a😀''b\\\\?',
        c CHAR(9) CHARACTER SET utf32 DEFAULT '?😀', q VARCHAR(9) DEFAULT 'why?',
        l VARCHAR(9) CHARACTER SET latin1 DEFAULT 'é?', t TEXT DEFAULT ('😀?'))`,
    ]);
    await everywhere(copies, 'INSERT INTO defaults (id) VALUES (1)');
    const [row] = await expectSame(
      copies,
      'SELECT HEX(v) AS v, HEX(c) AS c, HEX(q) AS q, HEX(l) AS l, HEX(t) AS t FROM defaults',
    );
    expect(row).toMatchObject({ v: '61F09F988027625C3F', l: 'E93F', t: 'F09F98803F' });
  });

  it('keeps characters in checks and generated columns', async () => {
    const copies = await copiesOf(flavour, [
      `CREATE TABLE expressions (v VARCHAR(20), g VARCHAR(40) AS (CONCAT(v, '😀?')),
        CONSTRAINT no_smile CHECK (v NOT LIKE '%😀%'))`,
      "INSERT INTO expressions (v) VALUES ('????')",
    ]);
    await everywhere(copies, "INSERT INTO expressions (v) VALUES ('中')");
    const { server, source } = copies;
    for (const database of [source, ...copies.copies]) {
      const refused = query(server, "INSERT INTO expressions (v) VALUES ('x😀')", database);
      await expect(refused, database).rejects.toThrow(/no_smile/);
    }
    await expectSame(copies, 'SELECT HEX(v) AS v, HEX(g) AS g FROM expressions ORDER BY v');
  });

  it('needs no privilege but those of a backup', async () => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'lost');
    for (const statement of MEMBERS) await query(server, statement, name);
    const user = `reader_${name}`;
    await query(server, `CREATE USER '${user}'@'%' IDENTIFIED BY 'reads'`);
    await query(
      server,
      `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON ${name}.* TO '${user}'@'%'`,
    );
    workspace = await createWorkspace({ ...server, user, password: 'reads' }, name);
    const full = await workspace.run(['full']);
    await query(server, `DROP USER '${user}'@'%'`);
    expect(full.stderr).not.toContain('DEFINITION_UNCERTAIN');
    expect(full.code, full.stderr).toBe(0);
    const [file = ''] = await workspace.finished();
    const sql = await readSql(join(workspace.backups, file));
    expect(sql).toContain("enum('😀','why?','x😀y','it''s \\\\ 🎉','plain')");
  });

  it('warns where the server cannot tell', async () => {
    const limit = flavour === 'mysql' ? 'cte-max-recursion-depth' : 'max-recursive-iterations';
    const server = await privateServer(flavour, { options: [`--${limit}=0`] });
    const { name } = await createDatabase(server, 'lost');
    await query(
      server,
      "CREATE TABLE doubtful (e ENUM('why?', '😀'), plain ENUM('a'), v CHAR(9) DEFAULT '?'); INSERT INTO doubtful VALUES (2, 1, '')",
      name,
    );
    workspace = await createWorkspace(server, name);
    const full = await workspace.run(['full']);
    expect(full.stderr).toMatch(/DEFINITION_UNCERTAIN: .*column e of table doubtful/);
    expect(full.stderr.match(/DEFINITION_UNCERTAIN/g)).toHaveLength(1);
    expect(full.code, full.stderr).toBe(3);
    // The number of the member does come back.
    const verified = await workspace.run(['verify']);
    expect(verified.code, verified.stderr).toBe(0);
  });
});

describe('mysql', () => {
  it('brings literals of other character sets back', async () => {
    const copies = await copiesOf('mysql', [
      `CREATE TABLE literals (id INT PRIMARY KEY, h VARCHAR(20) DEFAULT (HEX(_latin1 0xE9)),
        a VARCHAR(20) AS (_latin1 0xE9), b VARCHAR(20) AS (HEX(_sjis 0x835C5C)),
        c VARCHAR(20) AS (HEX(_utf16 0xD83DDE0000270027)), d VARCHAR(40) AS (HEX(_binary 0xFF000A0D1A5C27)),
        e VARCHAR(20) AS (HEX(_gb18030 0x9439FC36)), f VARCHAR(20) AS (HEX(_latin1'é')) STORED,
        v VARCHAR(20) CHECK (v NOT IN (_latin1 0xE9, _utf8mb4'😀')), KEY odd ((CONCAT(v, '😀'))))`,
      "INSERT INTO literals (id, v) VALUES (1, 'x')",
    ]);
    await everywhere(copies, "INSERT INTO literals (id, v) VALUES (2, '????')");
    const rows = await expectSame(
      copies,
      'SELECT id, h, HEX(a) AS a, b, c, d, e, f, v FROM literals ORDER BY id',
    );
    expect(rows[1]).toMatchObject({ h: 'E9', a: 'C3A9', b: '835C5C', e: '9439FC36', f: 'C3A9' });
    const { server, copies: databases } = copies;
    for (const database of databases) {
      const refused = query(server, "INSERT INTO literals (id, v) VALUES (3, 'é')", database);
      await expect(refused, database).rejects.toThrow(/literals_chk_1/);
    }
    await expectSame(copies, 'SHOW CREATE TABLE literals');
  });

  it('brings members without a code point back', async () => {
    const copies = await copiesOf('mysql', [
      `CREATE TABLE unmapped (e ENUM(0x8130D330, 0x9439FC36, 0x84318130, 'x?') CHARACTER SET gb18030)`,
      'INSERT INTO unmapped VALUES (1), (2), (4)',
    ]);
    await everywhere(copies, 'INSERT INTO unmapped VALUES (3)');
    await expectSame(copies, 'SELECT e + 0 AS number, HEX(e) AS e FROM unmapped ORDER BY e + 0');
  });
});

async function readSql(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path).pipe(createGunzip())) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
