/**
 * Goal: a schema of 5,000 tables goes every way in reasonable time. Method: backup, test restore and a
 * plain client, on a server of its own that does not wait for its disk; the oracle compares.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import { loadCorpus } from '../corpus/load.js';
import { manyTables } from '../corpus/many-tables.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const TABLES = 5000;
/** Making a table takes some ten syncs of the disk, which are not what is tested here. */
const QUICK_SERVER = [
  ...['--innodb-flush-method=nosync', '--innodb-doublewrite=OFF', '--skip-log-bin'],
  ...['--innodb-flush-log-at-trx-commit=0', '--event-scheduler=OFF'],
  ...[`--table-open-cache=${2 * TABLES}`, `--table-definition-cache=${3 * TABLES}`],
];

it(`brings ${TABLES} tables back`, { timeout: 1_800_000 }, async () => {
  const server = await privateServer('mysql', { options: QUICK_SERVER });
  const { name: source } = await createDatabase(server, 'many');
  await loadCorpus(server, source, [manyTables(TABLES)]);
  const workspace = await createWorkspace(server, source);
  onTestFinished(() => workspace.remove());

  const full = await workspace.run(['full']);
  expect(full.code, full.stderr).toBe(0);
  const verified = await workspace.run(['verify']);
  expect(verified.code, verified.stderr).toBe(0);
  expect(verified.stdout).toContain('Backup integrity check PASSED');
  const [left] = await query(server, `SHOW DATABASES LIKE '${source}\\_verify\\_test'`);
  expect(left).toBeUndefined();

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
