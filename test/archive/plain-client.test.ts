// Goal: an archive loads with nothing but gunzip and a stock client, of either flavour, whatever
// the length of its index, and leaves the session as it was.
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { Flavour } from '../../sandbox/index.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import type { MemberInput } from '../../src/archive/archive-writer.js';
import { headerParts, tableEntry, withFolder, writeArchive } from './samples.js';
import { SOUND_VECTOR, VECTORS_FOLDER } from './vectors.js';

/** What the client says to the inflated archive followed by `after`. */
async function load(
  flavour: Flavour,
  database: string,
  path: string,
  after = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const sql = execFileSync('gunzip', ['-c', path], { maxBuffer: 64 * 1024 * 1024 });
  const server = await sharedServer(flavour);
  const args = ['--binary-mode', '--skip-column-names'];
  const input = Buffer.concat([sql, Buffer.from(after)]);
  const result = await runClient(server, flavour, args, { database, input });
  return { code: result.code, stdout: result.stdout.toString(), stderr: result.stderr };
}

test.each(['mysql', 'mariadb'] as const)('%s loads the sound vector', async (flavour) => {
  const server = await sharedServer(flavour);
  const { name } = await createDatabase(server, 'plain');
  const sound = join(VECTORS_FOLDER, SOUND_VECTOR);
  const result = await load(flavour, name, sound, 'SELECT @@foreign_key_checks;\n');
  expect(result).toEqual({ code: 0, stdout: '1\n', stderr: '' });
  const counts =
    'SELECT (SELECT COUNT(*) FROM BOOK) AS book, (SELECT COUNT(*) FROM FINE) AS fine, ' +
    '(SELECT COUNT(*) FROM ECHO) AS echo, (SELECT COUNT(*) FROM V) AS v';
  expect(await query(server, counts, name)).toEqual([{ book: 6, fine: 0, echo: 2, v: 6 }]);
  const rows = await query(
    server,
    'SELECT HEX(`título`) AS title, HEX(CAST(kana AS BINARY)) AS kana, LENGTH(cover) AS cover ' +
      'FROM BOOK WHERE id IN (1, 12) ORDER BY id',
    name,
  );
  const special = Buffer.from("O'Brien\\ \0\n\r\x1a\t„“ ;\n").toString('hex').toUpperCase();
  expect(rows).toEqual([
    { title: special, kana: '955C835C', cover: 256 },
    { title: '78'.repeat(250), kana: null, cover: 1_048_577 },
  ]);
});

test.each(['mysql', 'mariadb'] as const)(
  '%s reads past an index of any length',
  async (flavour) => {
    const { name } = await createDatabase(await sharedServer(flavour), 'plain');
    const count = 2000;
    const one = (sql: string): Pick<MemberInput, 'sql' | 'statements' | 'longestStatement'> => ({
      sql: Buffer.from(sql),
      statements: 1,
      longestStatement: Buffer.byteLength(sql),
    });
    const data = Array.from({ length: count }, (_, position) => ({
      ...one(`INSERT INTO \`t\` (\`a\`) VALUES\n(${position});\n`),
      ...({ kind: 'data', table: 't', rows: 1 } as const),
    }));
    const members: MemberInput[] = [
      { kind: 'header', ...one('SET @a = 1;\n') },
      { kind: 'table', table: 't', ...one('CREATE TABLE `t` (`a` int);\n') },
      ...data,
    ];
    await withFolder(async (folder) => {
      const path = join(folder, 'a.sql.gz');
      const parts = {
        header: headerParts(),
        tables: [tableEntry('t', count)],
        ranges: [],
        objects: [],
      };
      await writeArchive(path, members, parts);
      expect((await readFile(path)).length).toBeGreaterThan(100_000);
      const result = await load(flavour, name, path, 'SELECT COUNT(*) FROM t;\n');
      expect(result).toEqual({ code: 0, stdout: `${count}\n`, stderr: '' });
    });
  },
);
