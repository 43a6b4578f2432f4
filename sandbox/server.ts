import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandboxError } from './errors.js';
import { ensure, type Flavour, type Installation } from './installation.js';
import { freePort } from './ports.js';
import { silent, type Log } from './run.js';
import { privateServerOptions, type ServerPlace } from './server-options.js';
import { PortTakenError, ServerProcess } from './server-process.js';
import { createDataDirectory } from './template.js';
import { startWatchdog, type Watchdog } from './watchdog.js';

const START_ATTEMPTS_MAX = 5;
const STOP_TIMEOUT_MS = 60_000;

/** Where a server answers, and as whom; all that a client needs. */
export interface ServerAddress {
  readonly flavour: Flavour;
  /** What `SELECT VERSION()` says, e.g. `9.7.4-2` or `10.11.19-MariaDB-0+deb12u1-log`. */
  readonly version: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}

/** A running server of our own. */
export interface PrivateServer extends ServerAddress {
  readonly dataDirectory: string;
  readonly errorLogPath: string;
  /** The id of the running process; the last one while it is down. */
  readonly pid: number;
  /**
   * Sends a signal (default SIGKILL). Resolves when the process is gone for signals that end it,
   * at once for SIGSTOP, SIGCONT, SIGHUP and SIGUSR1.
   */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends the server in order if it runs, and starts it again on the same data, port and socket. */
  restart(options?: readonly string[]): Promise<void>;
  /** Ends the server and removes its data (unless `dataDirectory` was given). May be called twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly flavour: Flavour;
  /** Further server options, e.g. `--innodb-buffer-pool-size=4G`; the last one of a name wins. */
  readonly options?: readonly string[];
  /** A folder of the caller's, kept at the end; initialised where it does not exist yet. */
  readonly dataDirectory?: string;
  readonly log?: Log;
}

/**
 * Starts a private server with a data directory, socket and port of its own. It ends with this
 * process, however that ends; {@link PrivateServer.stop} ends it earlier.
 */
export async function startServer(start: StartOptions): Promise<PrivateServer> {
  const log = start.log ?? silent;
  const installation = await ensure(start.flavour, log);
  const folder = await createServerFolder(start.flavour);
  await mkdir(join(folder, 'tmp'));
  const keep = start.dataDirectory !== undefined;
  const dataDirectory = start.dataDirectory ?? join(folder, 'data');
  const watchdog = startWatchdog(folder, keep ? 'TERM' : 'KILL');
  try {
    if (!existsSync(dataDirectory)) await createDataDirectory(installation, dataDirectory, log);
    return await SandboxServer.start({
      installation,
      folder,
      dataDirectory,
      keep,
      watchdog,
      options: start.options ?? [],
    });
  } catch (error) {
    watchdog.release();
    throw error;
  }
}

/** A short path, as a Unix socket's may have 107 bytes at most. */
async function createServerFolder(flavour: Flavour): Promise<string> {
  const parent = await realpath(tmpdir());
  return mkdtemp(join(parent.length > 60 ? '/tmp' : parent, `reshelve-${flavour}-`));
}

interface Parts {
  readonly installation: Installation;
  readonly folder: string;
  readonly dataDirectory: string;
  readonly keep: boolean;
  readonly watchdog: Watchdog;
  readonly options: readonly string[];
}

class SandboxServer implements PrivateServer {
  readonly host = '127.0.0.1';
  readonly user = 'root';
  readonly flavour: Flavour;
  readonly password = randomBytes(18).toString('base64url');
  readonly dataDirectory: string;
  readonly socketPath: string;
  readonly errorLogPath: string;
  readonly #parts: Parts;
  #options: readonly string[];
  #port = 0;
  #version = '';
  #process: ServerProcess | undefined;
  #stopped = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.flavour = parts.installation.flavour;
    this.dataDirectory = parts.dataDirectory;
    this.socketPath = join(parts.folder, 'socket');
    this.errorLogPath = join(parts.folder, 'error.log');
  }

  static async start(parts: Parts): Promise<SandboxServer> {
    const server = new SandboxServer(parts);
    for (let attempt = 1; ; attempt += 1) {
      server.#port = await freePort();
      try {
        await server.#launch(await server.#writeInitFile());
        return server;
      } catch (error) {
        const again = error instanceof PortTakenError && attempt < START_ATTEMPTS_MAX;
        if (!again) throw error;
      } finally {
        await rm(server.#initFilePath, { force: true });
      }
    }
  }

  get port(): number {
    return this.#port;
  }

  get version(): string {
    return this.#version;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.kill(signal, STOP_TIMEOUT_MS);
  }

  async restart(options?: readonly string[]): Promise<void> {
    if (this.#stopped) throw new SandboxError('expected a server that is not stopped for good');
    await this.kill('SIGTERM');
    this.#options = options ?? this.#options;
    await this.#launch();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    // A data directory that is thrown away need not be left in order.
    await this.kill(this.#parts.keep ? 'SIGTERM' : 'SIGKILL');
    await rm(this.#parts.folder, { recursive: true, force: true, maxRetries: 5 });
    this.#parts.watchdog.release();
  }

  async #launch(initOptions: readonly string[] = []): Promise<void> {
    const place: ServerPlace = {
      dataDirectory: this.dataDirectory,
      socketPath: this.socketPath,
      port: this.#port,
      errorLogPath: this.errorLogPath,
      pidFilePath: join(this.#parts.folder, 'server.pid'),
      temporaryDirectory: join(this.#parts.folder, 'tmp'),
    };
    const { installation, watchdog } = this.#parts;
    const options = privateServerOptions(installation, place);
    const args = [...options, ...initOptions, ...this.#options];
    this.#process = new ServerProcess(installation, args, this.errorLogPath);
    watchdog.watch(this.#process.pid);
    this.#version = await this.#process.ready(this);
  }

  get #initFilePath(): string {
    return join(this.#parts.folder, 'init.sql');
  }

  /** Sets root's password before the server listens, so that it never runs open. */
  async #writeInitFile(): Promise<string[]> {
    const lines = [
      'SET SESSION sql_log_bin = 0;',
      `ALTER USER 'root'@'localhost' IDENTIFIED BY '${this.password}';`,
    ];
    await writeFile(this.#initFilePath, `${lines.join('\n')}\n`, { mode: 0o600 });
    return [`--init-file=${this.#initFilePath}`];
  }
}
