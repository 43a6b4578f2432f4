/**
 * Goal: the next id is the next id, also where the server has only just started. MySQL then shows the
 * last id in information_schema until a table is opened. Method: a backup right after a start, and a
 * row without id put into each copy.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const TABLES = {
  used: { options: '', ids: [1, 2, 10], next: 11 },
  ahead: { options: 'AUTO_INCREMENT = 77', ids: [5], next: 77 },
  empty: { options: 'AUTO_INCREMENT = 40', ids: [], next: 40 },
  deleted: { options: 'AUTO_INCREMENT = 31', ids: [30, 3], next: 31 },
};

async function nextIds(server: ServerAddress, database: string): Promise<Record<string, unknown>> {
  const ids: Record<string, unknown> = {};
  for (const name of Object.keys(TABLES)) {
    const sql = `INSERT INTO \`${name}\` () VALUES (); SELECT LAST_INSERT_ID() AS id`;
    ids[name] = (await query(server, sql, database))[0]?.['id'];
  }
  return ids;
}

it('keeps counters in a backup that is made right after the server has started', async () => {
  const server = await privateServer('mysql');
  const { name: source } = await createDatabase(server, 'counters');
  for (const [name, { options, ids }] of Object.entries(TABLES)) {
    const values = ids.map((id) => `INSERT INTO \`${name}\` VALUES (${id});`).join('');
    await query(
      server,
      `CREATE TABLE \`${name}\` (id INT AUTO_INCREMENT PRIMARY KEY) ${options}; ${values}`,
      source,
    );
  }
  await query(server, 'DELETE FROM deleted WHERE id = 30', source);
  const before = await captureState(server, source);
  await server.restart();

  const [shown] = await query(
    server,
    `SET SESSION information_schema_stats_expiry = 0;
     SELECT AUTO_INCREMENT AS shown FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = '${source}' AND TABLE_NAME = 'ahead'`,
  );
  // If a later server shows the counter here, this test has lost its point.
  expect(shown?.['shown']).toBe(76);
  const workspace = await createWorkspace(server, source);
  onTestFinished(() => workspace.remove());
  const full = await workspace.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const { name: copy } = await createDatabase(server, 'counters_copy');
  const restored = await workspace.run(['restore', '--into', copy]);
  expect(restored.code, restored.stderr).toBe(0);
  const { name: plain } = await createDatabase(server, 'counters_plain');
  const [file = ''] = await workspace.finished();
  const loaded = await runClient(server, 'mysql', ['--binary-mode'], {
    database: plain,
    input: createReadStream(join(workspace.backups, file)).pipe(createGunzip()),
    timeoutMs: 60_000,
  });
  expect(loaded.code, loaded.stderr).toBe(0);
  await server.restart();

  for (const database of [source, copy, plain]) {
    expect(compareStates(before, await captureState(server, database))).toEqual([]);
    const expected = Object.entries(TABLES).map(([name, { next }]) => [name, next]);
    expect(await nextIds(server, database), database).toEqual(Object.fromEntries(expected));
  }
});
