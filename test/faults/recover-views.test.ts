/**
 * A database of views and routines alone, killed between the drop of one view and the next: nothing but
 * the missing view tells that the drop had begun, and the command that is named must bring it back.
 */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Flavour } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import { startProxy } from './support/proxy.js';
import { followUps } from './support/strike.js';

vi.setConfig({ testTimeout: 120_000 });

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];
const CASES = FLAVOURS.flatMap((flavour) =>
  (['resume', 'rollback'] as const).map((direction) => ({ flavour, direction })),
);

test.each(CASES)('$direction on $flavour', async ({ flavour, direction }) => {
  const server = await sharedServer(flavour);
  const database = await createDatabase(server, 'views');
  const workspace = await createWorkspace(server, database.name);
  const run = async (statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await query(server, statement, database.name);
  };
  await run([
    'CREATE VIEW first_view AS SELECT 1 AS n',
    'CREATE VIEW second_view AS SELECT 2 AS n',
    'CREATE PROCEDURE say() SELECT 3',
  ]);
  const before = await captureState(server, database.name);
  expect((await workspace.run(['full'])).code).toBe(0);
  const [file = ''] = await workspace.finished();
  await run(['CREATE OR REPLACE VIEW second_view AS SELECT 20 AS n']);
  const after = await captureState(server, database.name);

  const running: { kill?: () => void } = {};
  let viewsDropped = 0;
  const proxy = await startProxy(server, {
    onUp: async (chunk) => {
      if (!chunk.toString('latin1').includes('DROP VIEW IF EXISTS')) return;
      viewsDropped += 1;
      if (viewsDropped !== 2) return;
      running.kill?.();
      // What is held up here is not passed on any more when its sender is gone.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    },
  });
  const environment = { DB_PORT: String(proxy.port) };
  const args = ['recover', join('backups', file), '--yes'];
  const { child, ended } = workspace.start(args, environment);
  running.kill = () => child.kill('SIGKILL');
  await ended;
  expect(viewsDropped).toBe(2);
  const struck = await captureState(server, database.name);
  expect(compareStates(after, struck).join('\n')).toMatch(/(first|second)_view/);

  const commands = await followUps(workspace);
  expect(commands).toContainEqual(['recover', `--${direction}`]);
  const finished = await workspace.run(['recover', `--${direction}`, '--yes'], environment);
  expect(finished.code, finished.stderr).toBe(0);
  const wanted = direction === 'resume' ? before : after;
  expect(compareStates(wanted, await captureState(server, database.name))).toEqual([]);
  expect(await followUps(workspace)).toEqual([]);
  await proxy.close();
  await workspace.remove();
  await database.drop();
});
