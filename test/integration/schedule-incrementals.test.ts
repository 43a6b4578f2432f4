/**
 * Goal: the scheduler makes incrementals in their slots, and closes a real gap by a full backup. Method:
 * its process beside a server whose binary log is purged behind the last incremental.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { CatalogLine, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { privateServer, query } from '../support/servers.js';

type Entry = CatalogLine & { readonly startedAt: string };

const DATABASE = 'LibraryDB';
const WAIT_MS_MAX = 120_000;
/** Far away, so that every full backup of this test is one for a gap. */
const NEW_YEAR = '0 0 1 1 *';

it('makes incrementals in their slots, and a full backup at once where there is a gap', async () => {
  const server = await privateServer('mysql');
  await query(
    server,
    `CREATE DATABASE ${DATABASE}; USE ${DATABASE};
     CREATE TABLE BOOK (id INT AUTO_INCREMENT PRIMARY KEY, title TEXT);
     INSERT INTO BOOK (title) VALUES ('one')`,
  );
  const workspace = await createWorkspace(server, DATABASE, {
    BACKUP_CRON_SCHEDULE: NEW_YEAR,
    BACKUP_INCREMENTAL_CRON_SCHEDULE: '*/2 * * * * *',
  });
  onTestFinished(() => workspace.remove());
  const { child, ended } = workspace.start(['schedule']);

  const first = await nextEntry(workspace, 'full');
  await nextEntry(workspace, 'incremental', first);
  await purgeBehind(server, workspace);
  const second = await nextEntry(workspace, 'full', first);
  await query(server, "INSERT INTO BOOK (title) VALUES ('behind the gap')", DATABASE);
  await nextEntry(workspace, 'incremental', second);
  await nextEntry(workspace, 'incremental', (await workspace.catalog()).at(-1));
  child.kill('SIGTERM');

  const { code, stdout, stderr } = await ended;
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/, incrementals at "\*\/2 \* \* \* \* \*" \(/);
  expect(stdout).toMatch(/Next run: \d{4}-01-01 00:00:00.*, next incremental: \d{4}-/);
  expect(stdout.match(/✓ Backup saved/g)).toHaveLength(2);
  expect(stdout).toMatch(/✓ Incremental saved: backups\/incremental\/incremental_LibraryDB_/);
  expect(stderr).toMatch(/warning CHAIN_GAP: there is no full backup .*; so a full backup now:/);
  expect(stderr).toMatch(/warning CHAIN_GAP: no incremental can follow: .*; so a full backup now:/);

  const restored = await workspace.run(['restore', '--into', 'copy', '--yes']);
  expect(restored.code, restored.stderr).toBe(0);
  const source = await captureState(server, DATABASE);
  expect(compareStates(source, await captureState(server, 'copy'))).toEqual([]);
});

/** A change, and the log that holds it deleted; once more where a run read the log in between. */
async function purgeBehind(server: ServerAddress, workspace: Workspace): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const [last] = await query(
      server,
      `INSERT INTO BOOK (title) VALUES ('lost from the log');
       FLUSH BINARY LOGS; FLUSH BINARY LOGS; SHOW BINARY LOG STATUS`,
      DATABASE,
    );
    await query(server, `PURGE BINARY LOGS TO '${String(last?.['File'])}'`);
    const purgedAt = new Date().toISOString();
    const next = await entryWhere(
      workspace,
      ({ type, startedAt }) => type === 'incremental' && startedAt > purgedAt,
    );
    if (next.error?.code === 'CHAIN_GAP') return;
  }
  throw new Error('every slot came before its log was purged');
}

/** The first good entry of its type behind `after`, once it is there. */
function nextEntry(workspace: Workspace, type: string, after?: CatalogLine): Promise<CatalogLine> {
  return entryWhere(
    workspace,
    (entry, isBehind) => isBehind && entry.type === type && entry.status !== 'failed',
    after,
  );
}

async function entryWhere(
  workspace: Workspace,
  isWanted: (entry: Entry, isBehind: boolean) => boolean,
  after?: CatalogLine,
): Promise<Entry> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const entries = await readIfThere(workspace);
    const start = entries.findIndex(({ id }) => id === after?.id) + 1;
    const found = entries.find((entry, at) => isWanted(entry, at >= start));
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`it did not come: ${JSON.stringify(entries)}`);
    await delay(50);
  }
}

async function readIfThere(workspace: Workspace): Promise<Entry[]> {
  try {
    return (await workspace.catalog()) as Entry[];
  } catch {
    return [];
  }
}
