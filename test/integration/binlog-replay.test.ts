/**
 * The promise of incrementals by the binary log: full and incrementals, loaded by a plain client on
 * another server, are equal to the source. The judge shares no code with src/.
 */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { captureAfter, readIndex } from '../support/capture.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { initialStatements, runStatements, workload } from '../support/logged-workload.js';
import { replayByClient } from '../support/replay.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

async function servers(
  flavour: 'mysql' | 'mariadb',
  options: readonly string[],
): Promise<[PrivateServer, PrivateServer]> {
  return Promise.all([privateServer(flavour, { options }), privateServer(flavour)]);
}

const VARIANTS = [
  ['mysql', 'plain', ['--binlog-row-event-max-size=8192']],
  [
    'mysql',
    'compressed, without GTIDs',
    [
      '--gtid-mode=OFF',
      '--enforce-gtid-consistency=OFF',
      '--binlog-transaction-compression=ON',
      '--innodb-native-foreign-keys=ON',
    ],
  ],
  ['mariadb', 'plain', []],
  ['mariadb', 'compressed', ['--log-bin-compress=1', '--log-bin-compress-min-len=10']],
] as const;

describe.each(VARIANTS)('%s, %s', (flavour, _variant, options) => {
  it('equals the source after a plain replay', { timeout: 600_000 }, async () => {
    const [source, target] = await servers(flavour, options);
    const { name: database } = await createDatabase(source, 'lib');
    const { name: other } = await createDatabase(source, 'other');
    await query(
      source,
      'CREATE TABLE t (a INT, b VARCHAR(20)); CREATE TABLE dropped (a INT)',
      other,
    );
    await runStatements(source, database, initialStatements());
    workspace = await createWorkspace(source, database);
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    const [file = ''] = await workspace.finished();
    const fullPath = join(workspace.backups, file);

    const items = workload(flavour, other, database);
    const half = items.indexOf('TRUNCATE TABLE keyless');
    const paths: string[] = [];
    let { header } = await readIndex(fullPath);
    for (const [at, part] of [items.slice(0, half), items.slice(half), []].entries()) {
      await runStatements(source, database, part);
      const { path, result } = await captureAfter(workspace, header, `increment-${at}.sql.gz`);
      if (result.kind === 'break') throw new Error(result.message);
      expect(result.unreplayable).toBeNull();
      paths.push(path);
      ({ header } = await readIndex(path));
    }

    // Row events name their database, so a plain client needs one of the same name.
    await query(target, `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    await replayByClient(target, database, fullPath);
    for (const path of paths) await replayByClient(target, database, path);
    const [before, after] = [
      await captureState(source, database),
      await captureState(target, database),
    ];
    expect(compareStates(before, after)).toEqual([]);
  });
});
