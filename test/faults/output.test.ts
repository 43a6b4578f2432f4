/** Nobody reads the output any more, or it cannot be written: what becomes of the run. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { sharedServer } from '../support/servers.js';
import { createLibrary } from './support/library.js';

const PROGRAM = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'src/cli/main.js');

test('a reader that has gone ends no backup', async () => {
  const workspace = await prepare();
  // The reader closes both before the first line is written.
  const ending = await shell(
    workspace,
    `{ sleep 0.2; ${RESHELVE} full 2>&1; echo "$?" >code; } | :`,
  );
  expect(ending).toBe('');
  expect(await shell(workspace, 'cat code')).toBe('0\n');
  expect(await workspace.finished()).toHaveLength(1);
  expect(
    await shell(workspace, `{ ${RESHELVE} list; echo "$?" >code; } 2>errors | :; cat code errors`),
  ).toBe('0\n');
});

test('a document that could not be written is no success', async () => {
  const workspace = await prepare();
  expect((await workspace.run(['full'])).code).toBe(0);
  expect(await shell(workspace, `${RESHELVE} --json list >/dev/full 2>errors; echo $?`)).toBe(
    '1\n',
  );
});

const RESHELVE = `"${process.execPath}" "${PROGRAM}"`;

async function prepare(): Promise<Workspace> {
  const server = await sharedServer('mysql');
  const library = await createLibrary(server, { books: 20 });
  const workspace = await createWorkspace(server, library.name);
  onTestFinished(() => workspace.remove());
  return workspace;
}

/** What the command line prints on stdout. */
function shell(workspace: Workspace, line: string): Promise<string> {
  return new Promise((done, failed) => {
    execFile('sh', ['-c', line], { cwd: workspace.directory }, (error, stdout) => {
      if (error === null) done(stdout);
      else failed(new Error(`expected exit code 0: ${line}`, { cause: error }));
    });
  });
}
