/**
 * Changes a BINLOG statement of ours for another database, or for some tables alone. Its events stand
 * in base64, one on each line, and carry no checksum. Pure.
 */
import { ReshelveError } from '../errors.js';

export interface RowRewriting {
  /** The database of the TABLE_MAPs becomes this one. */
  readonly database?: string;
  /** Rows of other tables are left out. */
  readonly tables?: ReadonlySet<string>;
}

const TABLE_MAP = 19;
const ROWS = new Set([23, 24, 25, 30, 31, 32, 39]);
const TYPE_AT = 4;
const SIZE_AT = 9;
const TABLE_ID_AT = 19;
const TABLE_ID_BYTES = 6;
const ROWS_FLAGS_AT = 25;
const STATEMENT_END = 1;
const DATABASE_AT = 27;
const EVENT_BYTES_MIN = 19;

const STATEMENT = /^BINLOG\s+'/i;

export function isBinlogStatement(text: Buffer): boolean {
  return STATEMENT.test(text.toString('latin1', 0, 16));
}

/**
 * The statement as it is to be run; undefined where none of its rows is wanted. One with a format
 * description is left as it is. Throws DAMAGED for what is no statement of ours.
 */
export function rewriteRows(text: Buffer, rewriting: RowRewriting): Buffer | undefined {
  const { database, tables } = rewriting;
  if (database === undefined && tables === undefined) return text;
  const events = decodeEvents(text);
  if (!events.some((event) => ROWS.has(typeOf(event)))) return text;
  const wanted = new Map<string, boolean>();
  const kept: Buffer[] = [];
  for (const event of events) {
    const type = typeOf(event);
    const id = event.toString('latin1', TABLE_ID_AT, TABLE_ID_AT + TABLE_ID_BYTES);
    if (type === TABLE_MAP) wanted.set(id, tables?.has(tableOf(event)) ?? true);
    const isOurs = type === TABLE_MAP || ROWS.has(type);
    if (isOurs && wanted.get(id) === false) continue;
    kept.push(type === TABLE_MAP && database !== undefined ? withDatabase(event, database) : event);
  }
  const last = kept.findLast((event) => ROWS.has(typeOf(event)));
  if (last === undefined) return undefined;
  last.writeUInt16LE(last.readUInt16LE(ROWS_FLAGS_AT) | STATEMENT_END, ROWS_FLAGS_AT);
  const lines = kept.map((event) => event.toString('base64'));
  return Buffer.from(`BINLOG '\n${lines.join('\n')}\n'`, 'latin1');
}

/** The events of a BINLOG statement of ours. Throws DAMAGED for what is none. */
export function decodeEvents(text: Buffer): Buffer[] {
  const open = text.indexOf("'");
  const close = text.lastIndexOf("'");
  if (open < 0 || close <= open) throw damaged();
  const lines = text.toString('latin1', open + 1, close).split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const event = Buffer.from(line, 'base64');
      if (event.length < EVENT_BYTES_MIN || event.readUInt32LE(SIZE_AT) !== event.length) {
        throw damaged();
      }
      return event;
    });
}

function typeOf(event: Buffer): number {
  return event[TYPE_AT] ?? 0;
}

function tableOf(event: Buffer): string {
  const databaseLength = event[DATABASE_AT] ?? 0;
  const lengthAt = DATABASE_AT + 1 + databaseLength + 1;
  return event.toString('utf8', lengthAt + 1, lengthAt + 1 + (event[lengthAt] ?? 0));
}

/** The name's length, the name, and a NUL that stays. */
function withDatabase(event: Buffer, database: string): Buffer {
  const name = Buffer.from(database, 'utf8');
  const before = event[DATABASE_AT] ?? 0;
  const changed = Buffer.concat([
    event.subarray(0, DATABASE_AT),
    Buffer.from([name.length]),
    name,
    event.subarray(DATABASE_AT + 1 + before),
  ]);
  changed.writeUInt32LE(changed.length, SIZE_AT);
  return changed;
}

function damaged(): ReshelveError {
  return new ReshelveError('DAMAGED', 'a BINLOG statement holds something other than events');
}
