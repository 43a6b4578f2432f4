/**
 * The whole corpus (every type, character set and kind of object) as logged changes: replayed by a
 * plain client it is equal to its source, and the rows counted are those that the server's own reader
 * of logs prints.
 */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { PrivateServer } from '../../sandbox/index.js';
import { loadCorpus } from '../corpus/load.js';
import { mariadbCorpus } from '../corpus/mariadb.js';
import { mysqlCorpus } from '../corpus/mysql.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { SMALL_SCALE } from '../corpus/step.js';
import { captureAfter, readIndex } from '../support/capture.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { replayByClient } from '../support/replay.js';
import { privateServer, query } from '../support/servers.js';

/**
 * Texts of a client in a character set whose characters hold backslashes are logged changes in
 * utf8mb4, where the same characters stand; events are worded by the server itself.
 */
const KNOWN_LIMITS: readonly RegExp[] = [
  /^(?:view|procedure|function|trigger|event) .*(?:CHARACTER_SET_CLIENT|character_set_client) differs/su,
];

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it('replays the corpus, and counts its rows', { timeout: 900_000 }, async () => {
    const compression =
      flavour === 'mysql' ? '--binlog-transaction-compression=ON' : '--log-bin-compress=1';
    const [source, target] = await Promise.all([
      privateServer(flavour, { options: [compression, '--max-allowed-packet=256M'] }),
      privateServer(flavour, { options: ['--max-allowed-packet=256M'] }),
    ]);
    const database = 'corpus';
    await query(source, `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    workspace = await createWorkspace(source, database);
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    const [file = ''] = await workspace.finished();
    const { header } = await readIndex(join(workspace.backups, file));

    // Loading makes the database anew, which would end the chain; so it is loaded beside, and its
    // log is followed from where the empty database stood.
    await loadCorpus(source, database, flavour === 'mysql' ? mysqlCorpus : mariadbCorpus, {
      scale: SMALL_SCALE,
      keepDatabase: true,
    });
    const { path, result } = await captureAfter(workspace, header, 'increment.sql.gz');
    if (result.kind === 'break') throw new Error(result.message);
    expect(result.unreplayable).toBeNull();

    await query(target, `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    await replayByClient(target, database, path);
    const [before, after] = [
      await captureState(source, database),
      await captureState(target, database),
    ];
    const differences = compareStates(before, after).filter(
      (difference) => !KNOWN_LIMITS.some((limit) => limit.test(difference)),
    );
    expect(differences).toEqual([]);

    const { changes } = await readIndex(path);
    const ours = new Map<string, number>();
    for (const { tables } of changes) {
      for (const { name, inserted, updated, deleted } of tables) {
        const sum = (ours.get(name) ?? 0) + inserted + updated + deleted;
        if (sum > 0) ours.set(name, sum);
      }
    }
    expect(ours).toEqual(await countByServersReader(source, database));
  });
});

/** `### INSERT INTO `db`.`table`` and the like, one per row. */
async function countByServersReader(
  server: PrivateServer,
  database: string,
): Promise<Map<string, number>> {
  const files = await query(server, 'SHOW BINARY LOGS');
  const counts = new Map<string, number>();
  for (const { Log_name: name } of files) {
    const tool = server.flavour === 'mysql' ? 'mysqlbinlog' : 'mariadb-binlog';
    const { stdout } = await runClient(server, tool, [
      '--read-from-remote-server',
      '--base64-output=decode-rows',
      '--verbose',
      String(name),
    ]);
    for (const match of stdout
      .toString('utf8')
      .matchAll(/^### (?:INSERT INTO|UPDATE|DELETE FROM) `(.*)`\.`(.*)`$/gm)) {
      const [, of, table = ''] = match;
      if (of === database) counts.set(table, (counts.get(table) ?? 0) + 1);
    }
  }
  return counts;
}
