import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { SandboxError, systemErrorCode } from './errors.js';
import type { Installation } from './installation.js';
import { lastLines } from './run.js';

const READY_TIMEOUT_MS = 180_000;
const POLL_MS = 40;

/** Another process listens on the port that was free a moment ago. */
export class PortTakenError extends SandboxError {}

const NOT_ENDING: ReadonlySet<string> = new Set(['SIGSTOP', 'SIGCONT', 'SIGHUP', 'SIGUSR1']);

/** One run of a server program, from its start to its end. */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #errorLogPath: string;
  readonly #ended: Promise<void>;
  #running = true;

  constructor(installation: Installation, args: readonly string[], errorLogPath: string) {
    const { command, argsPrefix, env } = installation.server;
    this.#errorLogPath = errorLogPath;
    // What it says before it opens its own log (an unknown option, say) belongs there too.
    const output = openSync(errorLogPath, 'a', 0o600);
    try {
      // Its own process group: a Ctrl-C at the terminal is for us, and we end the server.
      this.#child = spawn(command, [...argsPrefix, ...args], {
        env,
        detached: true,
        cwd: '/',
        stdio: ['ignore', output, output],
      });
    } finally {
      closeSync(output);
    }
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false;
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', end);
    });
    // Neither keeps this process alive; the watchdog ends the server after us.
    this.#child.unref();
    this.pid = this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Waits until the server answers over TCP with this password, and gives its version. */
  async ready(address: Login): Promise<string> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    let last: unknown;
    while (Date.now() < deadline) {
      if (!this.#running) throw await this.#startFailure();
      try {
        return await askVersion(address);
      } catch (error) {
        last = error;
        if (systemErrorCode(error) === 'ER_ACCESS_DENIED_ERROR') {
          // Whoever answers there is not ours: our server sets the password before it listens.
          await this.kill('SIGKILL', 10_000);
          throw new PortTakenError(`port ${address.port} belongs to another server`);
        }
      }
      await delay(POLL_MS);
    }
    await this.kill('SIGKILL', 10_000);
    const failure = await this.#startFailure();
    throw new SandboxError(failure.message, { cause: last });
  }

  async kill(signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
    if (!this.#running) return;
    this.#child.kill(signal);
    if (NOT_ENDING.has(signal)) return;
    if (await this.#endsWithin(timeoutMs)) return;
    this.#child.kill('SIGKILL');
    if (!(await this.#endsWithin(10_000))) {
      throw new SandboxError(`expected server process ${this.pid} to end but it is still there`);
    }
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    const timer = new AbortController();
    const late = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
    const done = await Promise.race([this.#ended.then(() => true), late]);
    timer.abort();
    return done;
  }

  async #startFailure(): Promise<SandboxError> {
    const text = await readFile(this.#errorLogPath, 'utf8').catch(() => '');
    const message = `the server did not start; its log ends: ${lastLines(text, 15)}`;
    const taken = /Address already in use|Can't start server: Bind on TCP/.test(text);
    return taken ? new PortTakenError(message) : new SandboxError(message);
  }
}

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

async function askVersion(login: Login): Promise<string> {
  const { host, port, user, password } = login;
  const connection = await mysql.createConnection({
    host,
    port,
    user,
    password,
    connectTimeout: 5000,
  });
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
    return String(rows[0]?.['version']);
  } finally {
    connection.destroy();
  }
}
