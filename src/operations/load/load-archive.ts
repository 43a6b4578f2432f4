/**
 * Loads an archive into a database that exists: definitions, then the rows over several connections,
 * then routines, views, triggers and events. Every member is verified before its SQL is sent.
 */
import { setTimeout } from 'node:timers/promises';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { MemberEntry } from '../../archive/index-types.js';
import { WorkBudget } from '../../archive/work-budget.js';
import { ReshelveError } from '../../errors.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { LOAD_SESSION } from '../../sql/archive-text.js';
import { splitInserts } from '../../sql/insert-split.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { splitStatements } from './archive-definitions.js';
import { DeferredKeys } from './deferred-keys.js';
import { splitComparedMember } from '../changes/compared-marker.js';
import type { Output } from '../context.js';

export interface LoadRequest {
  readonly reader: ArchiveReader;
  /** Opens one more session in the target database. */
  readonly open: () => Promise<Session>;
  readonly connections: number;
  /** Only these tables, with their triggers; everything where it is left out. */
  readonly tables?: ReadonlySet<string>;
  /** Changes the text of a definition before it is run; undefined leaves it out. */
  readonly rewrite?: (statement: SplitStatement) => Buffer | undefined;
  /** Keep the load out of the target's binary log, where its privileges allow that. */
  readonly withoutBinlog: boolean;
  /** Events may run as soon as they exist: they are made when the rest is proven. */
  readonly withoutEvents?: boolean;
  readonly output: Output;
}

export interface LoadResult {
  readonly rowsByTable: ReadonlyMap<string, number>;
  readonly rows: number;
}

/**
 * Statements that make a load faster or more exact and that some users may not run; what is refused
 * is left out.
 */
const WISHED_SESSION = [
  'SET SESSION sql_require_primary_key = 0',
  'SET SESSION sql_generate_invisible_primary_key = 0',
  'SET SESSION innodb_strict_mode = 0',
  'SET SESSION explicit_defaults_for_timestamp = 1',
  'SET SESSION innodb_ddl_buffer_size = 67108864',
] as const;

/** SQL of members that are being read or sent; only huge rows ever fill it. */
const IN_FLIGHT_BYTES_MAX = 48 * 1024 * 1024;

const DEADLOCK_RETRIES_MAX = 8;
const DEADLOCK_PAUSE_MS = 20;

export async function loadArchive(request: LoadRequest): Promise<LoadResult> {
  const sessions: Session[] = [];
  try {
    for (let at = 0; at < Math.max(1, request.connections); at += 1) {
      const session = await request.open();
      sessions.push(session);
      await prepareLoader(session, request.withoutBinlog);
    }
    return await loadMembers(request, sessions);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

export async function prepareLoader(session: Session, withoutBinlog: boolean): Promise<void> {
  const wished = withoutBinlog
    ? ['SET SESSION sql_log_bin = 0', ...WISHED_SESSION]
    : WISHED_SESSION;
  for (const statement of wished) await executeIfAllowed(session, statement);
  for (const statement of LOAD_SESSION) await session.execute(statement);
}

async function executeIfAllowed(session: Session, statement: string): Promise<void> {
  try {
    await session.execute(statement);
  } catch (error) {
    if (!isServerError(error)) throw error;
  }
}

async function loadMembers(
  request: LoadRequest,
  sessions: readonly Session[],
): Promise<LoadResult> {
  const members = request.reader.members().filter((member) => isWanted(request, member));
  const ofKind = (...kinds: readonly string[]): MemberEntry[] =>
    members.filter((member) => kinds.includes(member.kind));
  const [first] = sessions;
  if (first === undefined) throw new Error('assertion failed: a load has a session');
  for (const member of ofKind('sequence')) await loadDefinition(request, first, member);
  const deferred = new DeferredKeys(ofKind('data'));
  await inParallel(sessions, ofKind('table'), (session, member) =>
    loadDefinition(request, session, member, deferred),
  );
  const rowsByTable = await loadRows(request, sessions, ofKind('data'), deferred);
  for (const statement of deferred.foreignKeys()) await executeDefinition(first, statement);
  for (const member of ofKind('change')) await loadCompared(request, first, member);
  for (const member of ofKind('object')) await loadDefinition(request, first, member);
  for (const member of request.reader.members()) {
    if (member.kind === 'closing') await loadCounters(request, first, member);
  }
  let rows = 0;
  for (const count of rowsByTable.values()) rows += count;
  return { rowsByTable, rows };
}

function isWanted(request: LoadRequest, member: MemberEntry): boolean {
  const { tables, reader } = request;
  if (request.withoutEvents === true && member.object?.type === 'event') return false;
  if (tables === undefined || member.kind === 'change') return true;
  if (member.kind === 'sequence') return false;
  if (member.kind !== 'object') return member.table !== undefined && tables.has(member.table);
  const { object } = member;
  const entry = reader.index.objects.find(
    (candidate) => candidate.type === object?.type && candidate.name === object.name,
  );
  return entry?.type === 'trigger' && entry.table !== undefined && tables.has(entry.table);
}

/** Runs the statements of a definition member, each as the archive's rewriting leaves it. */
export async function loadDefinition(
  request: Pick<LoadRequest, 'reader' | 'rewrite'>,
  session: Session,
  member: MemberEntry,
  deferred?: DeferredKeys,
): Promise<void> {
  const sql = await request.reader.readMember(member.number);
  for (const statement of splitStatements(sql)) {
    const text = request.rewrite === undefined ? statement.text : request.rewrite(statement);
    if (text === undefined) continue;
    const isTable = statement.kind === 'CREATE TABLE' && member.table !== undefined;
    try {
      await executeDefinition(
        session,
        isTable ? (deferred?.take(member.table, text, session.facts.flavour) ?? text) : text,
      );
    } catch (error) {
      throw inMember(error, request.reader, member);
    }
  }
}

/** What a comparison found: deletions and insertions in the order of the file. */
async function loadCompared(
  request: LoadRequest,
  session: Session,
  member: MemberEntry,
): Promise<void> {
  const sql = await request.reader.readMember(member.number);
  const { marker, statements } = splitComparedMember(sql);
  if (request.tables?.has(marker.table ?? '') === false) return;
  try {
    for (const text of splitInserts(statements, member.statements)) {
      await executeDefinition(session, text);
    }
  } catch (error) {
    throw inMember(error, request.reader, { ...member, table: marker.table ?? '' });
  }
}

/**
 * Tables that are made at the same time and refer to each other can meet in a deadlock of the
 * server's dictionary; the one that lost has done nothing and is tried again.
 */
async function executeDefinition(session: Session, text: string | Buffer): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await session.executeLong(text);
      return;
    } catch (error) {
      if (!isServerError(error, ERRNO.deadlock) || attempt >= DEADLOCK_RETRIES_MAX) throw error;
      await setTimeout(DEADLOCK_PAUSE_MS * (attempt + 1));
    }
  }
}

/** Of the closing member only the counters matter: the session ends with the load. */
async function loadCounters(
  request: LoadRequest,
  session: Session,
  member: MemberEntry,
): Promise<void> {
  const names = request.tables ?? request.reader.index.tables.map((table) => table.name);
  const openings = [...names].map((name) => `ALTER TABLE ${quoteIdentifier(name)} `);
  for (const { text } of splitStatements(await request.reader.readMember(member.number))) {
    const statement = text.toString('utf8');
    if (openings.some((opening) => statement.startsWith(opening))) await session.executeLong(text);
  }
}

async function loadRows(
  request: LoadRequest,
  sessions: readonly Session[],
  members: readonly MemberEntry[],
  deferred: DeferredKeys,
): Promise<Map<string, number>> {
  const total = members.reduce((bytes, member) => bytes + member.sqlLength, 0);
  const budget = new WorkBudget(sessions.length, IN_FLIGHT_BYTES_MAX);
  const rowsByTable = new Map<string, number>();
  let done = 0;
  await inParallel(sessions, members, async (session, member) => {
    await budget.acquire(member.sqlLength);
    const rows = await loadData(request, session, member).finally(() => {
      budget.release(member.sqlLength);
    });
    const table = member.table ?? '';
    rowsByTable.set(table, (rowsByTable.get(table) ?? 0) + rows);
    done += member.sqlLength;
    request.output.progress({ activity: 'Restoring rows', done, total, unit: 'bytes' });
    const statement = deferred.memberDone(table);
    if (statement !== undefined) await executeDefinition(session, statement);
  });
  request.output.progress(null);
  return rowsByTable;
}

/** One transaction for each member; a deadlock between two members is tried again from its start. */
async function loadData(
  request: LoadRequest,
  session: Session,
  member: MemberEntry,
): Promise<number> {
  const sql = await request.reader.readMember(member.number);
  const statements = splitInserts(sql, member.statements);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await insertAll(session, statements, member, request.reader);
    } catch (error) {
      const again = isServerError(error, ERRNO.deadlock) && attempt < DEADLOCK_RETRIES_MAX;
      // Others would wait for the locks of a member that has failed until they time out.
      const undone = session.executeLong('ROLLBACK');
      if (!again) {
        await undone.catch(() => undefined);
        throw inMember(error, request.reader, member);
      }
      await undone;
    }
  }
}

async function insertAll(
  session: Session,
  statements: readonly Buffer[],
  member: MemberEntry,
  reader: ArchiveReader,
): Promise<number> {
  let rows = 0;
  await session.execute('START TRANSACTION');
  for (const statement of statements) {
    rows += (await session.executeLong(statement)).affectedRows;
  }
  await session.executeLong('COMMIT');
  if (member.rows !== undefined && rows !== member.rows) {
    throw new ReshelveError(
      'VERIFY_FAILED',
      `table ${member.table ?? ''} of ${reader.name}: expected ${member.rows} inserted rows of ` +
        `member ${member.number} but found ${rows}`,
    );
  }
  return rows;
}

function inMember(error: unknown, reader: ArchiveReader, member: MemberEntry): unknown {
  if (!(error instanceof ReshelveError)) return error;
  const what =
    member.object === undefined
      ? `table ${member.table ?? ''}`
      : `${member.object.type} ${member.object.name}`;
  return new ReshelveError(error.code, `${what} of ${reader.name}: ${error.message}`, {
    hint: error.hint,
    cause: error,
  });
}

/** Each session takes the next item until none is left; the first failure stops all. */
export async function inParallel<T>(
  sessions: readonly Session[],
  items: readonly T[],
  work: (session: Session, item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  await Promise.all(
    sessions.map(async (session) => {
      while (failures.length === 0) {
        const item = items[next];
        next += 1;
        if (item === undefined) return;
        try {
          await work(session, item);
        } catch (error) {
          failures.push(error);
        }
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}
