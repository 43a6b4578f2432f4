/** Restores every recorded instant, in each of the ways to name it, and says where one came out wrong. */
import { expect } from 'vitest';
import type { PrivateServer } from '../../../sandbox/index.js';
import { NO_TARGET } from '../../../src/operations/load/restore-target.js';
import type { TargetWish } from '../../../src/operations/load/restore-target.js';
import { runRestore } from '../../../src/operations/restore.js';
import { captureState } from '../../corpus/oracle.js';
import { contextOf } from '../capture.js';
import type { Workspace } from '../cli.js';
import { createDatabase, query } from '../servers.js';
import { AdvancingCopy } from './advance.js';
import { compareInstants, withoutEvents } from './instants.js';
import type { Instant } from './instants.js';

/** One instant in so many is restored on its own, in one of the ways; the others on a copy that goes on. */
const ALONE_EVERY = 4;
/** One in so many of those runs as the user's command, the others in this process. */
const BY_COMMAND_EVERY = 3;

interface Way {
  readonly option: string;
  readonly wish: Exclude<keyof TargetWish, 'skipGtids'>;
  readonly valueOf: (instant: Instant) => string | undefined;
}

const WAYS: readonly Way[] = [
  { option: '--to', wish: 'to', valueOf: ({ time }) => time },
  { option: '--to-gtid', wish: 'toGtid', valueOf: ({ gtid }) => gtid },
  { option: '--to-position', wish: 'toPosition', valueOf: ({ position }) => position },
];
const ALL_WAYS: readonly Way[] = [
  ...WAYS,
  { option: '--before-gtid', wish: 'beforeGtid', valueOf: ({ nextGtid }) => nextGtid },
];
export interface RestoreScene {
  readonly server: PrivateServer;
  readonly shop: Workspace;
}

/**
 * Each instant in each of the ways: on a copy that goes from instant to instant, and a share of them
 * by a restore of its own.
 */
export async function restoreInstants(
  scene: RestoreScene,
  instants: readonly Instant[],
): Promise<void> {
  const started = performance.now();
  const byAdvance = await Promise.all(WAYS.map((way) => advanceThrough(scene, way, instants)));
  const alone = await restoreSome(scene, instants);
  const counts = [...byAdvance, alone].map(({ done }) => done).join(' + ');
  const problems = [...byAdvance, alone].flatMap((outcome) => outcome.problems);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `${scene.server.flavour}: ${instants.length} instants, restored ${counts} times in ${seconds} s, ` +
      `${problems.length} differences\n`,
  );
  expect(problems.slice(0, 20)).toEqual([]);
}

async function advanceThrough(
  scene: RestoreScene,
  way: Way,
  instants: readonly Instant[],
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, problems: [] };
  const onward = await createDatabase(scene.server, 'onward');
  const { name } = onward;
  const copy = new AdvancingCopy(scene.shop, name, () => emptied(scene.server, name));
  for (const instant of instants) {
    const value = way.valueOf(instant);
    if (value === undefined) continue;
    try {
      await copy.advance({ ...NO_TARGET, [way.wish]: value });
      const found = withoutEvents(await captureState(scene.server, name));
      const differences = compareInstants(withoutEvents(instant.state), found);
      outcome.problems.push(...differences.map((text) => `on to ${way.option} ${value}: ${text}`));
    } catch (error) {
      outcome.problems.push(`on to ${way.option} ${value}: ${String(error)}`);
      copy.beginAnew();
    }
    outcome.done += 1;
  }
  await onward.drop();
  return outcome;
}

async function restoreSome(scene: RestoreScene, instants: readonly Instant[]): Promise<Outcome> {
  const outcome: Outcome = { done: 0, problems: [] };
  for (const [at, instant] of instants.entries()) {
    if (at % ALONE_EVERY !== 0) continue;
    const turn = at / ALONE_EVERY;
    const way = ALL_WAYS.filter((one) => one.valueOf(instant) !== undefined);
    const chosen = way[turn % way.length];
    if (chosen === undefined) continue;
    const found = await restoreAlone(scene, chosen, instant, turn % BY_COMMAND_EVERY === 0);
    outcome.problems.push(...found.map((text) => `${chosen.option}: ${text}`));
    outcome.done += 1;
  }
  return outcome;
}

async function restoreAlone(
  scene: RestoreScene,
  way: Way,
  instant: Instant,
  byCommand: boolean,
): Promise<string[]> {
  const copy = await createDatabase(scene.server, 'copy');
  const value = way.valueOf(instant) ?? '';
  try {
    if (byCommand) {
      const args = ['restore', way.option, value, '--into', copy.name, '--yes'];
      const run = await scene.shop.run(args);
      if (run.code !== 0) return [run.stderr];
    } else {
      await runRestore(contextOf(scene.shop), {
        into: copy.name,
        tables: [],
        dryRun: false,
        withoutBinlog: true,
        idempotent: false,
        target: { ...NO_TARGET, [way.wish]: value },
        confirm: () => Promise.resolve(),
      });
    }
    return compareInstants(instant.state, await captureState(scene.server, copy.name));
  } catch (error) {
    return [String(error)];
  } finally {
    await copy.drop();
  }
}

interface Outcome {
  done: number;
  readonly problems: string[];
}

async function emptied(server: PrivateServer, database: string): Promise<void> {
  await query(
    server,
    `DROP DATABASE \`${database}\`; CREATE DATABASE \`${database}\` CHARACTER SET utf8mb4`,
  );
}
