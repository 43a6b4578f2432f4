import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureMariadb } from '../../sandbox/index.js';
import { isRunning } from './processes.js';

/**
 * No server may outlive the process that started it. Method: a real Node.js process starts one
 * and then ends in each way there is, `kill -9` included.
 */
const STARTER = `
import { startServer } from './index.js';
const server = await startServer({ flavour: 'mariadb' });
console.log(JSON.stringify({ pid: server.pid, dataDirectory: server.dataDirectory }));
if (process.argv[2] === 'hang') setInterval(() => {}, 1000);
if (process.argv[2] === 'throw') throw new Error('on purpose');
`;

let folder: string;
beforeAll(async () => {
  await ensureMariadb();
  // Below the repository, so that its packages are found.
  const cache = join(import.meta.dirname, '../../.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, 'orphans-'));
  await transpile(join(import.meta.dirname, '../../sandbox'), folder);
  await writeFile(join(folder, 'starter.js'), STARTER);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('a server ends with %s', async (signal) => {
  const { child, pid, dataDirectory } = await startStarter('hang');
  expect(isRunning(pid)).toBe(true);
  child.kill(signal);
  await expectGone(pid, dataDirectory);
});

test.each(['return', 'throw'])('a server ends when its process ends by %s', async (how) => {
  const { pid, dataDirectory } = await startStarter(how);
  await expectGone(pid, dataDirectory);
});

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly dataDirectory: string;
}

async function startStarter(how: string): Promise<Started> {
  const child = spawn(process.execPath, [join(folder, 'starter.js'), how], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface(child.stdout)) {
    return { child, ...(JSON.parse(line) as Omit<Started, 'child'>) };
  }
  throw new Error('expected a line from the starter but it ended without one');
}

async function expectGone(pid: number, dataDirectory: string): Promise<void> {
  const gone = (): boolean => !isRunning(pid) && !existsSync(dirname(dataDirectory));
  await expect.poll(gone, { timeout: 20_000 }).toBe(true);
}

/** Node.js 20 runs no TypeScript by itself. */
async function transpile(from: string, to: string): Promise<void> {
  for (const file of (await readdir(from)).filter((name) => name.endsWith('.ts'))) {
    const source = await readFile(join(from, file), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    await writeFile(join(to, file.replace(/\.ts$/, '.js')), outputText);
  }
}
