/**
 * `reshelve events` against real servers: what it shows of incrementals and of the server's own log is
 * what was done, and the commands that it prints lead to just before.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

interface Shown {
  readonly time: string;
  readonly gtid: string | null;
  readonly file: string;
  readonly position: number;
  readonly kind: string;
  readonly statement: string | null;
  readonly tables: readonly { name: string; inserted: number; updated: number; deleted: number }[];
  readonly marks: readonly { kind: string; table: string | null; rows?: number; of?: number }[];
  readonly source: string | null;
  readonly recover: readonly string[];
  readonly undo: string | null;
}

interface Document {
  readonly status: string;
  readonly events: readonly Shown[];
  readonly found: number;
  readonly needsIncremental: boolean;
  readonly warnings: readonly { code: string }[];
}

function documentOf({ stdout, stderr, code }: CliResult): Document {
  expect([0, 3], stderr).toContain(code);
  return JSON.parse(stdout) as Document;
}

const numbers = (count: number): string =>
  `(WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) AS numbers`;

describe.each([
  [
    'mysql',
    ['--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--binlog-transaction-compression=ON'],
  ],
  ['mysql', ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF']],
  ['mariadb', []],
] as const)('%s %s', (flavour, options) => {
  let server: PrivateServer;
  let shop: Workspace;
  let name: string;
  let states: DatabaseState[];
  const run = (sql: string) => query(server, sql, name);

  beforeAll(async () => {
    server = await privateServer(flavour, { options: [...options] });
    ({ name } = await createDatabase(server, 'lib'));
    await run(`CREATE TABLE book (id INT PRIMARY KEY, title VARCHAR(80));
      CREATE TABLE \`odd \`\`na\nme-ü\` (id INT PRIMARY KEY);
      INSERT INTO book SELECT i, CONCAT('Title ', i) FROM ${numbers(900)}`);
    shop = await createWorkspace(server, name, { BACKUP_TIMEZONE: 'Europe/Prague' });
    const full = await shop.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    states = [];
    await run("INSERT INTO book VALUES (2001, 'early')");
    await run(`INSERT INTO \`odd \`\`na\nme-ü\` SELECT i FROM ${numbers(20)}`);
    states.push(await captureState(server, name));
    await run('DELETE FROM book WHERE id <= 600');
    await run("UPDATE book SET title = 'same' WHERE id < 610");
    await delay(1200);
    const incremental = await shop.run(['incremental']);
    expect(incremental.code, incremental.stderr).toBe(0);
    await run('INSERT INTO book VALUES (2002, NULL)');
    states.push(await captureState(server, name));
    await run('TRUNCATE TABLE book');
    await run(`INSERT INTO book SELECT i, 'again' FROM ${numbers(5)}`);
    await run('ALTER TABLE book DROP COLUMN title');
    await run('DROP TABLE `odd ``na\nme-ü`');
  }, 300_000);

  afterAll(async () => {
    await shop.remove();
    await server.stop();
  });

  it(
    'shows what incrementals and the server hold, marks included',
    { timeout: 300_000 },
    async () => {
      const { events, found, needsIncremental } = documentOf(await shop.run(['events', '--json']));
      expect(found).toBe(9);
      expect(events.map(({ marks }) => marks)).toEqual([
        [],
        [],
        [{ kind: 'mass-delete', table: 'book', rows: 600, of: 901 }],
        [],
        [],
        [{ kind: 'truncate', table: 'book', of: 302 }],
        [],
        [{ kind: 'drop-part', table: 'book' }],
        [{ kind: 'drop', table: 'odd `na\nme-ü', of: 20 }],
      ]);
      const rows = events.map(({ tables }) =>
        tables.map((t) => [t.inserted, t.updated, t.deleted]),
      );
      expect(rows.slice(0, 5)).toEqual([
        [[1, 0, 0]],
        [[20, 0, 0]],
        [[0, 0, 600]],
        [[0, 9, 0]],
        [[1, 0, 0]],
      ]);
      expect(events.slice(0, 4).every(({ source }) => source?.startsWith('incremental/'))).toBe(
        true,
      );
      expect(events.slice(4).every(({ source }) => source === null)).toBe(true);
      const hasGtids = !options.some((option) => option.includes('gtid-mode=OFF'));
      expect(events.every(({ gtid }) => (gtid !== null) === hasGtids)).toBe(true);
      expect(needsIncremental).toBe(true);
    },
  );

  it('prints lines that people can follow', { timeout: 300_000 }, async () => {
    const { stdout, code } = await shop.run(['events', '--table', 'book', '--limit', '3']);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(`Transactions of ${name} (Europe/Prague):`);
    const marked = lines.filter((line) => line.startsWith('! '));
    expect(
      marked.map(
        (line) =>
          /(?:book: 600 deleted|TRUNCATE TABLE book|ALTER TABLE … DROP book)$/.exec(line)?.[0],
      ),
    ).toEqual(['book: 600 deleted', 'TRUNCATE TABLE book', 'ALTER TABLE … DROP book']);
    expect(stdout).toContain(
      '    MASS DELETE in book: 600 of 901 rows\n    back to just before it:  reshelve recover --',
    );
    expect(stdout).toContain(
      '    back to just before it:  reshelve incremental\n                             reshelve recover --',
    );
    expect(stdout).toContain('4 of 7 are not shown');
  });

  it('prints commands that lead to just before', { timeout: 300_000 }, async () => {
    const { events } = documentOf(await shop.run(['events', '--json']));
    const [deleted, truncated] = events.filter(({ marks }) =>
      marks.some(({ kind }) => kind === 'mass-delete' || kind === 'truncate'),
    );
    for (const [at, event] of [deleted, truncated].entries()) {
      for (const command of event?.recover ?? []) {
        const words = command.split(' ').slice(1);
        const isRecover = words[0] === 'recover';
        const copy = await createDatabase(server, 'copy');
        const args = isRecover
          ? ['restore', ...words.slice(1), '--into', copy.name, '--yes']
          : words;
        const done = await shop.run(args);
        expect(done.code, done.stderr).toBe(0);
        if (!isRecover) continue;
        const [expected, found] = [states[at], await captureState(server, copy.name)];
        if (expected === undefined) throw new Error('the state was recorded');
        expect(compareStates(expected, found)).toEqual([]);
      }
    }
  });

  it('inspect tells the changes of an incremental in summary', { timeout: 300_000 }, async () => {
    const folder = join(shop.backups, 'incremental');
    const [first = ''] = (await readdir(folder)).sort();
    const { stdout, stderr, code } = await shop.run(['inspect', join(folder, first)]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /^Changes: +4 transactions, \d{4}-\d\d-\d\d \S+ to \S+ \S+ Europe\/Prague$/m,
    );
    expect(stdout).toMatch(/^book +1 +9 +600$/m);
    expect(stdout).toMatch(/^odd `na\\nme-ü +20 +0 +0$/m);
    const hasGtids = !options.some((option) => option.includes('gtid-mode=OFF'));
    expect(/^GTIDs: +\S+/m.test(stdout)).toBe(hasGtids);
    const { stdout: text } = await shop.run(['inspect', '--json', join(folder, first)]);
    expect(JSON.parse(text)).toMatchObject({ changes: { transactions: 4 } });
  });

  it(
    'shows what came before the next full backup, times around, and a dropped database',
    { timeout: 300_000 },
    async () => {
      await run('INSERT INTO book VALUES (777)');
      const second = await shop.run(['full']);
      expect(second.code, second.stderr).toBe(0);
      const before = documentOf(await shop.run(['events', '--json']));
      expect(before.found).toBe(10);
      // The full backup closed the older chain up to its own place.
      const closing = before.events.at(-1);
      expect(closing?.source).toMatch(/^incremental\//);
      expect(closing?.recover).toEqual([expect.stringMatching(/^reshelve recover --/)]);
      const middle = before.events[4]?.time ?? '';
      const around = documentOf(await shop.run(['events', '--json', '--around', middle]));
      expect(around.found).toBe(10);
      const none = documentOf(
        await shop.run(['events', '--json', '--until', '2020-01-01 00:00:00']),
      );
      expect(none.found).toBe(0);
      const wrong = await shop.run(['events', '--around', middle, '--from', middle]);
      expect(wrong.code).toBe(2);
      const expected = await captureState(server, name);
      await query(server, `DROP DATABASE ${name}`);
      const { events } = documentOf(await shop.run(['events', '--json']));
      const last = events.at(-1);
      expect(last?.kind).toBe('chain-end');
      expect(last?.recover[0]).toBe('reshelve incremental');
      // It saves what came before the drop, and says that nothing can follow.
      expect((await shop.run(['incremental'])).code).toBe(5);
      const copy = await createDatabase(server, 'copy');
      const words = last?.recover[1]?.split(' ').slice(2) ?? [];
      const restored = await shop.run(['restore', ...words, '--into', copy.name, '--yes']);
      expect(restored.code, restored.stderr).toBe(0);
      expect(compareStates(expected, await captureState(server, copy.name))).toEqual([]);
    },
  );

  it(
    'shows the incrementals where the server is gone, and says so',
    { timeout: 300_000 },
    async () => {
      await server.stop();
      const result = await shop.run(['events', '--json']);
      expect(result.code).toBe(3);
      const { events, warnings } = documentOf(result);
      expect(warnings.map(({ code }) => code)).toEqual(['CONNECT']);
      expect(events.length).toBeGreaterThanOrEqual(4);
      const [deleted] = events.filter(({ marks }) => marks[0]?.kind === 'mass-delete');
      const undo = await shop.run(deleted?.undo?.split(' ').slice(1) ?? []);
      expect(undo.code).toBe(1);
      expect(undo.stderr).toContain('the definition of book was changed since (alter)');
    },
  );
});
