/**
 * Goal: a run that may open no more files says so, whatever it was about to open. Method: the limit of
 * the running process is lowered from outside, the first time that it connects and handle by handle,
 * so that Node.js itself has loaded everything and only our own opens fail.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { sharedServer } from '../support/servers.js';
import type { Photograph } from './support/aftermath.js';
import { entriesOf, expectNoSecrets, expectNothingNew, photograph } from './support/aftermath.js';
import { createLibrary } from './support/library.js';
import { startProxy } from './support/proxy.js';

let server: ServerAddress;
let library: TestDatabase;

beforeAll(async () => {
  server = await sharedServer('mysql');
  library = await createLibrary(server, { books: 50 });
});
afterAll(async () => {
  await library.drop();
});

/** A run needs some ten handles more than it has when it first connects. */
const SPARE_HANDLES_MAX = 40;

test.each(['full', 'verify'])(
  '%s without a file handle to spare',
  async (command) => {
    const workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '4' });
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const refused = new Set<string>();
    for (let spare = 0; spare < SPARE_HANDLES_MAX; spare += 1) {
      const before = await photograph(workspace);
      const result = await runWithSpareHandles(workspace, [command], spare);
      await expectNoSecrets(workspace, result, [server.password]);
      if (result.code === 0) break;
      refused.add(await expectFileLimit(workspace, before, result));
    }
    // Which of the opens meets the limit first depends on what else is open at that moment.
    expect(refused).toContain('connect');
    const enough = await workspace.run([command]);
    expect(enough.code, enough.stderr).toBe(0);
  },
  300_000,
);

/** Checks everything that a failure must be; gives what could not be done. */
async function expectFileLimit(
  workspace: Workspace,
  before: Photograph,
  result: CliResult,
): Promise<string> {
  const { stderr } = result;
  expect(result.code, stderr).toBe(1);
  const message = /^error (\w+): cannot (\w+)/m.exec(stderr);
  expect(message?.[1], stderr).toBe('FILE_LIMIT');
  expect(stderr).toMatch(/^next: .*ulimit -n/m);
  await expectNothingNew(workspace, before);
  const last = (await entriesOf(workspace)).at(-1);
  const isRecorded = last?.status === 'failed' && last.error?.code === 'FILE_LIMIT';
  expect(isRecorded || stderr.includes('NOT_RECORDED'), stderr).toBe(true);
  return message?.[2] ?? '';
}

async function runWithSpareHandles(
  workspace: Workspace,
  args: readonly string[],
  spare: number,
): Promise<CliResult> {
  let pid: number | undefined;
  const proxy = await startProxy(server, {
    onDown: () => {
      if (pid === undefined) return;
      const open = readdirSync(`/proc/${pid}/fd`).length;
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${open + spare}`]);
      pid = undefined;
    },
  });
  try {
    const run = workspace.start(args, { DB_PORT: String(proxy.port) });
    pid = run.child.pid;
    return await run.ended;
  } finally {
    await proxy.close();
  }
}
