/**
 * The demo: a library on a real MySQL server is backed up, goes on changing, is backed up again
 * incrementally, verified, damaged and recovered, and the server's own checksums before and after say
 * whether every table is as it was. The exit code is 0 only then.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import mysql from 'mysql2/promise';
import pc from 'picocolors';
import { SandboxError, startServer, type PrivateServer } from '../sandbox/index.js';
import { EXIT } from '../src/errors.js';
import { abortOnSignals, whileNotAborted } from './interruption.js';
import { LIBRARY_DAY } from './library-day.js';
import { LIBRARY_OBJECTS, loadLibrary } from './library.js';
import {
  PROGRAM,
  createWorkDirectory,
  readReshelve,
  removeWorkDirectory,
  runReshelve,
} from './reshelve.js';
import { differences, formatStates, readState, type DatabaseState } from './state.js';

const DATABASE = 'LibraryDB';

/** A statement that was sent before its WHERE was typed, and a colleague in the wrong terminal. */
const ACCIDENT = [
  "UPDATE MEMBER SET status = 'CLOSED', note = NULL",
  'SET foreign_key_checks = 0',
  'DROP TABLE LOAN',
] as const;

class DemoFailure extends Error {}

async function main(signal: AbortSignal): Promise<number> {
  try {
    await demo(signal);
    return 0;
  } catch (error) {
    if (signal.aborted) {
      console.error('\ninterrupted; the server and the working directory are removed');
      return 130;
    }
    const isKnown = error instanceof DemoFailure || error instanceof SandboxError;
    console.error(`\n${pc.red('demo failed:')} ${isKnown ? error.message : describe(error)}`);
    return 1;
  }
}

async function demo(signal: AbortSignal): Promise<void> {
  console.log(pc.bold('Reshelve demo'));
  console.log('All of it happens on a private MySQL server and in a temporary directory.');
  heading('A private MySQL server');
  const server = await whileNotAborted(startPrivateServer(), signal);
  try {
    console.log(`  MySQL ${server.version} listens on ${server.host}:${server.port}`);
    const directory = await createWorkDirectory(server, DATABASE);
    try {
      await backUpAndRestore(server, directory, signal);
    } finally {
      await removeWorkDirectory(directory);
    }
  } finally {
    await server.stop();
  }
}

function startPrivateServer(): Promise<PrivateServer> {
  return startServer({
    flavour: 'mysql',
    // The library's event must not change rows between the two checksums.
    options: ['--event-scheduler=OFF'],
    log: (line) => {
      console.log(`  ${line}`);
    },
  });
}

async function backUpAndRestore(
  server: PrivateServer,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  heading(`The library: ${DATABASE}`);
  await createLibrary(server, signal);

  heading('A full backup');
  console.log(`  In ${directory}, where a .env file names the database.`);
  console.log(`  reshelve is: ${process.execPath} ${PROGRAM}`);
  await reshelve(directory, ['full'], signal);

  heading('A day at the library');
  await runStatements(server, LIBRARY_DAY);
  const before = await look(server);

  heading('An incremental backup: what has changed since');
  await reshelve(directory, ['incremental'], signal);
  await listBackups(join(directory, 'backups'));

  heading('The proof of both: restored into a test database and compared');
  await reshelve(directory, ['verify'], signal);

  heading('An accident');
  await runStatements(server, ACCIDENT);
  const damaged = await look(server);
  const losses = differences(before, damaged);
  for (const loss of losses) console.log(`  ${pc.red('✗')} ${loss}`);
  if (losses.length === 0) throw new DemoFailure('the accident changed nothing; nothing is shown');

  heading('Nobody notices before the next incremental, which has the accident in it');
  await reshelve(directory, ['incremental'], signal);

  heading('What happened?');
  await reshelve(directory, ['events', '--limit', '4'], signal);

  heading('The recovery, to just before the first of it');
  const recovery = await commandBeforeAccident(directory, signal);
  // With a warning: the copy of the damaged state holds a view whose table is gone.
  await reshelve(directory, [...recovery, '--yes'], signal, EXIT.warnings);

  heading('Before and after, by the server’s own CHECKSUM TABLE');
  const after = await look(server);
  report(before, damaged, after);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`\n${pc.green('✓')} Every table and definition is as before (${seconds} s).`);
}

async function createLibrary(server: PrivateServer, signal: AbortSignal): Promise<void> {
  await runStatements(server, [`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`]);
  const total = await withConnection(server, DATABASE, (connection) =>
    loadLibrary({
      execute: async (sql) => {
        signal.throwIfAborted();
        await connection.query(sql);
      },
      onTable: (table, rows) => {
        console.log(`  ${table.padEnd(12)} ${String(rows).padStart(6)} rows`);
      },
    }),
  );
  console.log(
    `  ${total} rows in all, and ${LIBRARY_OBJECTS.length} views, triggers, routines and events`,
  );
}

async function reshelve(
  directory: string,
  args: readonly string[],
  signal: AbortSignal,
  expected: number = EXIT.done,
): Promise<void> {
  console.log(pc.cyan(`$ reshelve ${args.join(' ')}`));
  const code = await runReshelve(directory, args, signal);
  signal.throwIfAborted();
  if (code === expected) return;
  const what = `reshelve ${args.join(' ')} ended with exit code ${code}`;
  throw new DemoFailure(`${what}, not ${expected}`);
}

/** As `events` prints it with the first of the marked changes. */
async function commandBeforeAccident(directory: string, signal: AbortSignal): Promise<string[]> {
  const document = await readReshelve(directory, ['events', '--limit', '4'], signal);
  const { events } = document as EventsDocument;
  const command = events.find(({ marks }) => marks.length > 0)?.recover.at(-1);
  const [program, ...args] = command?.split(' ') ?? [];
  if (program !== 'reshelve') throw new DemoFailure('no way back was found to before the accident');
  return args;
}

/** What is used of the document of `reshelve events --json`. */
interface EventsDocument {
  readonly events: readonly {
    readonly marks: readonly unknown[];
    readonly recover: readonly string[];
  }[];
}

async function listBackups(directory: string): Promise<void> {
  console.log(pc.cyan('$ ls -lR backups'));
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    const { mode, size } = await stat(join(directory, name));
    console.log(`  0${(mode & 0o777).toString(8)} ${String(size).padStart(10)}  ${name}`);
  }
}

function look(server: PrivateServer): Promise<DatabaseState> {
  return withConnection(server, DATABASE, readState);
}

async function runStatements(server: PrivateServer, statements: readonly string[]): Promise<void> {
  const isNew = statements.some((statement) => statement.startsWith('CREATE DATABASE'));
  await withConnection(server, isNew ? undefined : DATABASE, async (connection) => {
    for (const statement of statements) {
      console.log(pc.cyan(`mysql> ${statement};`));
      await connection.query(statement);
    }
  });
}

async function withConnection<T>(
  server: PrivateServer,
  database: string | undefined,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({
    ...{ host, port, user, password, supportBigNumbers: true, dateStrings: true },
    ...(database === undefined ? {} : { database }),
  });
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

function report(before: DatabaseState, damaged: DatabaseState, after: DatabaseState): void {
  const lines = formatStates([
    { title: 'before', state: before },
    { title: 'after the accident', state: damaged },
    { title: 'after the recovery', state: after },
  ]);
  for (const line of lines) console.log(`  ${line}`);
  console.log('');
  for (const name of before.definitions.keys()) {
    const same = before.definitions.get(name) === after.definitions.get(name);
    console.log(`  ${same ? pc.green('same') : pc.red('OTHER')}  SHOW CREATE ${name}`);
  }
  const left = differences(before, after);
  if (left.length === 0) return;
  throw new DemoFailure(`the recovered database differs:\n  ${left.join('\n  ')}`);
}

let headings = 0;

function heading(text: string): void {
  headings += 1;
  console.log(`\n${pc.bold(`[${headings}] ${text}`)}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

process.exit(await main(abortOnSignals()));
