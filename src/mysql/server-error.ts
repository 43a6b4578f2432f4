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
  routineExists: 1304,
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
]);

/**
 * Errors whose text quotes values of rows: duplicate keys, bad values, failed conversions. Their
 * quoted parts are left out of our messages, which must not carry data.
 */
const ERRNO_QUOTING_DATA = new Set([
  1062, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1525, 1526, 1586, 1690, 3140, 3141, 3156,
  3157, 3819, 4025,
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
      options,
    );
    this.name = 'ServerError';
    this.errno = error.errno;
    this.sqlState = error.sqlState;
  }
}

export function isServerError(error: unknown, ...errnos: number[]): error is ServerError {
  return error instanceof ServerError && (errnos.length === 0 || errnos.includes(error.errno));
}
