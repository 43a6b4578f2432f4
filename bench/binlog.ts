/**
 * Incrementals by the binary log side by side with the server's own reader: what it costs to keep a
 * stretch of the log as gzipped SQL, and to run it again on another server.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { whileNotAborted } from '../demo/interruption.js';
import {
  createWorkDirectory,
  plainEnvironment,
  PROGRAM,
  removeWorkDirectory,
} from '../demo/reshelve.js';
import { clientTool, ensureMysql, withOptionFile, type PrivateServer } from '../sandbox/index.js';
import { measure, type Measurement } from './measure.js';
import { connect, openBenchServer, SERVER_OPTIONS } from './server.js';
import { quoteWord, shellCommand } from './shell.js';
import { startServer } from '../sandbox/index.js';

const DATABASE = 'LibraryDB';
const ROUNDS = 2;
const LOG_BYTES_MIN = 300_000_000;
const RSS_LIMIT_MEGABYTES = 200;

interface Bench {
  readonly source: PrivateServer;
  readonly target: PrivateServer;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Prints the comparison; true where the memory stays below its limit. */
export async function benchBinlog(signal: AbortSignal): Promise<boolean> {
  const source = await whileNotAborted(openBenchServer(undefined, console.log), signal);
  const target = await startServer({ flavour: 'mysql', options: SERVER_OPTIONS });
  const connection = await connect(source);
  const directory = await createWorkDirectory(source, DATABASE, { DB_SOCKET: source.socketPath });
  const bench = { source, target, directory, signal };
  try {
    await connection.query(`CREATE DATABASE ${DATABASE}`);
    await createTables(connection);
    await runOurs(bench, 'full');
    await cp(join(directory, 'backups'), join(directory, 'before'), { recursive: true });
    const start = await logPlace(connection);
    await changeRows(connection);
    const logged = (await logBytes(connection, start.file)) - start.position;
    console.log(`${(logged / 1e6).toFixed(0)} MB of log, MySQL ${source.version}`);
    return await withOptionFile(source, (sourceFile) =>
      withOptionFile(target, (targetFile) => takeTurns(bench, { sourceFile, targetFile, start })),
    );
  } finally {
    connection.destroy();
    await removeWorkDirectory(directory);
    await target.stop();
    await source.stop();
  }
}

interface Place {
  readonly file: string;
  readonly position: number;
}

interface Clients {
  readonly sourceFile: string;
  readonly targetFile: string;
  readonly start: Place;
}

async function takeTurns(bench: Bench, clients: Clients): Promise<boolean> {
  const { directory } = bench;
  const installation = await ensureMysql();
  const tool = (name: 'mysqlbinlog' | 'mysql', file: string, args: readonly string[]): string =>
    shellCommand(clientTool(installation, name), [`--defaults-file=${file}`, ...args]);
  const { file, position } = clients.start;
  const reader = tool('mysqlbinlog', clients.sourceFile, [
    '--read-from-remote-server',
    '--to-last-log',
    '--skip-gtids',
    `--database=${DATABASE}`,
    `--start-position=${position}`,
    file,
  ]);
  const client = tool('mysql', clients.targetFile, ['--binary-mode', DATABASE]);
  const ours = `${quoteWord(process.execPath)} ${quoteWord(PROGRAM)} incremental`;
  const table: Row[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await resetBackups(directory);
    table.push(['capture: reshelve incremental', await run(bench, ours)]);
    table.push([
      'capture: mysqlbinlog | gzip -1',
      await run(bench, `${reader} | gzip -1 > peer.gz`),
    ]);
  }
  const increment = 'backups/incremental/*.sql.gz';
  for (let round = 0; round < ROUNDS; round += 1) {
    await prepareTarget(bench.target);
    table.push([
      'replay: gunzip -c FILE | mysql',
      await run(bench, `gunzip -c ${increment} | ${client}`),
    ]);
    await prepareTarget(bench.target);
    table.push(['replay: mysqlbinlog | mysql', await run(bench, `${reader} | ${client}`)]);
  }
  return report(table);
}

type Row = [name: string, measured: Measurement];

function report(rows: readonly Row[]): boolean {
  const best = new Map<string, number>();
  let ourPeak = 0;
  for (const [name, { wallSeconds, clientCpuSeconds, peakRssBytes }] of rows) {
    console.log(
      `${name.padEnd(34)}${wallSeconds.toFixed(2)} s, client CPU ${clientCpuSeconds.toFixed(2)} s, ` +
        `peak ${(peakRssBytes / 1e6).toFixed(0)} MB`,
    );
    best.set(name, Math.min(best.get(name) ?? Infinity, wallSeconds));
    if (name.includes('reshelve')) ourPeak = Math.max(ourPeak, peakRssBytes / 1e6);
  }
  const [ours = 0, reader = 0, replay = 0, piped = 0] = [...best.values()];
  console.log(`capture: ${(reader / ours).toFixed(2)} times as fast as mysqlbinlog | gzip -1`);
  console.log(`replay:  ${(piped / replay).toFixed(2)} times as fast as mysqlbinlog | mysql`);
  console.log(`capture's memory: ${ourPeak.toFixed(0)} MB; limit: ${RSS_LIMIT_MEGABYTES} MB`);
  return ourPeak < RSS_LIMIT_MEGABYTES;
}

function run({ directory, source, signal }: Bench, script: string): Promise<Measurement> {
  const environment = plainEnvironment();
  return measure({ script, directory, environment, serverPid: source.pid, signal });
}

async function runOurs(bench: Bench, verb: string): Promise<void> {
  await run(bench, `${quoteWord(process.execPath)} ${quoteWord(PROGRAM)} ${verb}`);
}

/** Back to the full backup alone, so that each capture reads the same stretch. */
async function resetBackups(directory: string): Promise<void> {
  await rm(join(directory, 'backups'), { recursive: true, force: true });
  await cp(join(directory, 'before'), join(directory, 'backups'), { recursive: true });
}

async function prepareTarget(target: PrivateServer): Promise<void> {
  const connection = await connect(target);
  try {
    await connection.query(`DROP DATABASE IF EXISTS ${DATABASE}`);
    await connection.query(`CREATE DATABASE ${DATABASE}`);
    await createTables(connection);
  } finally {
    connection.destroy();
  }
}

async function createTables(connection: Connection): Promise<void> {
  await connection.query(`USE ${DATABASE}`);
  await connection.query(`CREATE TABLE LOAN (
    loan_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, book_id INT UNSIGNED NOT NULL,
    loaned_at DATETIME NOT NULL, note VARCHAR(300) NOT NULL, KEY loan_book (book_id))`);
}

const ROWS_PER_STATEMENT = 2000;
const NUMBERS = `WITH RECURSIVE number (n) AS
  (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${ROWS_PER_STATEMENT})`;

/** Inserts and updates of middle-sized transactions until the log is long enough. */
async function changeRows(connection: Connection): Promise<void> {
  await connection.query(`SET SESSION cte_max_recursion_depth = ${ROWS_PER_STATEMENT + 1}`);
  const start = await logPlace(connection);
  for (let round = 0; ; round += 1) {
    await connection.query(`INSERT INTO LOAN (book_id, loaned_at, note) ${NUMBERS}
      SELECT n * 7919 % 100000, '2026-01-02' - INTERVAL n MINUTE, CONCAT('copy ', n, SHA2(n + ${round}, 256),
        SHA2(n * ${round + 3}, 512)) FROM number`);
    if (round % 4 === 3) {
      const from = (round - 1) * ROWS_PER_STATEMENT;
      await connection.query(`UPDATE LOAN SET loaned_at = '2026-02-03', note = CONCAT(note, '!')
        WHERE loan_id BETWEEN ${from} AND ${from + ROWS_PER_STATEMENT}`);
    }
    if (round % 20 !== 19) continue;
    if ((await logBytes(connection, start.file)) - start.position > LOG_BYTES_MIN) return;
  }
}

async function logPlace(connection: Connection): Promise<Place> {
  const [[status]] = await connection.query<RowDataPacket[]>('SHOW BINARY LOG STATUS');
  return { file: String(status?.['File']), position: Number(status?.['Position']) };
}

/** Of all files from `first` on. */
async function logBytes(connection: Connection, first: string): Promise<number> {
  const [files] = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS');
  return files
    .filter((file) => String(file['Log_name']) >= first)
    .reduce((bytes, file) => bytes + Number(file['File_size']), 0);
}
