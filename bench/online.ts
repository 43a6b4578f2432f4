/**
 * How long the readers and writers of a database are held up by `recover --online`: clients that do one
 * point SELECT or INSERT after the other all the while, beside the loading and through the swap.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import mysql, { type Connection } from 'mysql2/promise';
import {
  createWorkDirectory,
  plainEnvironment,
  PROGRAM,
  removeWorkDirectory,
} from '../demo/reshelve.js';
import { startServer, type Flavour, type PrivateServer } from '../sandbox/index.js';
import { SERVER_OPTIONS } from './server.js';

const DATABASE = 'LibraryDB';
const TABLES = 40;
/** Each is dropped and made again while the tables are locked. */
const TRIGGERS_PER_TABLE = [0, 2] as const;
const ROWS_PER_TABLE = 5000;
const CLIENTS = 4;
const ROUNDS = 3;
const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];
/** What an application shows its users without their noticing. */
const STALL_LIMIT_MS = 1000;

/** Prints the figures; true where no statement was held up for longer than the limit, and none failed. */
export async function benchOnline(signal: AbortSignal): Promise<boolean> {
  let isWithin = true;
  for (const flavour of FLAVOURS) {
    const options = flavour === 'mysql' ? SERVER_OPTIONS : [];
    const server = await startServer({ flavour, options, log: console.log });
    try {
      for (const triggers of TRIGGERS_PER_TABLE) {
        isWithin = (await benchServer(server, triggers, signal)) && isWithin;
      }
    } finally {
      await server.stop();
    }
  }
  return isWithin;
}

async function benchServer(
  server: PrivateServer,
  triggers: number,
  signal: AbortSignal,
): Promise<boolean> {
  const directory = await createWorkDirectory(server, DATABASE);
  let isWithin = true;
  try {
    await fill(server, triggers);
    await reshelve(directory, ['full']);
    console.log(
      `${server.flavour} ${server.version}: ${TABLES} tables of ${ROWS_PER_TABLE} rows with ${triggers} triggers each, ` +
        `${CLIENTS} readers and ${CLIENTS} writers`,
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      signal.throwIfAborted();
      isWithin = (await benchRound(server, directory)) && isWithin;
    }
  } finally {
    await removeWorkDirectory(directory);
  }
  return isWithin;
}

async function benchRound(server: PrivateServer, directory: string): Promise<boolean> {
  const clients = [
    ...Array.from({ length: CLIENTS }, () => new Client(server, readOne)),
    ...Array.from({ length: CLIENTS }, () => new Client(server, writeOne)),
  ];
  const running = clients.map((client) => client.run());
  await delay(1000);
  const usual = clients.map((client) => client.takeWorst());
  const said = await reshelve(directory, ['recover', '--online', '--yes']);
  await delay(500);
  const held = clients.map((client) => client.takeWorst());
  for (const client of clients) client.stop();
  await Promise.all(running);
  await reshelve(directory, ['recover', '--finish', '--yes']);
  const ofReaders = (values: readonly number[]): number => Math.max(...values.slice(0, CLIENTS));
  const ofWriters = (values: readonly number[]): number => Math.max(...values.slice(CLIENTS));
  const failures = clients.reduce((sum, { failed }) => sum + failed.length, 0);
  const [, reported = '?'] = /held up for (\d+) ms/.exec(said) ?? [];
  console.log(
    `  longest statement: readers ${ms(ofReaders(held))} (usually ${ms(ofReaders(usual))}), ` +
      `writers ${ms(ofWriters(held))} (usually ${ms(ofWriters(usual))}); the swap says ${reported} ms; ` +
      `${failures} statements failed${clients.find(({ failed }) => failed.length > 0)?.failed[0] ?? ''}`,
  );
  return failures === 0 && Math.max(...held) <= STALL_LIMIT_MS;
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;

type Statement = (connection: Connection, count: number) => Promise<unknown>;

/** One statement after the other on a connection of its own. */
class Client {
  readonly failed: string[] = [];
  readonly #server: PrivateServer;
  readonly #statement: Statement;
  #worstMs = 0;
  #isOver = false;

  constructor(server: PrivateServer, statement: Statement) {
    this.#server = server;
    this.#statement = statement;
  }

  async run(): Promise<void> {
    const { socketPath, user, password } = this.#server;
    const connection = await mysql.createConnection({ socketPath, user, password });
    await connection.query(`USE ${DATABASE}`);
    for (let count = 0; !this.#isOver; count += 1) {
      const startedMs = performance.now();
      try {
        await this.#statement(connection, count);
      } catch (error) {
        this.failed.push(error instanceof Error ? `: ${error.message}` : String(error));
      }
      this.#worstMs = Math.max(this.#worstMs, performance.now() - startedMs);
      await delay(2);
    }
    await connection.end();
  }

  /** Since it was asked last. */
  takeWorst(): number {
    const worst = this.#worstMs;
    this.#worstMs = 0;
    return worst;
  }

  stop(): void {
    this.#isOver = true;
  }
}

function readOne(connection: Connection, count: number): Promise<unknown> {
  const id = 1 + ((count * 7919) % ROWS_PER_TABLE);
  return connection.query(`SELECT title FROM t${count % TABLES} WHERE id = ${id}`);
}

function writeOne(connection: Connection, count: number): Promise<unknown> {
  return connection.query(`INSERT INTO t${count % TABLES} (title) VALUES ('written ${count}')`);
}

async function fill(server: PrivateServer, triggers: number): Promise<void> {
  const { socketPath, user, password } = server;
  const connection = await mysql.createConnection({ socketPath, user, password });
  await connection.query(`DROP DATABASE IF EXISTS ${DATABASE}`);
  await connection.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  await connection.query(`USE ${DATABASE}`);
  await connection.query(
    server.flavour === 'mysql'
      ? `SET SESSION cte_max_recursion_depth = ${ROWS_PER_TABLE + 1}`
      : `SET SESSION max_recursive_iterations = ${ROWS_PER_TABLE + 1}`,
  );
  await connection.query('CREATE TABLE audit (id BIGINT AUTO_INCREMENT PRIMARY KEY, what INT)');
  for (let at = 0; at < TABLES; at += 1) {
    await connection.query(
      `CREATE TABLE t${at} (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(200), seen INT DEFAULT 0, KEY (title))`,
    );
    await connection.query(
      `INSERT INTO t${at} (title) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
       WHERE i < ${ROWS_PER_TABLE}) SELECT CONCAT('Title ', i, SHA2(i, 256)) FROM n`,
    );
    const made = [
      `CREATE TRIGGER b${at} BEFORE INSERT ON t${at} FOR EACH ROW SET NEW.seen = 1`,
      `CREATE TRIGGER a${at} AFTER INSERT ON t${at} FOR EACH ROW INSERT INTO audit (what) VALUES (${at})`,
    ];
    for (const trigger of made.slice(0, triggers)) await connection.query(trigger);
  }
  await connection.end();
}

/** Gives what it printed. */
function reshelve(directory: string, args: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: directory,
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', failed);
    child.once('close', (code) => {
      if (code === 0 || code === 3) done(said);
      else
        failed(new Error(`reshelve ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${said}`));
    });
  });
}
