/**
 * The server is killed and started again, or all connections are cut, at the steps of an online recovery
 * and at moments within them. The command that is named then ends in the old or the new state.
 * RESHELVE_SOAK=1 strikes every step on both servers, and some random moments.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { startServer } from '../../sandbox/index.js';
import { sideDatabases } from '../support/swappable.js';
import { startProxy } from './support/proxy.js';
import type { Scene, Side } from './support/strike.js';
import { followUps, other, recoverAndStrike, setScene, sideOf, SOAK } from './support/strike.js';

vi.setConfig({ testTimeout: 300_000 });

type Point = readonly [step: string, delayMs: number, then: 'resume' | 'rollback'];

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

const MANY: readonly Point[] = [
  ['begin', 0, 'resume'],
  ['emergency', 10, 'rollback'],
  ['emergency-ready', 0, 'resume'],
  ['stage', 0, 'rollback'],
  ['stage-load', 0, 'resume'],
  ['stage-load', 60, 'rollback'],
  ['stage-verify', 0, 'resume'],
  ['swap', 0, 'rollback'],
  ['swap', 15, 'resume'],
  ['swap', 40, 'rollback'],
  ['objects', 0, 'resume'],
  ['objects', 20, 'rollback'],
  ['verify', 0, 'resume'],
  ['proven', 0, 'rollback'],
];

function randomPoints(count: number): Point[] {
  return Array.from({ length: count }, (_, at): Point => {
    const delayMs = Math.floor(Math.random() * 1500);
    return ['begin', delayMs, at % 2 === 0 ? 'resume' : 'rollback'];
  });
}

const KILLS: readonly Point[] = SOAK ? [...MANY, ...randomPoints(6)] : [['swap', 0, 'resume']];
const CUTS: readonly Point[] = SOAK ? [...MANY, ...randomPoints(6)] : [['objects', 0, 'rollback']];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: PrivateServer;
  let scene: Scene;

  beforeAll(async () => {
    server = await startServer({ flavour });
    scene = await setScene(server);
  });
  afterAll(async () => {
    await scene.workspace.remove();
    await server.stop();
  });

  /** What a start of any command names is done; then the live database is in one of the two states. */
  async function finishAndJudge(from: Side, then: 'resume' | 'rollback'): Promise<void> {
    const unfinished = (await followUps(scene.workspace)).flat();
    if (unfinished.includes(`--${then}`)) {
      const { code, stderr, stdout } = await scene.workspace.run(['recover', `--${then}`, '--yes']);
      expect([0, 3], stderr + stdout).toContain(code);
      expect(await sideOf(scene), stderr + stdout).toBe(then === 'resume' ? other(from) : from);
    } else {
      await sideOf(scene);
    }
    const kept = (await followUps(scene.workspace)).flat();
    expect(kept).not.toContain('--resume');
    if (kept.includes('--undo')) {
      const undone = await scene.workspace.run(['recover', '--undo', '--yes']);
      expect(undone.code, undone.stderr).toBe(0);
      expect(await sideOf(scene)).toBe(from);
    }
    await scene.workspace.run(['recover', '--finish', '--yes']);
    expect(await sideDatabases(server, scene.database.name)).toEqual([]);
  }

  test.each(KILLS)('server killed at %s + %i ms, then --%s', async (step, delayMs, then) => {
    const from = await sideOf(scene);
    const restarted: Promise<void>[] = [];
    const result = await recoverAndStrike(scene, from, {
      step,
      delayMs,
      arguments: ['--online'],
      act: async () => {
        await server.kill();
        restarted.push(server.restart());
      },
    });
    await Promise.all(restarted);
    expect([0, 1, 3, 7, 8], result.stderr).toContain(result.code);
    if (result.code === 7 || result.code === 1) expect(await sideOf(scene)).toBe(from);
    await finishAndJudge(from, then);
  });

  test.each(CUTS)('connections cut at %s + %i ms, then --%s', async (step, delayMs, then) => {
    const from = await sideOf(scene);
    const proxy = await startProxy(server);
    try {
      const result = await recoverAndStrike(scene, from, {
        step,
        delayMs,
        arguments: ['--online'],
        environment: { DB_PORT: String(proxy.port) },
        act: () => {
          proxy.cut();
        },
      });
      expect([0, 1, 3, 7, 8], result.stderr).toContain(result.code);
      if (result.code === 7 || result.code === 1) expect(await sideOf(scene)).toBe(from);
    } finally {
      await proxy.close();
    }
    await finishAndJudge(from, then);
  });
});
