/** A statement in the log, with what the server noted of the session that ran it. */
import { EVENT } from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';

export interface StatementSession {
  readonly flags?: number;
  readonly sqlMode?: bigint;
  readonly autoIncrement?: readonly [increment: number, offset: number];
  /** Collation ids: of the client's character set, of the connection, of the server. */
  readonly charsets?: readonly [client: number, connection: number, server: number];
  /** Collation id; told where the session's is not that of its default database. */
  readonly databaseCollation?: number;
  readonly timeZone?: string;
  readonly localeTimeNames?: number;
  readonly microseconds?: number;
  readonly explicitDefaultsForTimestamp?: boolean;
  readonly defaultCollationForUtf8mb4?: number;
}

export interface QueryEvent {
  /** The default database, as UTF-8. */
  readonly database: string;
  /** Bytes in the client's character set; they alias the event. */
  readonly text: Buffer;
  readonly errorCode: number;
  readonly session: StatementSession;
  /** What the server says that the statement changes; undefined where it does not say. */
  readonly updatedDatabases?: readonly string[];
}

/** Inflates a zlib stream; given by whoever may import node:zlib for more than checksums. */
export type Inflate = (deflated: Buffer, length: number) => Buffer;

/** Names that a session's flags stand for. */
export const SESSION_FLAG = {
  autoIsNull: 1 << 14,
  notAutocommit: 1 << 19,
  noForeignKeyChecks: 1 << 26,
  relaxedUniqueChecks: 1 << 27,
} as const;

/** More databases than the log names. */
const UPDATED_DATABASES_UNKNOWN = 254;

export function parseQueryEvent(event: LogEvent, inflate: Inflate): QueryEvent {
  const reader = new FieldReader(event.bytes, EVENT_BODY);
  reader.take(8); // thread, duration
  const databaseLength = reader.uint(1);
  const errorCode = reader.uint(2);
  const variables = parseVariables(reader.take(reader.uint(2)));
  const database = reader.take(databaseLength).toString('utf8');
  reader.take(1);
  const rest = reader.rest();
  const text = event.type === EVENT.queryCompressed ? inflateField(rest, inflate) : rest;
  return { database, text, errorCode, ...variables };
}

const EVENT_BODY = 19;

/** MariaDB's compressed field: a byte with the algorithm and the width of a length, big-endian. */
export function inflateField(field: Buffer, inflate: Inflate): Buffer {
  const reader = new FieldReader(field, 0);
  const head = reader.uint(1);
  const length = reader.take(head & 7).readUIntBE(0, head & 7);
  return inflate(reader.rest(), length);
}

interface Variables {
  session: { -readonly [K in keyof StatementSession]: StatementSession[K] };
  updatedDatabases?: string[];
}

/** Codes ascend; at one that is not known the rest is left, as the server itself does. */
function parseVariables(block: Buffer): Variables {
  const reader = new FieldReader(block, 0);
  const found: Variables = { session: {} };
  while (reader.remaining > 0) {
    const code = reader.uint(1);
    if (!takeVariable(code, reader, found)) break;
  }
  return found;
}

function takeVariable(code: number, reader: FieldReader, found: Variables): boolean {
  const { session } = found;
  switch (code) {
    case 0:
      session.flags = reader.uint(4);
      return true;
    case 1:
      session.sqlMode = reader.uint64();
      return true;
    case 2:
      reader.take(reader.uint(1) + 1); // catalog with its NUL
      return true;
    case 3:
      session.autoIncrement = [reader.uint(2), reader.uint(2)];
      return true;
    case 4:
      session.charsets = [reader.uint(2), reader.uint(2), reader.uint(2)];
      return true;
    case 5:
      session.timeZone = reader.take(reader.uint(1)).toString('latin1');
      return true;
    case 6:
      reader.take(reader.uint(1)); // catalog
      return true;
    case 7:
      session.localeTimeNames = reader.uint(2);
      return true;
    case 8:
      session.databaseCollation = reader.uint(2);
      return true;
    case 11:
      reader.take(reader.uint(1)); // invoker: user, host
      reader.take(reader.uint(1));
      return true;
    case 12:
      takeUpdatedDatabases(reader, found);
      return true;
    case 13:
      session.microseconds = reader.uint(3);
      return true;
    case 16:
      session.explicitDefaultsForTimestamp = reader.uint(1) !== 0;
      return true;
    case 18:
      session.defaultCollationForUtf8mb4 = reader.uint(2);
      return true;
    case 128:
      session.microseconds = reader.uint(3); // MariaDB
      return true;
    default:
      return skipVariable(code, reader);
  }
}

/** Lengths of the fields that replaying does not need. */
const PASSED_OVER: ReadonlyMap<number, number> = new Map([
  [9, 8],
  [10, 4],
  [14, 8],
  [15, 8],
  [17, 8],
  [19, 1],
  [20, 1],
  [129, 8],
]);

function skipVariable(code: number, reader: FieldReader): boolean {
  const length = PASSED_OVER.get(code);
  if (length === undefined) return false;
  reader.take(length);
  return true;
}

function takeUpdatedDatabases(reader: FieldReader, found: Variables): void {
  const count = reader.uint(1);
  if (count === UPDATED_DATABASES_UNKNOWN) return;
  found.updatedDatabases = Array.from({ length: count }, () => zeroEnded(reader));
}

function zeroEnded(reader: FieldReader): string {
  const bytes: number[] = [];
  for (let byte = reader.uint(1); byte !== 0; byte = reader.uint(1)) bytes.push(byte);
  return Buffer.from(bytes).toString('utf8');
}
