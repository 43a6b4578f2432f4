/** The run itself: the data, then the rounds of backups, then those of restores. */
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { whileNotAborted } from '../demo/interruption.js';
import { createWorkDirectory, plainEnvironment, removeWorkDirectory } from '../demo/reshelve.js';
import type { PrivateServer } from '../sandbox/index.js';
import { TOOL_VERSION } from '../src/version.js';
import {
  prepareContenders,
  SOURCE_DATABASE,
  TARGET_DATABASE,
  type Contender,
} from './contenders.js';
import type { BenchOptions } from './options.js';
import {
  describeMachine,
  formatSummaries,
  summarize,
  type Machine,
  type Part,
  type Result,
  type Summary,
} from './report.js';
import {
  checksums,
  connect,
  openBenchServer,
  prepareDataset,
  SERVER_OPTIONS,
  settle,
  type Dataset,
} from './server.js';
import { takeTurns, type TurnsRequest } from './turns.js';

export interface BenchReport {
  readonly tool: string;
  readonly date: string;
  readonly machine: Machine;
  readonly server: { readonly version: string; readonly options: readonly string[] };
  readonly dataset: Dataset;
  readonly results: readonly Summary[];
  readonly notes: readonly string[];
}

interface Bench {
  readonly server: PrivateServer;
  readonly connection: Connection;
  readonly directory: string;
  readonly options: BenchOptions;
  readonly signal: AbortSignal;
}

/** Runs all of it and prints the tables as it goes. */
export async function runBench(options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const server = await whileNotAborted(openBenchServer(options.dataDirectory, log), signal);
  try {
    const settings = { DB_SOCKET: server.socketPath };
    const directory = await createWorkDirectory(server, SOURCE_DATABASE, settings);
    const connection = await connect(server);
    try {
      return await compareAll({ server, connection, directory, options, signal });
    } finally {
      connection.destroy();
      await removeWorkDirectory(directory);
    }
  } finally {
    await server.stop();
  }
}

async function compareAll(bench: Bench): Promise<BenchReport> {
  const { server, connection, options, signal } = bench;
  const { gigabytes, rounds, parts, peers } = options;
  const dataset = await prepareDataset(connection, gigabytes, signal, log);
  const machine = describeMachine();
  const optionFile = await writeOptionFile(bench);
  const cores = availableParallelism();
  const contenders = await prepareContenders({ server, optionFile, peers, cores, log });
  for (const line of describeSetting(machine, server, dataset)) log(line);
  const isRead = ({ output }: Contender): boolean =>
    contenders.restores.some((restore) => restore.output === output);
  const backups = parts.includes('backup')
    ? await compareBackups(bench, contenders.backups, rounds)
    : await compareBackups(bench, contenders.backups.filter(isRead), 1);
  const restores = parts.includes('restore')
    ? await compareRestores(bench, contenders.restores, rounds)
    : [];
  for (const note of contenders.notes) console.log(note);
  return {
    tool: `reshelve ${TOOL_VERSION}`,
    date: new Date().toISOString(),
    machine,
    server: { version: server.version, options: SERVER_OPTIONS },
    dataset,
    results: summarize([...backups, ...restores]),
    notes: contenders.notes,
  };
}

async function compareBackups(
  bench: Bench,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Result[]> {
  const results = await takeTurns({
    ...commonRequest(bench, 'backup', contenders, rounds),
    before: async ({ output }) => {
      await rm(join(bench.directory, output), { recursive: true, force: true });
      await settle(bench.connection);
    },
    after: () => Promise.resolve(undefined),
  });
  print('backup', results);
  return results;
}

/** After each contender's first run, the restored rows are compared with the source's. */
async function compareRestores(
  bench: Bench,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Result[]> {
  const { connection } = bench;
  const expected = await checksums(connection, SOURCE_DATABASE);
  const compared = new Set<string>();
  const results = await takeTurns({
    ...commonRequest(bench, 'restore', contenders, rounds),
    before: async ({ isOurs }) => {
      await settle(connection);
      if (isOurs) return;
      await connection.query(`CREATE DATABASE ${TARGET_DATABASE} CHARACTER SET utf8mb4`);
    },
    after: async ({ name }) => {
      if (compared.has(name)) return undefined;
      compared.add(name);
      const found = await checksums(connection, TARGET_DATABASE);
      const other = [...expected].filter(([table, sum]) => found.get(table) !== sum);
      if (other.length === 0) return undefined;
      return `the restored rows differ in ${other.map(([table]) => table).join(', ')}`;
    },
  });
  await settle(connection);
  print('restore', results);
  return results;
}

function commonRequest(
  bench: Bench,
  part: Part,
  contenders: readonly Contender[],
  rounds: number,
): Omit<TurnsRequest, 'before' | 'after'> {
  return {
    part,
    contenders,
    rounds,
    directory: bench.directory,
    environment: plainEnvironment(),
    serverPid: bench.server.pid,
    signal: bench.signal,
    log,
    outputBytes: ({ output }) => bytesOf(join(bench.directory, output)),
  };
}

/** A login by the Unix socket for all clients alike, in a file that only we may read. */
async function writeOptionFile(bench: Bench): Promise<string> {
  const { user, password, socketPath } = bench.server;
  const path = join(bench.directory, 'client.cnf');
  const lines = ['[client]', `user=${user}`, `password=${password}`, `socket=${socketPath}`];
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

function describeSetting(machine: Machine, server: PrivateServer, dataset: Dataset): string[] {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGigabytes} GB, Node.js ${machine.node}`,
    `MySQL ${server.version} with ${SERVER_OPTIONS.join(' ')}, otherwise as it comes`,
    `${dataset.tables} tables, ${dataset.rows} rows, ${megabytes(dataset.dataBytes)} of data, ` +
      `${megabytes(dataset.indexBytes)} of indexes`,
    'all by the Unix socket; client and server share the machine; binary log on for backup and restore',
  ];
}

function print(part: Part, results: readonly Result[]): void {
  console.log(`\n${part} (medians; ratios to the first line)`);
  for (const line of formatSummaries(summarize(results))) console.log(line);
}

/** Of a file, or of all backups and files in a folder. */
async function bytesOf(path: string): Promise<number> {
  const { size } = await stat(path);
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return size;
  let total = 0;
  for (const entry of entries) {
    if (entry.isFile()) total += (await stat(join(path, entry.name))).size;
  }
  return total;
}

function log(line: string): void {
  console.log(line);
}
