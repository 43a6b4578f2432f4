/** Runs the built command line as its user would: in a directory of its own with a .env file. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ServerAddress } from '../../sandbox/index.js';

/** The built program; RESHELVE_DIST names another build while developing. */
const PROGRAM = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'src/cli/main.js');
const RUN_TIMEOUT_MS = 300_000;

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workspace {
  readonly directory: string;
  readonly backups: string;
  /** Runs `reshelve …` and waits for its end. */
  run(args: readonly string[], environment?: Record<string, string>): Promise<CliResult>;
  /** Starts `reshelve …`; `ended` settles with its result. */
  start(
    args: readonly string[],
    environment?: Record<string, string>,
  ): { readonly child: ChildProcess; readonly ended: Promise<CliResult> };
  /** Names in `backups` of finished full backups, oldest first. */
  finished(): Promise<string[]>;
  catalog(): Promise<CatalogLine[]>;
  remove(): Promise<void>;
}

export interface CatalogLine {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly trigger: string;
  readonly file: string | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly warnings?: readonly string[];
}

export interface WorkspaceUser {
  readonly user: string;
  readonly password: string;
}

/** `settings` win over the connection to `server`. */
export async function createWorkspace(
  server: Pick<ServerAddress, 'host' | 'port' | 'user' | 'password'>,
  database: string,
  settings: Record<string, string> = {},
): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'reshelve-work-'));
  const backups = join(directory, 'backups');
  const environment = {
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_USER: server.user,
    DB_PASS: server.password,
    DB_NAME: database,
    ...settings,
  };
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`);
  await writeFile(join(directory, '.env'), `${lines.join('\n')}\n`, { mode: 0o600 });
  const start: Workspace['start'] = (args, extra = {}) => startCli(directory, args, extra);
  return {
    directory,
    backups,
    start,
    run: async (args, extra) => start(args, extra).ended,
    finished: async () =>
      (await readdir(backups)).filter((name) => /^[^.].*\.sql\.gz$/.test(name)).sort(),
    catalog: async () =>
      JSON.parse(await readFile(join(backups, 'backup_logs.json'), 'utf8')) as CatalogLine[],
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function quoted(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

function startCli(
  directory: string,
  args: readonly string[],
  extra: Record<string, string>,
): ReturnType<Workspace['start']> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DB|BACKUP|VERIFY)_/.test(name)),
  );
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: directory,
    env: { ...environment, NO_COLOR: '1', ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_TIMEOUT_MS,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<CliResult>((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => {
      done({ code, signal, stdout, stderr });
    });
  });
  return { child, ended };
}
