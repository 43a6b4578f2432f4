/**
 * Goal: a schema of thousands of tables goes every way in reasonable time. Method: backup, test restore and a
 * plain client, on a server of its own that does not wait for its disk; the oracle compares.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';
import { manyTables } from '../corpus/many-tables.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { SMALL_SCALE } from '../corpus/step.js';
import { createWorkspace } from '../support/cli.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

/** As many as the whole run has time for; RESHELVE_SOAK=1 for the size that is promised. */
const TABLES = process.env['RESHELVE_SOAK'] === '1' ? 5000 : 1000;
const LOADERS = 4;
/** Making a table takes some ten syncs of the disk, which are not what is tested here. */
const QUICK_SERVER = [
  ...['--innodb-flush-method=nosync', '--innodb-doublewrite=OFF', '--skip-log-bin'],
  ...['--innodb-flush-log-at-trx-commit=0', '--event-scheduler=OFF'],
  ...['--table-open-cache=10000', '--table-definition-cache=15000'],
];

it(`brings ${TABLES} tables back`, { timeout: 1_800_000 }, async () => {
  const server = await privateServer('mysql', { options: QUICK_SERVER });
  const { name: source } = await createDatabase(server, 'many');
  await makeTables(server, source);
  const workspace = await createWorkspace(server, source);
  onTestFinished(() => workspace.remove());

  const full = await workspace.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const verified = await workspace.run(['verify']);
  expect(verified.code, verified.stderr).toBe(0);
  expect(verified.stdout).toContain('Backup integrity check PASSED');
  const left = await query(server, `SHOW DATABASES LIKE '${source}\\_verify\\_test'`);
  expect(left).toEqual([]);

  const [file = ''] = await workspace.finished();
  const { name: copy } = await createDatabase(server, 'plain');
  const loaded = await runClient(server, 'mysql', ['--binary-mode'], {
    database: copy,
    input: createReadStream(join(workspace.backups, file)).pipe(createGunzip()),
    timeoutMs: 600_000,
  });
  expect(loaded.code, loaded.stderr).toBe(0);
  const before = await captureState(server, source);
  expect([...before.objects.keys()].filter((key) => key.startsWith('table '))).toHaveLength(TABLES);
  expect(compareStates(before, await captureState(server, copy))).toEqual([]);
});

/** Each table with what belongs to it on one of several connections. */
async function makeTables(server: ServerAddress, database: string): Promise<void> {
  const groups: string[][] = [];
  for (const { sql } of manyTables(TABLES).steps(SMALL_SCALE, database)) {
    const text = sql.toString();
    if (text.startsWith('CREATE TABLE')) groups.push([]);
    groups.at(-1)?.push(text);
  }
  const connections = await Promise.all(
    Array.from({ length: LOADERS }, () => connectTo(server, database)),
  );
  await Promise.all(
    connections.map(async (connection) => {
      for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
        for (const statement of group) await connection.query(statement);
      }
      await connection.end();
    }),
  );
}
