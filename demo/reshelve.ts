/** Runs the built command line the way its user does: in a directory with a .env file. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerAddress } from '../sandbox/index.js';

/** This file runs from dist/demo/, beside dist/src/. */
export const PROGRAM = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** A directory with a .env file for a database of this server. */
export async function createWorkDirectory(
  server: ServerAddress,
  database: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reshelve-demo-'));
  const all = {
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_USER: server.user,
    DB_PASS: server.password,
    DB_NAME: database,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(directory, '.env'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return directory;
}

export async function removeWorkDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** This process's environment without settings of Reshelve: they would win over the .env file. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const isSetting = /^(?:DB|BACKUP|VERIFY)_/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting.test(name)));
}

/**
 * Runs `reshelve ARGS` with its output going to ours, and gives its exit code; 130 where a signal
 * ended it. An abort is handed on as a SIGINT, and the program is waited for: it cleans up.
 */
export function runReshelve(
  directory: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: directory,
      env: plainEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit'],
      // Its own process group, so that a Ctrl-C reaches it once, from here, and not twice.
      detached: true,
    });
    const interrupt = (): void => {
      child.kill('SIGINT');
    };
    signal.addEventListener('abort', interrupt, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', interrupt);
      resolve(code ?? 130);
    });
  });
}

/** Runs `reshelve ARGS --json` and gives its document. Throws where it ends with another code than 0. */
export async function readReshelve(
  directory: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args, '--json'], {
    ...{ cwd: directory, env: plainEnvironment(), signal, maxBuffer: OUTPUT_BYTES_MAX },
  });
  return JSON.parse(stdout);
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
