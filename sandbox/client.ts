import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { clientTool, ensure, type ClientTool } from './installation.js';
import { run, silent, type Log, type RunResult } from './run.js';
import type { ServerAddress } from './server.js';

const CLIENT_TIMEOUT_MS = 10 * 60_000;

export interface ClientOptions {
  /** What the program reads on its standard input. */
  readonly input?: Readable | Buffer | string;
  /** The database to use (`mysql`, `mariadb`) or to dump; goes last on the command line. */
  readonly database?: string;
  readonly timeoutMs?: number;
  readonly log?: Log;
}

/**
 * Runs a client program against a server and gives what it printed, whatever its exit code.
 * The `mysql…` programs come from the MySQL installation and the `mariadb…` ones from MariaDB's,
 * whichever flavour the server has.
 *
 * @throws SandboxError where the program cannot be had, started, or does not end in time.
 */
export async function runClient(
  server: ServerAddress,
  tool: ClientTool,
  args: readonly string[],
  options: ClientOptions = {},
): Promise<RunResult> {
  const flavour = tool.startsWith('mariadb') ? 'mariadb' : 'mysql';
  const installation = await ensure(flavour, options.log ?? silent);
  const { command, argsPrefix, env } = clientTool(installation, tool);
  return withOptionFile(server, async (optionFile) => {
    const all = [...argsPrefix, `--defaults-file=${optionFile}`, ...args];
    if (options.database !== undefined) all.push(options.database);
    return run(command, all, {
      env,
      timeoutMs: options.timeoutMs ?? CLIENT_TIMEOUT_MS,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  });
}

/**
 * Gives `use` an option file (for `--defaults-file`) that logs in as root, and removes it after:
 * a password on a command line could be read by every user of the machine.
 */
export async function withOptionFile<Result>(
  server: ServerAddress,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-client-'));
  try {
    const path = join(folder, 'client.cnf');
    const lines = [
      '[client]',
      `host=${server.host}`,
      `port=${server.port}`,
      'protocol=tcp',
      `user=${server.user}`,
      `password=${server.password}`,
    ];
    await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
