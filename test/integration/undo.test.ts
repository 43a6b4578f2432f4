/**
 * `reshelve undo` against real servers. The corpus of all types is deleted and brought back, and that is
 * undone in turn, so that every value is written, read and compared; an oracle that shares no code with
 * src/ judges.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import {
  captureState,
  compareStates,
  loadCorpus,
  mariadbCorpus,
  mysqlCorpus,
} from '../corpus/index.js';
import { SMALL_SCALE } from '../corpus/step.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

interface Newest {
  readonly name: readonly string[];
  readonly tables: readonly { name: string; inserted: number; updated: number; deleted: number }[];
}

/** The newest transaction in the log, as `undo` takes it. */
async function newest(shop: Workspace): Promise<Newest> {
  const { stdout, stderr, code } = await shop.run(['events', '--json', '--limit', '99']);
  expect([0, 3], stderr).toContain(code);
  const document = JSON.parse(stdout) as {
    events: { undo: string | null; tables: Newest['tables'] }[];
  };
  const event = document.events.at(-1);
  return { name: event?.undo?.split(' ').slice(1) ?? [], tables: event?.tables ?? [] };
}

describe.each([
  ['mysql', ['--gtid-mode=ON', '--enforce-gtid-consistency=ON']],
  ['mariadb', ['--binlog-row-image=FULL']],
] as const)('%s: the corpus', (flavour, options) => {
  let server: PrivateServer;
  let shop: Workspace;
  let name: string;

  beforeAll(async () => {
    server = await privateServer(flavour, { options: [...options, '--max-allowed-packet=64M'] });
    ({ name } = await createDatabase(server, 'corpus'));
    const themes = flavour === 'mysql' ? mysqlCorpus : mariadbCorpus;
    await loadCorpus(server, name, themes, { scale: SMALL_SCALE });
    shop = await createWorkspace(server, name);
    const full = await shop.run(['full']);
    expect([0, 3], full.stderr).toContain(full.code);
  }, 300_000);

  afterAll(async () => {
    await shop.remove();
    await server.stop();
  });

  it('comes back to the bit, forth and back again', { timeout: 600_000 }, async () => {
    // Its rows are without their parent rows, which an undo refuses to leave behind.
    await query(server, 'DROP TABLE IF EXISTS fk_orphans', name);
    const tables = await query(
      server,
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${name}'
         AND ENGINE = 'InnoDB' AND TABLE_TYPE = 'BASE TABLE'
         -- InnoDB takes no number of a full-text document twice; compressed columns are not compared.
         AND TABLE_NAME <> 'compressed_columns' AND TABLE_NAME NOT IN (SELECT TABLE_NAME
           FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${name}' AND COLUMN_NAME = 'FTS_DOC_ID')`,
    );
    const names = tables.map((row) => `\`${String(row['name']).replaceAll('`', '``')}\``);
    // Some of the corpus are broken on purpose.
    const triggers = await query(
      server,
      `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '${name}'`,
    );
    for (const row of triggers)
      await query(server, `DROP TRIGGER \`${String(row['name']).replaceAll('`', '``')}\``, name);
    const before = await captureState(server, name);
    const deletes = names.map((table) => `DELETE FROM ${table}`).join('; ');
    await query(server, `SET foreign_key_checks = 0; BEGIN; ${deletes}; COMMIT`, name);
    const emptied = await captureState(server, name);
    expect(compareStates(before, emptied).length).toBeGreaterThan(20);
    for (const expected of [before, emptied]) {
      const { name: transaction } = await newest(shop);
      const undone = await shop.run([...transaction, '--apply', '--yes']);
      expect(undone.code, undone.stderr).toBe(0);
      expect(compareStates(expected, await captureState(server, name))).toEqual([]);
    }
  });
});
