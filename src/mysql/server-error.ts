/** Errors that the server reports, with its own number, as errors of our table. */
import type { ErrorCode, ReshelveErrorOptions } from '../errors.js';
import { ReshelveError } from '../errors.js';
import type { ErrPacket } from './protocol.js';

/** MySQL error numbers that this product reacts to (MySQL Error Message Reference). */
export const ERRNO = {
  dbAccessDenied: 1044,
  accessDenied: 1045,
  badDatabase: 1049,
  tableExists: 1050,
  serverShutdown: 1053,
  duplicateKey: 1062,
  parse: 1064,
  tableAccessDenied: 1142,
  columnAccessDenied: 1143,
  noSuchTable: 1146,
  lockWaitTimeout: 1205,
  tooManyConnections: 1040,
  hostBlocked: 1129,
  hostNotAllowed: 1130,
  tooManyUserConnections: 1203,
  userLimitReached: 1226,
  accessDeniedNoPassword: 1698,
  passwordExpired: 1862,
  accountLocked: 3118,
  insecureTransport: 3159,
  noSuchTablespace: 3510,
  databaseEncryption: 3827,
  accountLockedMariadb: 4151,
  routineExists: 1304,
  /** Of GRANT: MariaDB, and MySQL, where it would have to make the account. */
  noSuchAccount: 1133,
  mayNotCreateAccount: 1410,
  specificAccessDenied: 1227,
  unknownSystemVariable: 1193,
  noSuchUser: 1449,
  queryInterrupted: 1317,
  viewInvalid: 1356,
  noSuchRoutine: 1305,
  noSuchTrigger: 1360,
  routineAccessDenied: 1370,
  noSuchEvent: 1539,
  deadlock: 1213,
  tableDefinitionChanged: 1412,
  gtidConsistency: 1785,
  connectionKilled: 1927,
  clientInteractionTimeout: 4031,
} as const;

const CODE_BY_ERRNO = new Map<number, ErrorCode>([
  [ERRNO.dbAccessDenied, 'PRIVILEGE'],
  [ERRNO.accessDenied, 'ACCESS_DENIED'],
  [ERRNO.badDatabase, 'UNKNOWN_DATABASE'],
  [ERRNO.serverShutdown, 'CONNECTION_LOST'],
  [ERRNO.tableAccessDenied, 'PRIVILEGE'],
  [ERRNO.columnAccessDenied, 'PRIVILEGE'],
  [ERRNO.lockWaitTimeout, 'TIMEOUT'],
  [ERRNO.specificAccessDenied, 'PRIVILEGE'],
  [ERRNO.queryInterrupted, 'CONNECTION_LOST'],
  [ERRNO.routineAccessDenied, 'PRIVILEGE'],
  [ERRNO.tableDefinitionChanged, 'SCHEMA_CHANGED'],
  [ERRNO.connectionKilled, 'CONNECTION_LOST'],
  [ERRNO.clientInteractionTimeout, 'CONNECTION_LOST'],
  [ERRNO.hostBlocked, 'ACCESS_DENIED'],
  [ERRNO.hostNotAllowed, 'ACCESS_DENIED'],
  [ERRNO.accessDeniedNoPassword, 'ACCESS_DENIED'],
  [ERRNO.passwordExpired, 'ACCESS_DENIED'],
  [ERRNO.accountLocked, 'ACCESS_DENIED'],
  [ERRNO.accountLockedMariadb, 'ACCESS_DENIED'],
  [ERRNO.insecureTransport, 'ACCESS_DENIED'],
]);

const FEWER_CONNECTIONS =
  'Lower BACKUP_THREADS, or let the server have more connections; a backup needs a few more than threads.';

/** Next steps where the one of the table would lead astray. */
const HINT_BY_ERRNO = new Map<number, string>([
  [ERRNO.tooManyConnections, FEWER_CONNECTIONS],
  [ERRNO.tooManyUserConnections, FEWER_CONNECTIONS],
  [ERRNO.userLimitReached, FEWER_CONNECTIONS],
  [
    ERRNO.hostBlocked,
    'Run FLUSH HOSTS (TRUNCATE performance_schema.host_cache) as an administrator, then the command again.',
  ],
  [
    ERRNO.hostNotAllowed,
    'Create the user for the address that this machine connects from, then run `reshelve doctor`.',
  ],
  [
    ERRNO.passwordExpired,
    'Give the user a new password as an administrator (ALTER USER … IDENTIFIED BY), then set DB_PASS.',
  ],
  [ERRNO.accountLocked, 'Unlock it as an administrator: ALTER USER … ACCOUNT UNLOCK.'],
  [ERRNO.accountLockedMariadb, 'Unlock it as an administrator: ALTER USER … ACCOUNT UNLOCK.'],
  [
    ERRNO.noSuchTablespace,
    "Make it as an administrator (CREATE TABLESPACE name ADD DATAFILE 'name.ibd'), then run the command again.",
  ],
  [ERRNO.insecureTransport, 'Set DB_SSL_MODE=required, then run `reshelve doctor`.'],
]);

/**
 * Errors whose text quotes values of rows: duplicate keys, bad values, failed conversions. Their
 * quoted parts are left out of our messages, which must not carry data.
 */
const ERRNO_QUOTING_DATA = new Set([
  1062, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1525, 1526, 1586, 1690, 3140, 3141, 3156,
  3157, 3819, 3854, 4025,
]);

export class ServerError extends ReshelveError {
  readonly errno: number;
  readonly sqlState: string;

  constructor(where: string, error: ErrPacket, options: ReshelveErrorOptions = {}) {
    const text = ERRNO_QUOTING_DATA.has(error.errno)
      ? error.message.replace(/'(?:[^']|'(?!$|[\s.,;:)]))*'/gs, "'…'")
      : error.message;
    super(
      CODE_BY_ERRNO.get(error.errno) ?? 'SERVER',
      `${where}: error ${error.errno} (${error.sqlState}): ${text}`,
      { ...hintFor(error.errno), ...options },
    );
    this.name = 'ServerError';
    this.errno = error.errno;
    this.sqlState = error.sqlState;
  }
}

function hintFor(errno: number): ReshelveErrorOptions {
  const hint = HINT_BY_ERRNO.get(errno);
  return hint === undefined ? {} : { hint };
}

export function isServerError(error: unknown, ...errnos: number[]): error is ServerError {
  return error instanceof ServerError && (errnos.length === 0 || errnos.includes(error.errno));
}
