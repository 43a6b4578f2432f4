/**
 * The index member's SQL: one comment line per entry, `-- {"KIND":{…}}`, in the order archive,
 * tables, ranges, objects, changes, members, end. Only ASCII is written (other characters as JSON escapes),
 * so that no client's character set can read a line break out of a name.
 */
import { ReshelveError } from '../errors.js';
import { ARCHIVE_FORMAT } from './format.js';
import {
  changeSchema,
  endSchema,
  headerSchema,
  memberSchema,
  objectSchema,
  rangeSchema,
  tableSchema,
  validate,
} from './index-schema.js';
import type {
  ArchiveIndex,
  ChangeEntry,
  IndexHeader,
  MemberEntry,
  ObjectEntry,
  RangeEntry,
  TableEntry,
} from './index-types.js';
import { formatTooNew } from './member-header.js';

export type * from './index-types.js';

const LINE_START = '-- ';
const PIECE_LENGTH_TARGET = 256 * 1024;

/** The index as SQL comment lines, in pieces of some 256 KiB. */
export function* encodeIndex(index: ArchiveIndex): Generator<Buffer> {
  let piece = '';
  for (const line of encodedLines(index)) {
    piece += line;
    if (piece.length < PIECE_LENGTH_TARGET) continue;
    yield Buffer.from(piece, 'latin1');
    piece = '';
  }
  yield Buffer.from(piece, 'latin1');
}

function* encodedLines(index: ArchiveIndex): Generator<string> {
  yield encodeLine('archive', { format: ARCHIVE_FORMAT, ...index.header });
  for (const table of index.tables) yield encodeLine('table', table);
  for (const range of index.ranges) yield encodeLine('range', range);
  for (const object of index.objects) yield encodeLine('object', object);
  for (const change of index.changes) yield encodeLine('change', change);
  for (const member of index.members) yield encodeLine('member', member);
  yield encodeLine('end', {
    tables: index.tables.length,
    ranges: index.ranges.length,
    objects: index.objects.length,
    ...(index.changes.length > 0 && { changes: index.changes.length }),
    members: index.members.length,
  });
}

function encodeLine(kind: string, entry: object): string {
  const json = JSON.stringify({ [kind]: entry });
  const ascii = json.replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${LINE_START}${ascii}\n`;
}

interface IndexUnderway {
  header: IndexHeader | undefined;
  readonly tables: TableEntry[];
  readonly ranges: RangeEntry[];
  readonly objects: ObjectEntry[];
  readonly changes: ChangeEntry[];
  readonly members: MemberEntry[];
  ended: boolean;
}

/**
 * Reads what {@link encodeIndex} wrote. Throws `DAMAGED` naming the line for anything that is not
 * valid, and `FORMAT_TOO_NEW` for a later format. Whether the entries agree with each other and
 * with the file is the business of `checkStructure`.
 */
export function parseIndex(sql: Buffer): ArchiveIndex {
  const index: IndexUnderway = {
    header: undefined,
    tables: [],
    ranges: [],
    objects: [],
    changes: [],
    members: [],
    ended: false,
  };
  let lineNumber = 0;
  for (let at = 0; at < sql.length;) {
    const end = sql.indexOf(0x0a, at);
    lineNumber += 1;
    if (end < 0) throw damagedLine(lineNumber, 'expected a line break at its end');
    readLine(index, sql.toString('latin1', at, end), lineNumber);
    at = end + 1;
  }
  if (index.header === undefined || !index.ended) {
    throw damagedLine(lineNumber, 'expected the last line of an index');
  }
  const { header, tables, ranges, objects, changes, members } = index;
  return { header, tables, ranges, objects, changes, members };
}

function readLine(index: IndexUnderway, line: string, lineNumber: number): void {
  const [kind, entry] = splitLine(line, lineNumber);
  const check = <T>(schema: Parameters<typeof validate<T>>[0]): T => {
    const result = validate(schema, entry);
    if ('problem' in result) throw damagedLine(lineNumber, `${kind}: ${result.problem}`);
    return result.value;
  };
  if ((kind === 'archive') !== (lineNumber === 1) || index.ended) {
    throw damagedLine(lineNumber, `found "${kind}" in the wrong place`);
  }
  if (kind === 'archive') {
    checkFormat(entry, lineNumber);
    index.header = check(headerSchema);
  } else if (kind === 'table') index.tables.push(check(tableSchema));
  else if (kind === 'range') index.ranges.push(check(rangeSchema));
  else if (kind === 'object') index.objects.push(check(objectSchema));
  else if (kind === 'change') index.changes.push(check(changeSchema));
  else if (kind === 'member') index.members.push(check(memberSchema));
  else if (kind === 'end') checkEnd(index, check(endSchema), lineNumber);
  // Any other kind is an addition that readers of this format can do without (docs/FORMAT.md).
}

function splitLine(line: string, lineNumber: number): [kind: string, entry: unknown] {
  if (!line.startsWith(`${LINE_START}{`)) {
    throw damagedLine(lineNumber, 'expected a comment that holds a JSON object');
  }
  let value: unknown;
  try {
    value = JSON.parse(line.slice(LINE_START.length));
  } catch (cause) {
    throw damagedLine(lineNumber, 'expected valid JSON', cause);
  }
  const entries = Object.entries(value as object) as [string, unknown][];
  const [only] = entries;
  if (only === undefined || entries.length !== 1) {
    throw damagedLine(lineNumber, `expected one entry but found ${entries.length}`);
  }
  return only;
}

function checkFormat(entry: unknown, lineNumber: number): void {
  const format: unknown =
    typeof entry === 'object' && entry !== null && 'format' in entry ? entry.format : undefined;
  if (typeof format !== 'number' || !Number.isSafeInteger(format) || format < 1) {
    throw damagedLine(lineNumber, 'expected the number of an archive format');
  }
  if (format > ARCHIVE_FORMAT) throw formatTooNew(format);
}

function checkEnd(
  index: IndexUnderway,
  end: Record<'tables' | 'ranges' | 'objects' | 'members', number> & { changes?: number },
  lineNumber: number,
): void {
  for (const list of ['tables', 'ranges', 'objects', 'changes', 'members'] as const) {
    const expected = end[list] ?? 0;
    if (expected !== index[list].length) {
      const found = `expected ${expected} ${list} but found ${index[list].length}`;
      throw damagedLine(lineNumber, found);
    }
  }
  index.ended = true;
}

function damagedLine(lineNumber: number, problem: string, cause?: unknown): ReshelveError {
  return new ReshelveError('DAMAGED', `index line ${lineNumber}: ${problem}`, { cause });
}
