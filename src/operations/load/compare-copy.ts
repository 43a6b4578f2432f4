/**
 * Compares a loaded copy with what its archive says: definitions, row counts and the digest of every
 * row, read back with the same SELECT list that the backup used.
 */
import type { MemberEntry, ObjectReference, TableEntry } from '../../archive/index-types.js';
import { ReshelveError } from '../../errors.js';
import { splitIntoRanges, WHOLE_TABLE } from '../../mysql/key-ranges.js';
import type { RowSelection } from '../../mysql/row-stream.js';
import { plansOf, RowReader } from '../../mysql/row-stream.js';
import { readObjects } from '../../mysql/schema-objects.js';
import { hasOwnRows, listTables, readTables } from '../../mysql/schema-tables.js';
import type { StoredObject, TableRecord } from '../../mysql/schema.js';
import type { Session } from '../../mysql/session.js';
import type { TableDigest } from '../../sql/digest.js';
import { combineDigests, EMPTY_DIGEST } from '../../sql/digest.js';
import { HugeRowKernels } from '../../sql/kernel/huge-rows.js';
import type { CopyDifferences } from './archive-definitions.js';
import { comparableObject, comparableTable, readDefinition } from './archive-definitions.js';
import type { StateReader } from '../chains/chain-archives.js';
import type { Output } from '../context.js';
import { inParallel } from './load-archive.js';

export interface CompareRequest {
  readonly reader: StateReader;
  readonly database: string;
  readonly sessions: readonly [Session, ...Session[]];
  readonly differences: CopyDifferences;
  /** Another version of the server may word definitions in another way; then only rows count. */
  readonly compareDefinitions: boolean;
  readonly output: Output;
  /** Tables that are there for another reason. */
  readonly ignoredTables: ReadonlySet<string>;
  /** The copy was made by statements of a log, which name character sets where SHOW CREATE does not. */
  readonly isReplayed?: boolean;
  /** Objects that are compared; all where it is left out. */
  readonly objects?: (object: ObjectReference) => boolean;
}

export interface Comparison {
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  /** In words, without row data; none where the copy is what the archive says. */
  readonly problems: readonly string[];
}

const RANGE_BYTES = 32 * 1024 * 1024;

export async function compareCopy(request: CompareRequest): Promise<Comparison> {
  const { records, problems } = await compareDefinitions(request);
  const rows = await compareContent(request, records);
  return { tables: rows.tables, problems: [...problems, ...rows.problems] };
}

/** Throws VERIFY_FAILED with the first problems. */
export function assertNoProblems(problems: readonly string[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  const more =
    others.length === 0 ? '' : ` (and ${others.length} more: ${others.slice(0, 9).join('; ')})`;
  throw new ReshelveError('VERIFY_FAILED', `${first}${more}`);
}

export interface ComparedDefinitions {
  /** The tables that there are now, for {@link compareContent}. */
  readonly records: readonly TableRecord[];
  readonly problems: readonly string[];
}

/** Names and definitions alone, read on the first session. */
export async function compareDefinitions(request: CompareRequest): Promise<ComparedDefinitions> {
  const [control] = request.sessions;
  const { index } = request.reader;
  const listing = await listTables(control, request.database);
  const listed = listing.tables.filter((table) => !request.ignoredTables.has(table.name));
  const records = await readTables(control, request.database, listed);
  const problems = [
    ...compareNames(
      'table',
      index.tables.map((table) => table.name),
      records.map((record) => record.name),
    ),
    ...(request.compareDefinitions ? await compareTables(request, records) : []),
    ...(await compareObjects(request, listing.views, listing.sequences)),
  ];
  return { records, problems };
}

/** Row counts and digests alone, read on all sessions. */
export async function compareContent(
  request: CompareRequest,
  records: readonly TableRecord[],
): Promise<Comparison> {
  const problems: string[] = [];
  const rows = await compareRows(request, records, problems);
  const tables = request.reader.index.tables.map((table) => ({
    name: table.name,
    rows: rows.get(table.name) ?? 0,
  }));
  return { tables, problems };
}

function compareNames(
  what: string,
  expected: readonly string[],
  found: readonly string[],
): string[] {
  const missing = expected.filter((name) => !found.includes(name));
  const extra = found.filter((name) => !expected.includes(name));
  return [
    ...missing.map((name) => `${what} ${name}: expected it but found none`),
    ...extra.map((name) => `${what} ${name}: found it though the backup has none`),
  ];
}

async function compareTables(
  request: CompareRequest,
  records: readonly TableRecord[],
): Promise<string[]> {
  const problems: string[] = [];
  const byName = new Map(records.map((record) => [record.name, record]));
  for (const member of request.reader.members()) {
    if (member.kind !== 'table' || member.table === undefined) continue;
    const record = byName.get(member.table);
    const definition = await readDefinition(request.reader, member);
    if (record === undefined || definition === undefined) continue;
    const [expected, found] = [definition, record.createStatement].map((statement) => {
      const text = comparableTable(statement, request.database);
      return request.isReplayed === true ? withoutSpelledCharsets(text) : text;
    });
    if (expected !== found) {
      problems.push(`table ${record.name}: its definition differs from the backup's`);
    }
  }
  return problems;
}

/** Where the server logs CREATE … SELECT, columns have theirs spelled out, and a replica shows them. */
function withoutSpelledCharsets(text: string): string {
  return text.replaceAll(/ (?:CHARACTER SET|COLLATE) \w+/g, '');
}

export async function compareObjects(
  request: CompareRequest,
  views: readonly string[],
  sequences: readonly string[],
): Promise<string[]> {
  const { index } = request.reader;
  const [control] = request.sessions;
  const all = await readObjects(control, request.database, views, sequences);
  const keyOf = (object: { readonly type: string; readonly name: string }): string =>
    `${object.type} ${object.name}`;
  const isWanted = request.objects ?? ((): boolean => true);
  const expected = index.objects.filter(
    (object) => object.broken === undefined && isWanted(object),
  );
  const found = all.filter((object) => isWanted(object));
  const problems = compareNames('object', expected.map(keyOf), found.map(keyOf));
  if (!request.compareDefinitions) return problems;
  const byKey = new Map(found.map((object) => [keyOf(object), object]));
  for (const member of request.reader.members()) {
    const object = member.object === undefined ? undefined : byKey.get(keyOf(member.object));
    if (object === undefined) continue;
    if (await differs(request, member, object)) {
      problems.push(`${keyOf(object)}: its definition differs from the backup's`);
    }
  }
  return problems;
}

async function differs(
  request: CompareRequest,
  member: MemberEntry,
  object: StoredObject,
): Promise<boolean> {
  const definition = await readDefinition(request.reader, member);
  if (definition === undefined) return false;
  const databases = [request.reader.index.header.database, request.database];
  const lexical = { sqlMode: object.sqlMode, charset: object.characterSetClient };
  const { differences } = request;
  return (
    comparableObject(object.type, definition, databases, differences, lexical) !==
    comparableObject(object.type, object.createStatement, databases, differences, lexical)
  );
}

/** Counts and digests, several ranges at a time; what differs is added to `problems`. */
async function compareRows(
  request: CompareRequest,
  records: readonly TableRecord[],
  problems: string[],
): Promise<Map<string, number>> {
  const byName = new Map(records.map((record) => [record.name, record]));
  const compared = request.reader.index.tables.filter(
    (entry) => byName.has(entry.name) && hasOwnRows(entry.engine),
  );
  const parts: TablePart[] = [];
  await inParallel(request.sessions, compared, async (session, entry) => {
    const record = byName.get(entry.name);
    if (record !== undefined) parts.push(...(await splitForDigest(session, entry, record)));
  });
  const digests = await digestParts(request, parts);
  const rows = new Map<string, number>();
  for (const entry of compared) {
    const digest = digests.get(entry.name) ?? EMPTY_DIGEST;
    rows.set(entry.name, digest.rows);
    problems.push(...compareDigest(entry, digest));
  }
  return rows;
}

async function digestParts(
  request: CompareRequest,
  parts: readonly TablePart[],
): Promise<Map<string, TableDigest>> {
  const total = request.reader.index.header.totals.rows;
  const hugeRows = new HugeRowKernels();
  const readers = new Map(request.sessions.map((session) => [session, new RowReader(hugeRows)]));
  const digests = new Map<string, TableDigest>();
  let done = 0;
  await inParallel(request.sessions, parts, async (session, { selection }) => {
    const reader = readers.get(session) ?? new RowReader(hugeRows);
    const digest = await reader.read(session, selection, HASH_ONLY, () => Promise.resolve());
    const soFar = digests.get(selection.table) ?? EMPTY_DIGEST;
    digests.set(selection.table, combineDigests([soFar, digest]));
    done += digest.rows;
    request.output.progress({ activity: 'Comparing rows', done, total, unit: 'rows' });
  });
  request.output.progress(null);
  return digests;
}

function compareDigest(entry: TableEntry, found: TableDigest): string[] {
  if (entry.rows !== found.rows) {
    return [`table ${entry.name}: expected ${entry.rows} rows but found ${found.rows}`];
  }
  const same = entry.digest.sum === found.sum && entry.digest.xor === found.xor;
  return same ? [] : [`table ${entry.name}: the content of its rows differs from the backup's`];
}

interface TablePart {
  readonly selection: RowSelection;
}

const HASH_ONLY = {
  insertPrefix: Buffer.alloc(0),
  statementBytesTarget: 1,
  memberBytesTarget: 1,
  hashOnly: true,
};

async function splitForDigest(
  session: Session,
  entry: TableEntry,
  record: TableRecord,
): Promise<TablePart[]> {
  const key = record.uniqueKeys.find(
    (candidate) => entry.key !== null && candidate.columns.join() === entry.key.join(),
  );
  const keyPlans = key === undefined ? undefined : plansOf(entry.columns, key.columns);
  const ranges =
    key === undefined || keyPlans === undefined
      ? [WHOLE_TABLE]
      : await splitIntoRanges(session, { table: record, key, keyPlans, rangeBytes: RANGE_BYTES });
  return ranges.map((range) => ({
    selection: {
      table: entry.name,
      columns: entry.columns,
      versioned: entry.versioned === true,
      ...(key === undefined || ranges.length === 1 ? {} : { key }),
      range,
    },
  }));
}
