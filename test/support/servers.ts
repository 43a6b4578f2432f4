import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { onTestFinished } from 'vitest';
import {
  startServer,
  type Flavour,
  type PrivateServer,
  type ServerAddress,
  type StartOptions,
} from '../../sandbox/index.js';
import { askCoordinator } from './coordinator.js';

const shared = new Map<Flavour, Promise<ServerAddress>>();

/**
 * The server that all tests of this run share; it starts when first asked for. Work in a database
 * of your own ({@link createDatabase}); what changes the server itself needs a
 * {@link privateServer}.
 */
export function sharedServer(flavour: Flavour): Promise<ServerAddress> {
  const server = shared.get(flavour) ?? askCoordinator(flavour);
  shared.set(flavour, server);
  return server;
}

/**
 * A server for one test or one file, to be killed and reconfigured at will. Inside a test it is
 * stopped when the test ends; started in a `beforeAll` it is stopped by the caller's `afterAll`.
 */
export async function privateServer(
  flavour: Flavour,
  options: Omit<StartOptions, 'flavour'> = {},
): Promise<PrivateServer> {
  const server = await startServer({ ...options, flavour });
  atTestEnd(() => server.stop());
  return server;
}

export interface TestDatabase {
  /** Unique on its server: `<prefix>_<8 hexadecimal digits>`. */
  readonly name: string;
  drop(): Promise<void>;
}

/**
 * Creates an empty database (utf8mb4). Inside a test it is dropped when the test ends; else by
 * `drop()`, which may be called twice.
 *
 * @param options what follows the name, e.g. `CHARACTER SET latin1`
 */
export async function createDatabase(
  server: ServerAddress,
  prefix: string,
  options = 'CHARACTER SET utf8mb4',
): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(4).toString('hex')}`;
  await query(server, `CREATE DATABASE \`${name}\` ${options}`);
  const drop = async (): Promise<void> => {
    try {
      await query(server, `DROP DATABASE IF EXISTS \`${name}\``);
    } catch (error) {
      // A private server may be stopped first, and its databases are gone with it.
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'))
        throw error;
    }
  };
  atTestEnd(drop);
  return { name, drop };
}

/**
 * Values as mysql2 gives them, none rounded: DECIMAL, dates, and integers beyond 2^53 as text,
 * smaller integers as numbers.
 */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Runs statements (several may be separated by `;`) as root on a connection of their own, to
 * arrange and to look. Gives the rows of the last statement that has any.
 */
export async function query(server: ServerAddress, sql: string, database?: string): Promise<Row[]> {
  const connection = await connectTo(server, database);
  try {
    const [result] = await connection.query<mysql.RowDataPacket[] | mysql.RowDataPacket[][]>(sql);
    return lastRows(result);
  } finally {
    await connection.end();
  }
}

/** A plain mysql2 connection as root that allows several statements; the caller ends it. */
export function connectTo(server: ServerAddress, database?: string): Promise<mysql.Connection> {
  return mysql.createConnection({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    multipleStatements: true,
    supportBigNumbers: true,
    dateStrings: true,
    ...(database === undefined ? {} : { database }),
  });
}

/** One result set comes as rows, several as a list of results, and no rows as a header object. */
function lastRows(result: unknown): Row[] {
  if (!Array.isArray(result)) return [];
  const results = result as unknown[];
  if (!results.some((one) => Array.isArray(one) || isHeader(one))) return results as Row[];
  const last = results.findLast((one) => Array.isArray(one));
  return (last ?? []) as Row[];
}

function isHeader(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && value.constructor.name === 'ResultSetHeader'
  );
}

/** Outside a running test Vitest refuses; the caller then cleans up. */
function atTestEnd(clean: () => Promise<void>): void {
  try {
    onTestFinished(clean);
  } catch {
    return;
  }
}
