/**
 * Resident memory of full, verify and restore, for many rows and for huge ones. It must not grow
 * with the number of rows, and stays below a limit.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { whileNotAborted } from '../demo/interruption.js';
import {
  createWorkDirectory,
  plainEnvironment,
  PROGRAM,
  removeWorkDirectory,
} from '../demo/reshelve.js';
import type { PrivateServer } from '../sandbox/index.js';
import { TARGET_DATABASE } from './contenders.js';
import { measure } from './measure.js';
import { connect, openBenchServer, settle } from './server.js';
import { quoteWord } from './shell.js';

const LIMIT_MEGABYTES = 300;
/** The most that the default, which follows the number of cores, ever is. */
const THREADS = 4;
const DATABASE = 'MemoryBench';
const COMMANDS = ['full', 'verify', 'verify --quick', `restore --yes --into ${TARGET_DATABASE}`];

interface Case {
  readonly title: string;
  readonly create: readonly string[];
}

const CASES: readonly Case[] = [
  { title: '100,000 rows', create: manyRows(100_000) },
  { title: '1,000,000 rows', create: manyRows(1_000_000) },
  { title: '5 rows of 20 MB text', create: hugeRows(5, 'LONGTEXT') },
  { title: '25 rows of 20 MB text', create: hugeRows(25, 'LONGTEXT') },
  { title: '25 rows of 20 MB blobs', create: hugeRows(25, 'LONGBLOB') },
];

function manyRows(count: number): string[] {
  return [
    `CREATE TABLE LOAN (
      loan_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, book_id INT UNSIGNED NOT NULL,
      loaned_at DATETIME NOT NULL, note VARCHAR(200) NOT NULL, KEY loan_book (book_id))`,
    `SET SESSION cte_max_recursion_depth = ${count + 1}`,
    `INSERT INTO LOAN (book_id, loaned_at, note)
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})
      SELECT n * 7919 % 100000, '2026-01-02' - INTERVAL n MINUTE, CONCAT('copy ', n, SHA2(n, 256))
      FROM number`,
  ];
}

/** Random enough not to shrink to nothing: 64 different characters each 64. */
function hugeRows(count: number, type: string): string[] {
  const value = 'REPEAT(CONCAT(SHA2(n, 512), TO_BASE64(RANDOM_BYTES(1024))), 14000)';
  return [
    `CREATE TABLE SCAN (scan_id INT UNSIGNED NOT NULL PRIMARY KEY, image ${type} NOT NULL)`,
    ...Array.from(
      { length: count },
      (_, at) =>
        `INSERT INTO SCAN SELECT n, LEFT(${value}, 20000000) FROM (SELECT ${at + 1} AS n) AS one`,
    ),
  ];
}

/** Prints the table; true where every figure is below the limit. */
export async function measureMemory(signal: AbortSignal): Promise<boolean> {
  const server = await whileNotAborted(openBenchServer(undefined, console.log), signal);
  try {
    const settings = { DB_SOCKET: server.socketPath, BACKUP_THREADS: String(THREADS) };
    const directory = await createWorkDirectory(server, DATABASE, settings);
    const connection = await connect(server);
    try {
      console.log(
        `MySQL ${server.version}, Node.js ${process.versions.node}, ${THREADS} threads; peak resident MB`,
      );
      console.log(['', ...COMMANDS.map(shortName)].map((cell) => cell.padEnd(24)).join(''));
      let highest = 0;
      for (const one of CASES) {
        const peaks = await measureCase(one, server, connection, directory, signal);
        highest = Math.max(highest, ...peaks);
        const cells = peaks.map((peak) => peak.toFixed(0));
        console.log([one.title, ...cells].map((cell) => cell.padEnd(24)).join(''));
      }
      console.log(`highest: ${highest.toFixed(0)} MB; limit: ${LIMIT_MEGABYTES} MB`);
      return highest < LIMIT_MEGABYTES;
    } finally {
      connection.destroy();
      await removeWorkDirectory(directory);
    }
  } finally {
    await server.stop();
  }
}

function shortName(command: string): string {
  return command.split(' --yes')[0] ?? command;
}

async function measureCase(
  { create }: Case,
  server: PrivateServer,
  connection: Connection,
  directory: string,
  signal: AbortSignal,
): Promise<number[]> {
  await connection.query(`DROP DATABASE IF EXISTS ${DATABASE}`);
  await connection.query(`CREATE DATABASE ${DATABASE}`);
  await connection.query(`USE ${DATABASE}`);
  for (const statement of create) {
    signal.throwIfAborted();
    await connection.query(statement);
  }
  await rm(join(directory, 'backups'), { recursive: true, force: true });
  const peaks: number[] = [];
  for (const command of COMMANDS) {
    await settle(connection);
    const { peakRssBytes } = await measure({
      script: `exec ${quoteWord(process.execPath)} ${quoteWord(PROGRAM)} ${command}`,
      directory,
      environment: plainEnvironment(),
      serverPid: server.pid,
      signal,
    });
    peaks.push(peakRssBytes / 1e6);
  }
  return peaks;
}
