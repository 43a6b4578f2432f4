/**
 * Goal: the scheduler lives under the real PM2 as a user starts it. Method: an application's folder,
 * the guide's own command, a backup at the next minute, and a look at every process afterwards.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { CommandLine, ServerAddress } from '../../sandbox/index.js';
import { ensurePm2 } from '../../sandbox/index.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';
import { commandLines, isRunning } from '../sandbox/processes.js';

const NAME = 'lms-backup-scheduler';
const PROGRAM = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'src/cli/main.js');
/** A slot comes each minute, and a loaded machine takes its time. */
const SLOT_TIMEOUT_MS = 180_000;
const STOP_MS_MAX = 30_000;
const COMMAND_TIMEOUT_MS = 90_000;

it("makes backups under PM2 with the guide's own command, and ends cleanly", async () => {
  const { workspace, home, pm2 } = await prepare();

  start(pm2, workspace);
  await waitForScheduledBackup(workspace);
  const daemon = Number(await readFile(join(home, 'pm2.pid'), 'utf8'));
  const processes = descendantsOf(daemon);
  const told = processes.map((pid) => commandLines().get(pid) ?? '').join('\n');
  expect(told).toContain('main.js schedule');

  const before = performance.now();
  runPm2(pm2, workspace, ['stop', NAME]);
  expect(performance.now() - before).toBeLessThan(STOP_MS_MAX);
  await expectGone(processes, STOP_MS_MAX);
  expect(await logOf(home)).toContain('Scheduler stopped');
  const entries = await workspace.catalog();
  expect(entries.map((entry) => entry.status)).toEqual(entries.map(() => 'success'));
  expect((await readdir(workspace.backups)).filter((name) => /partial|lock/.test(name))).toEqual(
    [],
  );

  runPm2(pm2, workspace, ['kill']);
  await expectGone([daemon], STOP_MS_MAX);
  const left = [...commandLines().values()].filter((line) => line.includes(workspace.directory));
  expect(left).toEqual([]);
}, 500_000);

it('stops in the middle of a backup without a trace, and the next one is made', async () => {
  const { server, database, workspace, home, pm2 } = await prepare();
  const holder = await connectTo(server, database.name);
  onTestFinished(() => holder.end());
  // The backup waits for this table for as long as it takes to be stopped.
  await holder.query('LOCK TABLES BOOK WRITE');
  start(pm2, workspace, ['--kill-timeout', String(STOP_MS_MAX)]);
  await waitForOutput(home, 'Backing up');
  const processes = descendantsOf(Number(await readFile(join(home, 'pm2.pid'), 'utf8')));

  runPm2(pm2, workspace, ['stop', NAME]);
  await expectGone(processes, STOP_MS_MAX);
  expect(await workspace.finished()).toEqual([]);
  expect((await readdir(workspace.backups)).filter((name) => /partial|lock/.test(name))).toEqual(
    [],
  );
  expect(await workspace.catalog()).toMatchObject([
    { type: 'full', status: 'failed', error: { code: 'INTERRUPTED' } },
  ]);
  await holder.query('UNLOCK TABLES');
  const next = await workspace.run(['full']);
  expect(next.code, next.stderr).toBe(0);
}, 500_000);

interface Prepared {
  readonly server: ServerAddress;
  readonly database: TestDatabase;
  readonly workspace: Workspace;
  readonly home: string;
  readonly pm2: CommandLine;
}

/** A small database, an application's folder with the guide's script, and PM2 with a home of its own. */
async function prepare(): Promise<Prepared> {
  const server = await sharedServer('mysql');
  const database = await createDatabase(server, 'pm2');
  await query(
    server,
    'CREATE TABLE BOOK (id INT PRIMARY KEY); INSERT INTO BOOK VALUES (1), (2)',
    database.name,
  );
  const workspace = await createWorkspace(server, database.name, {
    BACKUP_CRON_SCHEDULE: '* * * * *',
  });
  onTestFinished(() => workspace.remove());
  await writeFile(
    join(workspace.directory, 'package.json'),
    JSON.stringify({
      name: 'library',
      private: true,
      scripts: { 'backup:scheduler': `"${process.execPath}" "${PROGRAM}" schedule` },
    }),
  );
  const home = await mkdtemp(join(tmpdir(), 'pm2-'));
  const pm2 = await ensurePm2(home);
  onTestFinished(async () => {
    runPm2(pm2, workspace, ['kill']);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return { server, database, workspace, home, pm2 };
}

async function waitForOutput(home: string, text: string): Promise<void> {
  const deadline = performance.now() + SLOT_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if ((await logOf(home).catch(() => '')).includes(text)) return;
    await delay(200);
  }
  expect.unreachable(`the scheduler never said ${text}`);
}

/** As the guide says, in the application's folder. */
function start(pm2: CommandLine, workspace: Workspace, options: readonly string[] = []): void {
  const npm = ['--', 'run', 'backup:scheduler'];
  runPm2(pm2, workspace, ['start', 'npm', '--name', NAME, ...options, ...npm]);
}

function runPm2(pm2: CommandLine, workspace: Workspace, args: readonly string[]): void {
  const result = spawnSync(pm2.command, [...pm2.argsPrefix, ...args], {
    cwd: workspace.directory,
    env: pm2.env,
    // The daemon inherits what it is given: a pipe would never end.
    stdio: 'ignore',
    timeout: COMMAND_TIMEOUT_MS,
  });
  expect(result.status, `pm2 ${args.join(' ')}`).toBe(0);
}

async function waitForScheduledBackup(workspace: Workspace): Promise<void> {
  const deadline = performance.now() + SLOT_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const entries = await workspace.catalog().catch(() => []);
    if (entries.some((entry) => entry.type === 'full')) {
      expect(entries[0]).toMatchObject({ type: 'full', status: 'success', trigger: 'schedule' });
      return;
    }
    await delay(500);
  }
  expect.unreachable('no backup was recorded');
}

function descendantsOf(root: number): number[] {
  const found = [root];
  for (const pid of found) {
    const path = `/proc/${pid}/task/${pid}/children`;
    found.push(...readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number));
  }
  return found.slice(1);
}

async function expectGone(pids: readonly number[], limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (pids.some(isRunning) && performance.now() < deadline) await delay(100);
  expect(pids.filter(isRunning).map((pid) => commandLines().get(pid))).toEqual([]);
}

/** Everything that the scheduler printed under PM2. */
async function logOf(home: string): Promise<string> {
  return readFile(join(home, 'logs', `${NAME}-out.log`), 'utf8');
}
