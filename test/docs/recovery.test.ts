/** docs/RECOVERY.md is true: its commands are run in its order, also those that need no Reshelve. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runClient } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';
import type { Scene } from '../faults/support/strike.js';
import {
  followUps,
  journals,
  other,
  recoverAndStrike,
  setScene,
  sideOf,
} from '../faults/support/strike.js';
import type { CliResult } from '../support/cli.js';
import { query, sharedServer } from '../support/servers.js';
import { codeBlocks, EXAMPLE_FILE, readDocument } from './readme.js';

vi.setConfig({ testTimeout: 300_000 });

const RUNBOOK = readDocument('docs/RECOVERY.md');

let server: ServerAddress;
let scene: Scene;

beforeAll(async () => {
  server = await sharedServer('mysql');
  scene = await setScene(server);
});
afterAll(async () => {
  await scene.workspace.remove();
  await scene.database.drop();
});

/** The lines of all bash blocks, in order. */
const LINES = codeBlocks(RUNBOOK)
  .filter(({ language }) => language === 'bash')
  .flatMap(({ text }) => text.trim().split('\n'));

async function runLine(line: string): Promise<CliResult> {
  const words = line
    .replace('npx reshelve ', '')
    .replace(EXAMPLE_FILE, scene.files.first)
    .split(' ');
  const isAsked = words[0] === 'recover' && !words.includes('--dry-run');
  return scene.workspace.run(isAsked ? [...words, '--yes'] : words);
}

async function interrupt(): Promise<void> {
  await recoverAndStrike(scene, await sideOf(scene), {
    step: 'load',
    act: ({ kill }) => {
      kill('SIGKILL');
    },
  });
}

test('every line of it that calls Reshelve is run here', () => {
  expect(LINES.filter((line) => !line.startsWith('npx reshelve '))).toEqual([]);
  const run = [...BEFORE, ...MISTAKE, ...DURING, ...UNFINISHED, ...AFTER];
  expect(LINES.filter((line) => !run.includes(line))).toEqual([]);
});

const BEFORE = ['npx reshelve list', `npx reshelve recover ${EXAMPLE_FILE} --dry-run`];
const EXAMPLE_GTID = '3e11fa47-71ca-11e1-9e33-c80aa9429562:23';
const EXAMPLE_TIME = '2026-01-02 15:29:00';
const MISTAKE = [
  `npx reshelve events --around '${EXAMPLE_TIME}'`,
  `npx reshelve undo --gtid ${EXAMPLE_GTID} --apply --dry-run`,
  `npx reshelve undo --gtid ${EXAMPLE_GTID} --apply`,
  'npx reshelve incremental',
  `npx reshelve recover --before-gtid ${EXAMPLE_GTID}`,
];
const DURING = ['npx reshelve recover', `npx reshelve recover ${EXAMPLE_FILE}`];
const UNFINISHED = ['npx reshelve recover --resume', 'npx reshelve recover --rollback'];
const AFTER = ['npx reshelve full'];

test.each([...BEFORE, ...DURING, ...AFTER])('%s', async (line) => {
  const { code, stderr } = await runLine(line);
  expect(code, stderr).toBe(0);
});

test('somebody deleted everything: found, taken back, and recovered from', async () => {
  const { name } = scene.database;
  const started = await runLine('npx reshelve full');
  expect(started.code, started.stderr).toBe(0);
  const count = async (): Promise<unknown> =>
    (await query(server, 'SELECT COUNT(*) AS n FROM book', name))[0]?.['n'];
  const [books] = [await count()];
  expect(books).toBeGreaterThan(0);
  await query(server, 'SET foreign_key_checks = 0; DELETE FROM book', name);
  const [clock] = await query(
    server,
    "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:%i:%s') AS now",
  );
  let gtid = '';
  for (const line of MISTAKE) {
    const [, verb = '', ...words] = line.replace('npx ', '').split(/ (?=(?:[^']*'[^']*')*[^']*$)/);
    const real = words.map((word) =>
      word.replace(EXAMPLE_GTID, gtid).replace(`'${EXAMPLE_TIME}'`, `${String(clock?.['now'])}Z`),
    );
    const isAsked = !real.includes('--dry-run') && (verb === 'undo' || verb === 'recover');
    const done = await scene.workspace.run([verb, ...real, ...(isAsked ? ['--yes'] : [])]);
    expect(done.code, done.stderr).toBe(0);
    if (verb === 'events') {
      expect(done.stdout).toContain(
        `MASS DELETE in book: ${String(books)} of ${String(books)} rows`,
      );
      gtid = / reshelve undo --gtid (\S+)/.exec(done.stdout)?.[1] ?? '';
    }
    const isBack = (verb === 'undo' && isAsked) || verb === 'incremental' || verb === 'recover';
    expect(await count()).toBe(isBack ? books : 0);
  }
});

test.each(UNFINISHED)('%s', async (line) => {
  const from = await sideOf(scene);
  await interrupt();
  const { code, stderr } = await runLine(line);
  expect(code, stderr).toBe(0);
  expect(await sideOf(scene)).toBe(line.endsWith('--resume') ? other(from) : from);
});

test('the old state comes back by hand, with the commands that it shows', async () => {
  const from = await sideOf(scene);
  await interrupt();
  const [journal = ''] = journals(scene.workspace).slice(-1);
  const emergency = journal.replace('recovery_', 'pre_restore_').replace('.journal', '.sql.gz');
  const [block] = codeBlocks(RUNBOOK).filter(({ language }) => language === 'sh');
  const [drop = '', create = '', load = '', remove = ''] = block?.text.trim().split('\n') ?? [];
  const sqlOf = (line: string): string =>
    (/-e '(.*)'$/.exec(line)?.[1] ?? '').replace('LibraryDB', scene.database.name);
  for (const line of [drop, create]) {
    const sql = sqlOf(line).replace(/CHARACTER SET .*/, oldDefaults(from));
    const done = await runClient(server, 'mysql', ['-e', sql]);
    expect(done.code, done.stderr).toBe(0);
  }
  expect(load).toContain('--binary-mode');
  const input = createReadStream(emergency).pipe(createGunzip());
  const options = { input, database: scene.database.name };
  const loaded = await runClient(server, 'mysql', ['--binary-mode'], options);
  expect(loaded.code, loaded.stderr).toBe(0);
  expect(remove).toMatch(/^rm backups\/emergency\/recovery_.*\.journal$/);
  await rm(journal);
  expect(await sideOf(scene)).toBe(from);
  expect(await followUps(scene.workspace)).toEqual([]);
});

/** As the scene made them (test/support/recoverable.ts). */
function oldDefaults(side: 'first' | 'second'): string {
  return side === 'first'
    ? 'CHARACTER SET latin1'
    : 'CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';
}
