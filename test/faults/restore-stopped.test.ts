/**
 * Ctrl-C in the middle of a plain restore: it ends soon, says in what state the database is, and the same
 * command brings the whole of it.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Flavour } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import { query, sharedServer } from '../support/servers.js';
import { startProxy } from './support/proxy.js';

vi.setConfig({ testTimeout: 120_000 });

const CASES = (['mysql', 'mariadb'] as const satisfies readonly Flavour[]).flatMap((flavour) =>
  [false, true].map((isNew) => ({ flavour, isNew })),
);

test.each(CASES)('on $flavour, into a new database: $isNew', async ({ flavour, isNew }) => {
  const server = await sharedServer(flavour);
  const database = await createRecoverable(server);
  const target = isNew ? `${database.name}_new` : database.name;
  const workspace = await createWorkspace(server, database.name);
  const state = await captureState(server, database.name);
  const running: { stop?: () => void } = {};
  let isStopped = false;
  const proxy = await startProxy(server, {
    onUp: async (chunk) => {
      if (isStopped || !chunk.includes('INSERT INTO')) return;
      isStopped = true;
      running.stop?.();
      await new Promise((resolve) => setTimeout(resolve, 2000));
    },
  });
  onTestFinished(async () => {
    await proxy.close();
    await workspace.remove();
    await database.drop();
    await query(server, `DROP DATABASE IF EXISTS \`${database.name}_new\``);
  });
  expect((await workspace.run(['full'])).code).toBe(0);

  const args = ['restore', ...(isNew ? ['--into', target] : []), '--yes'];
  const { child, ended } = workspace.start(args, { DB_PORT: String(proxy.port) });
  running.stop = () => child.kill('SIGINT');
  const startedMs = performance.now();
  const stopped = await ended;
  expect(performance.now() - startedMs).toBeLessThan(30_000);
  expect(isStopped).toBe(true);
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain(
    `warning TARGET_INCOMPLETE: ${target} holds only a part of backups/`,
  );
  expect((await workspace.catalog()).at(-1)).toMatchObject({ type: 'restore', status: 'failed' });

  const again = await workspace.run(args);
  expect(again.code, again.stderr).toBe(0);
  expect(compareStates(state, await captureState(server, target))).toEqual([]);
});
