/** Opens sessions: mysql2 does the handshake, then the socket is taken over. */
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import mysql from 'mysql2';
import type { Connection, ConnectionOptions, SslOptions } from 'mysql2';
import { ReshelveError } from '../errors.js';
import { ERRNO, isServerError, ServerError } from './server-error.js';
import { parseServerVersion } from './server-facts.js';
import { Session } from './session.js';
import type { TlsSettings } from './tls.js';
import { connectWithTlsPolicy, isHandleLimit } from './tls.js';

export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: { reveal(): string };
  readonly tls: TlsSettings;
  /** How long the server may be silent within an answer; 15 minutes where it is left out. */
  readonly silenceMs?: number;
}

export interface OpenOptions {
  /** The default database; left out for work on the server itself. */
  readonly database?: string;
  /** Aborting cuts the connection; what waits on it throws INTERRUPTED. */
  readonly signal?: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 20_000;
const TLS_HINT =
  "Check the server's certificate against DB_SSL_CA and DB_HOST, and DB_SSL_CERT with DB_SSL_KEY; then run `reshelve doctor`.";
const SETUP_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_DELAY_MS = 30_000;

/**
 * Refused client capabilities: query attributes and session tracking only change the packets,
 * LOCAL INFILE would let a hostile server read our files, and IGNORE_SPACE changes the parser.
 */
const CLIENT_FLAGS = [
  '-CLIENT_QUERY_ATTRIBUTES',
  '-SESSION_TRACK',
  '-LOCAL_FILES',
  '-COMPRESS',
  '-ODBC',
  '-FOUND_ROWS',
  '-IGNORE_SPACE',
];

/**
 * Session state that every reader and loader starts from, whatever the server's defaults or its
 * `init_connect` say.
 */
const SESSION_VARIABLES = [
  // Key bounds may be dates such as 2024-02-30, which other modes refuse in a comparison (1525).
  "sql_mode = 'ALLOW_INVALID_DATES'",
  "time_zone = '+00:00'",
  'autocommit = 1',
  'net_write_timeout = 3600',
  'net_read_timeout = 3600',
  'wait_timeout = 86400',
  'lock_wait_timeout = 3600',
  'sql_quote_show_create = 1',
  'sql_select_limit = DEFAULT',
  'sql_big_selects = 1',
  'sql_safe_updates = 0',
  'group_concat_max_len = 1048576',
] as const;

const FLAVOUR_VARIABLES = {
  mysql: [
    'max_execution_time = 0',
    'information_schema_stats_expiry = 0',
    'show_gipk_in_create_table_and_information_schema = ON',
    'show_create_table_skip_secondary_engine = 0',
  ],
  mariadb: ['max_statement_time = 0', "system_versioning_alter_history = 'KEEP'"],
} as const;

/** Opens a session ready for use. Throws CONNECT, ACCESS_DENIED, UNKNOWN_DATABASE or TIMEOUT. */
export async function openSession(
  settings: ConnectionSettings,
  options: OpenOptions = {},
): Promise<Session> {
  options.signal?.throwIfAborted();
  const session = await connectWithTlsPolicy(settings, (ssl) =>
    connect(settings, options.database, ssl),
  );
  const { signal } = options;
  const onAbort = (): void => {
    session.destroy(interruption(signal));
  };
  // A run may have dozens of sessions, each of which takes its listener away when it ends.
  if (signal !== undefined) setMaxListeners(0, signal);
  signal?.addEventListener('abort', onAbort, { once: true });
  session.onClosed(() => {
    signal?.removeEventListener('abort', onAbort);
  });
  try {
    await prepareSession(session);
  } catch (error) {
    session.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  return session;
}

/** The error that an abort stands for: its own reason where that is one of ours. */
export function interruption(signal: AbortSignal | undefined): ReshelveError {
  const reason: unknown = signal?.reason;
  return reason instanceof ReshelveError
    ? reason
    : new ReshelveError('INTERRUPTED', 'the run was stopped');
}

async function prepareSession(session: Session): Promise<void> {
  const version = await session.value('SELECT VERSION()', { timeoutMs: SETUP_TIMEOUT_MS });
  session.facts = parseServerVersion(version ?? '');
  await session.execute('SET NAMES utf8mb4', { timeoutMs: SETUP_TIMEOUT_MS });
  await setVariables(session, [...SESSION_VARIABLES, ...FLAVOUR_VARIABLES[session.facts.flavour]]);
  await activateRoles(session);
}

/**
 * In one round trip where the server knows them all, as many sessions are opened to servers far away;
 * else one by one, without those that it does not know.
 */
async function setVariables(session: Session, assignments: readonly string[]): Promise<void> {
  const set = async (list: readonly string[]): Promise<boolean> => {
    try {
      await session.execute(`SET SESSION ${list.join(', ')}`, { timeoutMs: SETUP_TIMEOUT_MS });
      return true;
    } catch (error) {
      if (!isServerError(error, ERRNO.unknownSystemVariable)) throw error;
      return false;
    }
  };
  if (await set(assignments)) return;
  for (const assignment of assignments) await set([assignment]);
}

/** Privileges may come from roles that are granted but not active by default. */
async function activateRoles(session: Session): Promise<void> {
  if (session.facts.flavour === 'mariadb') return;
  try {
    await session.execute('SET ROLE ALL', { timeoutMs: SETUP_TIMEOUT_MS });
  } catch (error) {
    if (!isServerError(error)) throw error;
  }
}

/** The parts of a mysql2 connection that the take-over needs and its types leave out. */
interface ConnectionInternals {
  readonly stream: Duplex;
  readonly threadId: number;
}

async function connect(
  settings: ConnectionSettings,
  database: string | undefined,
  ssl: SslOptions | undefined,
): Promise<Session> {
  const where = describeServer(settings);
  const options: ConnectionOptions = {
    ...(settings.socketPath === undefined
      ? { host: settings.host, port: settings.port }
      : { socketPath: settings.socketPath }),
    user: settings.user,
    password: settings.password.reveal(),
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl }),
    charset: 'utf8mb4',
    flags: CLIENT_FLAGS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    connectAttributes: { program_name: 'reshelve' },
  };
  const connection = mysql.createConnection(options);
  try {
    await handshake(connection);
  } catch (error) {
    connection.destroy();
    throw connectError(error, settings, where);
  }
  return takeOver(connection, where, settings.silenceMs);
}

function handshake(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('connect', () => {
      resolve();
    });
    connection.on('error', reject);
  });
}

function takeOver(connection: Connection, where: string, silenceMs: number | undefined): Session {
  const { stream, threadId } = connection as unknown as ConnectionInternals;
  // From here the socket's events are the session's; mysql2 must neither parse nor complain.
  for (const event of ['data', 'end', 'close', 'error']) stream.removeAllListeners(event);
  connection.removeAllListeners('error');
  connection.on('error', () => undefined);
  stream.pause();
  return new Session(stream, where, threadId, silenceMs);
}

export function describeServer(settings: ConnectionSettings): string {
  const { host, port, socketPath } = settings;
  return socketPath ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}

function connectError(error: unknown, settings: ConnectionSettings, where: string): ReshelveError {
  const { code, errno, message } = error as NodeJS.ErrnoException & { sqlState?: string };
  if (typeof errno === 'number' && errno >= 1000 && errno < 10_000) {
    const sqlState = (error as { sqlState?: string }).sqlState ?? 'HY000';
    return new ServerError(where, { errno, sqlState, message }, { cause: error });
  }
  const isTls = code === 'HANDSHAKE_SSL_ERROR';
  const detail = code === undefined || isTls ? message || (code ?? 'no reason given') : code;
  return new ReshelveError(
    isHandleLimit(code) ? 'FILE_LIMIT' : 'CONNECT',
    `cannot connect to ${where} as ${settings.user} (${isTls ? 'TLS: ' : ''}${detail})`,
    { cause: error, ...(isTls ? { hint: TLS_HINT } : {}) },
  );
}
