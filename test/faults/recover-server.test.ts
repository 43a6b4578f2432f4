/**
 * The server is killed and started again, or the connection is cut, at each step of a recovery and of
 * its rollback. It ends in the old or the new state, by itself or by the command that is named.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { startServer } from '../../sandbox/index.js';
import { startProxy } from './support/proxy.js';
import type { Scene } from './support/strike.js';
import { finishAndJudge, other, recoverAndStrike, setScene, sideOf } from './support/strike.js';

/** A killed server may take a while to come back on a loaded machine. */
vi.setConfig({ testTimeout: 300_000 });

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

type Point = readonly [step: string, delayMs: number, failing: boolean];

const KILLS: readonly Point[] = [
  ['emergency', 0, false],
  ['drop', 0, false],
  ['drop', 8, false],
  ['load', 40, false],
  ['load', 120, false],
  ['verify', 10, false],
  ['rollback-load', 60, true],
  ['rollback-verify', 0, true],
];

const CUTS: readonly Point[] = [
  ['begin', 0, false],
  ['emergency', 10, false],
  ['drop', 0, false],
  ['create', 0, false],
  ['load', 25, false],
  ['load', 110, false],
  ['verify', 0, false],
  ['rollback-drop', 0, true],
  ['rollback-load', 40, true],
  ['rollback-verify', 0, true],
];

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

  test.each(KILLS)('server killed at %s + %i ms', async (step, delayMs, failing) => {
    const from = await sideOf(scene);
    const restarted: Promise<void>[] = [];
    const result = await recoverAndStrike(scene, from, {
      step,
      delayMs,
      failing,
      act: async () => {
        await server.kill();
        restarted.push(server.restart());
      },
    });
    await Promise.all(restarted);
    expect([0, 1, 7, 8], result.stderr).toContain(result.code);
    if (result.code === 7 || result.code === 1) expect(await sideOf(scene)).toBe(from);
    await finishAndJudge(scene, from, 'rollback', failing ? from : other(from));
  });

  test.each(CUTS)('connections cut at %s + %i ms', async (step, delayMs, failing) => {
    const from = await sideOf(scene);
    const proxy = await startProxy(server);
    try {
      const result = await recoverAndStrike(scene, from, {
        step,
        delayMs,
        failing,
        environment: { DB_PORT: String(proxy.port) },
        act: () => {
          proxy.cut();
        },
      });
      expect([0, 1, 7, 8], result.stderr).toContain(result.code);
      if (result.code === 7 || result.code === 1) expect(await sideOf(scene)).toBe(from);
      await finishAndJudge(scene, from, 'resume', failing ? from : other(from));
    } finally {
      await proxy.close();
    }
  });
});
