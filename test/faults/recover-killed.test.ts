/**
 * kill -9 of the recovery itself, at each journalled step and at random moments in the load and in the
 * rollback. The command that the next start names must end in the old or the new state, to the letter.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour } from '../../sandbox/index.js';
import { sharedServer } from '../support/servers.js';
import type { Scene } from './support/strike.js';
import {
  finishAndJudge,
  followUps,
  other,
  recoverAndStrike,
  setScene,
  sideOf,
} from './support/strike.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

/** Each step, struck at once and a moment later: before it is taken, and while it is. */
const FORWARD: readonly (readonly [
  step: string,
  delayMs: number,
  direction: 'resume' | 'rollback',
])[] = [
  ['begin', 0, 'resume'],
  ['emergency', 20, 'rollback'],
  ['emergency-ready', 0, 'resume'],
  ['drop', 0, 'rollback'],
  ['drop', 10, 'resume'],
  ['create', 0, 'rollback'],
  ['load', 0, 'resume'],
  ['load', 30, 'rollback'],
  ['load', 90, 'resume'],
  ['load', 150, 'rollback'],
  ['load', 220, 'resume'],
  ['verify', 0, 'rollback'],
  ['verify', 25, 'resume'],
  ['proven', 0, 'resume'],
];

const BACKWARD: typeof FORWARD = [
  ['rollback', 0, 'rollback'],
  ['rollback-drop', 0, 'resume'],
  ['rollback-load', 0, 'rollback'],
  ['rollback-load', 60, 'rollback'],
  ['rollback-load', 140, 'resume'],
  ['rollback-verify', 0, 'rollback'],
];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await setScene(await sharedServer(flavour));
  });
  afterAll(async () => {
    await scene.workspace.remove();
    await scene.database.drop();
  });

  test.each(FORWARD)('killed at %s + %i ms, then --%s', async (step, delayMs, direction) => {
    const from = await sideOf(scene);
    const result = await recoverAndStrike(scene, from, {
      step,
      delayMs,
      act: ({ kill }) => {
        kill('SIGKILL');
      },
    });
    if (result.signal === null) expect(result.code, result.stderr).toBe(0);
    await finishAndJudge(scene, from, direction, other(from));
  });

  test.each(BACKWARD)('killed at %s + %i ms, then --%s', async (step, delayMs, direction) => {
    const from = await sideOf(scene);
    const result = await recoverAndStrike(scene, from, {
      step,
      delayMs,
      failing: true,
      act: ({ kill }) => {
        kill('SIGKILL');
      },
    });
    if (result.signal === null) expect(result.code, result.stderr).toBe(7);
    // The dump fails again, so that both directions end in the old state.
    await finishAndJudge(scene, from, direction, from);
    expect(await sideOf(scene)).toBe(from);
  });

  test('Ctrl-C in the load rolls back, and says so', async () => {
    const from = await sideOf(scene);
    const result = await recoverAndStrike(scene, from, {
      step: 'load',
      delayMs: 30,
      act: ({ kill }) => {
        kill('SIGINT');
      },
    });
    expect(result.code, result.stderr).toBe(7);
    expect(result.stdout).toContain('[ROLLBACK] ✓ Database restored to pre-recovery state');
    expect(await sideOf(scene)).toBe(from);
    expect(await followUps(scene.workspace)).toEqual([]);
  });

  test('while it is unfinished nothing else writes, and everything names the way out', async () => {
    const from = await sideOf(scene);
    await recoverAndStrike(scene, from, {
      step: 'load',
      act: ({ kill }) => {
        kill('SIGKILL');
      },
    });
    for (const args of [['full'], ['restore', '--yes'], ['recover', '--yes']]) {
      const { code, stderr } = await scene.workspace.run(args);
      expect(code, args.join(' ')).toBe(1);
      expect(stderr).toContain('RECOVERY_UNFINISHED');
      expect(stderr).toMatch(/next: .*--resume.*--rollback/);
    }
    await finishAndJudge(scene, from, 'rollback', other(from));
  });
});
