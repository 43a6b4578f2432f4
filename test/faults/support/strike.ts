/** Strikes a recovery at a chosen step, does what the message then says, and judges the database. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ServerAddress } from '../../../sandbox/index.js';
import type { DatabaseState } from '../../corpus/oracle.js';
import { captureState, compareStates } from '../../corpus/oracle.js';
import type { CliResult, Workspace } from '../../support/cli.js';
import { createWorkspace } from '../../support/cli.js';
import { changeEverything, createRecoverable } from '../../support/recoverable.js';
import type { TestDatabase } from '../../support/servers.js';

/** RESHELVE_SOAK=1: every point on every server; without it a part that a CI run has time for. */
export const SOAK = process.env['RESHELVE_SOAK'] === '1';

export type Side = 'first' | 'second';

/** A database in one of two states, and a backup of each: every recovery goes to the other one. */
export interface Scene {
  readonly server: ServerAddress;
  readonly database: TestDatabase;
  readonly workspace: Workspace;
  readonly files: Readonly<Record<Side, string>>;
  readonly states: Readonly<Record<Side, DatabaseState>>;
  /** A dump whose last statement is wrong. */
  readonly brokenDump: string;
}

export interface Staging {
  /** What comes before the first state is captured. */
  readonly prepare?: (workspace: Workspace, database: string) => Promise<void>;
  /** What comes on top of the changes to the second state. */
  readonly change?: (database: string) => Promise<void>;
}

export async function setScene(server: ServerAddress, staging: Staging = {}): Promise<Scene> {
  const database = await createRecoverable(server);
  const workspace = await createWorkspace(server, database.name, { BACKUP_THREADS: '2' });
  await staging.prepare?.(workspace, database.name);
  const first = await captureState(server, database.name);
  await backUp(workspace);
  await changeEverything(server, database.name);
  await staging.change?.(database.name);
  const second = await captureState(server, database.name);
  // The names of backups tell seconds apart.
  await sleep(1000);
  await backUp(workspace);
  const [firstFile = '', secondFile = ''] = await workspace.finished();
  const brokenDump = join(workspace.directory, 'broken.sql');
  await writeFile(brokenDump, failingDump());
  return {
    server,
    database,
    workspace,
    files: { first: join('backups', firstFile), second: join('backups', secondFile) },
    states: { first, second },
    brokenDump,
  };
}

async function backUp(workspace: Workspace): Promise<void> {
  const { code, stderr } = await workspace.run(['full']);
  expect(code, stderr).toBe(0);
}

/** Many small statements, so that there is time to strike, and then one that no server knows. */
function failingDump(): string {
  const lines = ['CREATE TABLE half (id INT PRIMARY KEY, text VARCHAR(200));'];
  for (let id = 0; id < 400; id += 1) lines.push(`INSERT INTO half VALUES (${id}, 'Row ${id}');`);
  lines.push('INSERT INTO half VALUES (1000 1001);');
  return `${lines.join('\n')}\n`;
}

/** Which of the two states the database is in, by an oracle of its own; fails where it is in neither. */
export async function sideOf(scene: Scene): Promise<Side> {
  const now = await captureState(scene.server, scene.database.name);
  const fromFirst = differences(scene.states.first, now);
  if (fromFirst.length === 0) return 'first';
  const fromSecond = differences(scene.states.second, now);
  if (fromSecond.length === 0) return 'second';
  const fewer = fromFirst.length < fromSecond.length ? fromFirst : fromSecond;
  throw new Error(`expected the first or the second state but found:\n${fewer.join('\n')}`);
}

/**
 * After it was killed, MySQL's information_schema shows counters one lower than they are until a table
 * is used; SHOW CREATE TABLE has them right, and is compared too.
 */
const SHOWN_TOO_LOW = /^table \w+: information_schema AUTO_INCREMENT differs/u;

function differences(expected: DatabaseState, found: DatabaseState): string[] {
  return compareStates(expected, found).filter((difference) => !SHOWN_TOO_LOW.test(difference));
}

export const other = (side: Side): Side => (side === 'first' ? 'second' : 'first');

export interface Running {
  readonly kill: (signal: NodeJS.Signals) => void;
  /** What it has said on stderr so far. */
  readonly said: () => string;
}

export interface Strike {
  /** The step whose record must be in the journal, and how long to wait from then on. */
  readonly step: string;
  readonly delayMs?: number;
  /** What to do then. */
  readonly act: (running: Running) => Promise<void> | void;
  /** Recover from the dump that fails, so that the steps of the rollback come too. */
  readonly failing?: boolean;
  /** Recover from this file. */
  readonly file?: string;
  readonly environment?: Record<string, string>;
  readonly arguments?: readonly string[];
}

/** Starts a recovery to the other state and strikes when its journal has the record of the step. */
export async function recoverAndStrike(
  scene: Scene,
  from: Side,
  strike: Strike,
): Promise<CliResult> {
  const chosen = strike.failing === true ? scene.brokenDump : scene.files[other(from)];
  const file = strike.file ?? chosen;
  const known = new Set(journals(scene.workspace));
  const args = ['recover', file, '--yes', ...(strike.arguments ?? [])];
  const { child, ended } = scene.workspace.start(args, strike.environment);
  let said = '';
  child.stderr?.on('data', (text: string) => (said += text));
  const running = { isOver: false };
  void ended.finally(() => {
    running.isOver = true;
  });
  while (!running.isOver) {
    const path = journals(scene.workspace).find((name) => !known.has(name));
    if (path !== undefined && read(path).includes(`"step":"${strike.step}"`)) {
      if (strike.delayMs !== undefined) await sleep(strike.delayMs);
      await strike.act({ kill: (signal) => child.kill(signal), said: () => said });
      break;
    }
    await sleep(1);
  }
  return ended;
}

export function journals(workspace: Workspace): string[] {
  const folder = join(workspace.backups, 'emergency');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.journal'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The commands that a later start of any command names; none where nothing is left to finish. */
export async function followUps(workspace: Workspace): Promise<string[][]> {
  const { stderr, code } = await workspace.run(['list']);
  expect(code, stderr).toBe(0);
  return [...stderr.matchAll(/`reshelve (recover --\w+)`/g)].map(([, command = '']) =>
    command.split(' '),
  );
}

/** Nothing writes while it is unfinished; after the named command the database is in a state, for good. */
export async function finishAndJudge(
  scene: Scene,
  from: Side,
  direction: 'resume' | 'rollback',
  target: Side,
): Promise<void> {
  const commands = await followUps(scene.workspace);
  if (commands.length > 0) {
    const command = commands.find((words) => words.includes(`--${direction}`));
    expect(command, JSON.stringify(commands)).toBeDefined();
    const { code, stderr, stdout } = await scene.workspace.run([...(command ?? []), '--yes']);
    expect([0, 3, 7], stderr + stdout).toContain(code);
    const side = await sideOf(scene);
    expect(side, stderr + stdout).toBe(direction === 'resume' && code !== 7 ? target : from);
  } else {
    await sideOf(scene);
  }
  expect(await followUps(scene.workspace)).toEqual([]);
}
