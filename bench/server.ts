/** The private server of the bench: how it is set, what it holds, and peace between two runs. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { startServer, type PrivateServer } from '../sandbox/index.js';
import { SOURCE_DATABASE, TARGET_DATABASE } from './contenders.js';
import { generateDatabase } from './generate.js';

/** What matters for speed; the rest is as MySQL sets it, the durability of each commit included. */
export const SERVER_OPTIONS = [
  '--innodb-buffer-pool-size=2G',
  '--innodb-redo-log-capacity=2G',
  '--event-scheduler=OFF',
] as const;

const QUIET_TIMEOUT_MS = 60_000;
const QUIET_POLL_MS = 250;
const QUIET_DIRTY_PAGES = 200;

export interface Dataset {
  readonly tables: number;
  readonly rows: number;
  readonly dataBytes: number;
  readonly indexBytes: number;
}

export async function openBenchServer(
  dataDirectory: string | undefined,
  log: (line: string) => void,
): Promise<PrivateServer> {
  const isKept = dataDirectory !== undefined;
  if (isKept && existsSync(dataDirectory)) log(`using the data in ${dataDirectory} again`);
  return startServer({
    flavour: 'mysql',
    options: SERVER_OPTIONS,
    ...(isKept ? { dataDirectory } : {}),
    log,
  });
}

export function connect(server: PrivateServer): Promise<Connection> {
  const { socketPath, user, password } = server;
  return mysql.createConnection({ socketPath, user, password, supportBigNumbers: true });
}

/** Generates the source database where it is not there yet. */
export async function prepareDataset(
  connection: Connection,
  gigabytes: number,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<Dataset> {
  const [found] = await rowsOf(connection, `SHOW DATABASES LIKE '${SOURCE_DATABASE}'`);
  if (found === undefined) {
    await connection.query(`CREATE DATABASE ${SOURCE_DATABASE} CHARACTER SET utf8mb4`);
    await connection.query(`USE ${SOURCE_DATABASE}`);
    await generateDatabase({ connection, gigabytes, signal, log });
  }
  const tables = await rowsOf(
    connection,
    `SELECT TABLE_NAME AS name, DATA_LENGTH AS data, INDEX_LENGTH AS indexes
     FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = '${SOURCE_DATABASE}' AND TABLE_TYPE = 'BASE TABLE'`,
  );
  let rows = 0;
  for (const { name } of tables) {
    const [row] = await rowsOf(
      connection,
      `SELECT COUNT(*) AS count FROM ${SOURCE_DATABASE}.${String(name)}`,
    );
    rows += Number(row?.['count']);
  }
  const sum = (column: string): number =>
    tables.reduce((total, table) => total + Number(table[column]), 0);
  return { tables: tables.length, rows, dataBytes: sum('data'), indexBytes: sum('indexes') };
}

/** Drops the last run's target, and waits until the server has written what it left behind. */
export async function settle(connection: Connection): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${TARGET_DATABASE}`);
  const logs = await rowsOf(connection, 'SHOW BINARY LOGS');
  const newest = logs.at(-1)?.['Log_name'];
  if (typeof newest === 'string') await connection.query(`PURGE BINARY LOGS TO '${newest}'`);
  await connection.query('FLUSH BINARY LOGS');
  await connection.query('SET GLOBAL innodb_max_dirty_pages_pct = 0, innodb_io_capacity = 4000');
  const deadline = Date.now() + QUIET_TIMEOUT_MS;
  while (Date.now() < deadline && (await dirtyPages(connection)) > QUIET_DIRTY_PAGES) {
    await delay(QUIET_POLL_MS);
  }
  await connection.query(
    'SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, innodb_io_capacity = DEFAULT',
  );
}

async function dirtyPages(connection: Connection): Promise<number> {
  const [row] = await rowsOf(
    connection,
    "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'",
  );
  return Number(row?.['Value']);
}

/** CHECKSUM TABLE of each table. */
export async function checksums(
  connection: Connection,
  database: string,
): Promise<Map<string, string>> {
  const tables = await rowsOf(
    connection,
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = '${database}' AND TABLE_TYPE = 'BASE TABLE'`,
  );
  const sums = new Map<string, string>();
  for (const { name } of tables) {
    const [row] = await rowsOf(connection, `CHECKSUM TABLE ${database}.${String(name)}`);
    sums.set(String(name), String(row?.['Checksum']));
  }
  return sums;
}

async function rowsOf(
  connection: Connection,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows;
}
