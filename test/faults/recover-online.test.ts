/**
 * kill -9 in the middle of an online recovery, at the statements that each journalled step consists of:
 * the command that the warning names must end in exactly the old or the new state.
 */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { query, sharedServer } from '../support/servers.js';
import { changeSwappable, createSwappable, sideDatabases } from '../support/swappable.js';
import { startProxy } from './support/proxy.js';

interface Point {
  readonly name: string;
  /** Of the statement; the first one that fits. */
  readonly statement: RegExp;
  /** Before the server gets it, or when it has had time to run it. */
  readonly when: 'before' | 'after';
  readonly then: '--resume' | '--rollback';
}

const POINTS: readonly Point[] = [
  {
    name: 'the copy’s database is made',
    statement: /CREATE DATABASE .*__staging/,
    when: 'after',
    then: '--resume',
  },
  { name: 'the copy is loaded', statement: /INSERT INTO/, when: 'after', then: '--rollback' },
  {
    name: 'the copy is compared',
    statement: /CREATE DATABASE .*__before/,
    when: 'before',
    then: '--resume',
  },
  {
    name: 'the swap is announced',
    statement: /DROP TRIGGER IF EXISTS .*__staging/,
    when: 'after',
    then: '--rollback',
  },
  { name: 'tables are locked', statement: /LOCK TABLES/, when: 'after', then: '--resume' },
  {
    name: 'triggers are dropped',
    statement: /DROP TRIGGER IF EXISTS `swap_[0-9a-f]+`\./,
    when: 'after',
    then: '--rollback',
  },
  { name: 'before the RENAME', statement: /RENAME TABLE/, when: 'before', then: '--resume' },
  { name: 'after the RENAME', statement: /RENAME TABLE/, when: 'after', then: '--rollback' },
  {
    name: 'triggers are made',
    statement: /CREATE .*TRIGGER .*m_between/,
    when: 'after',
    then: '--resume',
  },
  { name: 'locks are let go', statement: /UNLOCK TABLES/, when: 'after', then: '--rollback' },
  {
    name: 'the defaults change',
    statement: /ALTER DATABASE .*latin1/,
    when: 'after',
    then: '--resume',
  },
  {
    name: 'views are dropped',
    statement: /DROP VIEW IF EXISTS .*stars/,
    when: 'after',
    then: '--rollback',
  },
  {
    name: 'events are made',
    statement: /CREATE .*EVENT .*count_up.*ON SCHEDULE/s,
    when: 'before',
    then: '--rollback',
  },
];

/** After these the live database has been swapped in, and the copy alone is left. */
const LATE: Point = {
  name: 'the copy is dropped',
  statement: /DROP DATABASE IF EXISTS .*__staging/,
  when: 'before',
  then: '--resume',
};

interface Scene {
  readonly server: ServerAddress;
  readonly name: string;
  readonly space: Workspace;
  readonly oldState: DatabaseState;
  readonly newState: DatabaseState;
}

async function setScene(flavour: 'mysql' | 'mariadb'): Promise<Scene> {
  const server = await sharedServer(flavour);
  const { name } = await createSwappable(server, flavour);
  const space = await createWorkspace(server, name);
  const newState = await captureState(server, name);
  expect((await space.run(['full'])).code).toBe(0);
  await changeSwappable(server, name);
  return { server, name, space, oldState: await captureState(server, name), newState };
}

const SCENE_TIMEOUT_MS = 240_000;

/** Long enough for a statement on a small database. */
const EXECUTION_MS = 250;

/** Runs `args` through a proxy that kills the process at the first statement that fits. */
async function killedAt(
  { server, space }: Scene,
  args: readonly string[],
  { statement, when }: Pick<Point, 'statement' | 'when'>,
): Promise<CliResult> {
  let kill: (() => void) | undefined;
  let isStalled = false;
  const proxy = await startProxy(server, {
    // Without an answer the process takes no further step before it is killed.
    onDown: () => (isStalled ? new Promise<never>(() => undefined) : undefined),
    onUp: async (chunk) => {
      if (kill === undefined || !statement.test(chunk.toString('latin1'))) return;
      const now = kill;
      kill = undefined;
      if (when === 'before') {
        now();
        await setTimeout(EXECUTION_MS);
        return;
      }
      isStalled = true;
      void setTimeout(EXECUTION_MS).then(now);
    },
  });
  try {
    const { child, ended } = space.start(args, { DB_PORT: String(proxy.port) });
    kill = () => child.kill('SIGKILL');
    return await ended;
  } finally {
    await proxy.close();
  }
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await setScene(flavour);
  }, SCENE_TIMEOUT_MS);

  afterAll(async () => {
    await scene.space.run(['recover', '--finish', '--yes']);
    expect(await sideDatabases(scene.server, scene.name)).toEqual([]);
    await scene.space.remove();
    await query(scene.server, `DROP DATABASE \`${scene.name}\``);
  }, SCENE_TIMEOUT_MS);

  it.each(POINTS)('killed when $name: $then', { timeout: 240_000 }, async (point) => {
    const { server, name, space, oldState, newState } = scene;
    const killed = await killedAt(scene, ['recover', '--online', '--yes'], point);
    expect(killed.signal, killed.stdout + killed.stderr).toBe('SIGKILL');
    expect((await space.run(['list'])).stderr).toContain('--resume');
    const next = await space.run(['recover', point.then, '--yes']);
    expect(next.code, next.stdout + next.stderr).toBe(0);
    const expected = point.then === '--resume' ? newState : oldState;
    expect(compareStates(expected, await captureState(server, name))).toEqual([]);
    if (point.then === '--resume') {
      const undone = await space.run(['recover', '--undo', '--yes']);
      expect(undone.code, undone.stdout + undone.stderr).toBe(0);
      expect(compareStates(oldState, await captureState(server, name))).toEqual([]);
    }
    await space.run(['recover', '--finish', '--yes']);
    expect(await sideDatabases(server, name)).toEqual([]);
  });

  it(
    'killed when it is proven, and again in the middle of its undo',
    { timeout: 240_000 },
    async () => {
      const { server, name, space, oldState, newState } = scene;
      const killed = await killedAt(scene, ['recover', '--online', '--yes'], LATE);
      expect(killed.signal, killed.stdout + killed.stderr).toBe('SIGKILL');
      expect(compareStates(newState, await captureState(server, name))).toEqual([]);
      const points = [
        { statement: /RENAME TABLE/, when: 'after' },
        { statement: /DROP PROCEDURE IF EXISTS/, when: 'after' },
      ] as const;
      let args = ['recover', '--undo', '--yes'];
      for (const point of points) {
        const again = await killedAt(scene, args, point);
        expect(again.signal, again.stdout + again.stderr).toBe('SIGKILL');
        expect((await space.run(['full'])).stderr).toContain('RECOVERY_UNFINISHED');
        args = ['recover', '--rollback', '--yes'];
      }
      const back = await space.run(args);
      expect(back.code, back.stdout + back.stderr).toBe(0);
      expect(compareStates(oldState, await captureState(server, name))).toEqual([]);
    },
  );
});
