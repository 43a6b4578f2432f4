/**
 * Runs the way back in one transaction. Before each group of rows events the rows that they expect are
 * read under lock and compared to the last bit, because a server finds a row by its key alone and would
 * write over what was changed since.
 */
import type { MappedRows } from '../../binlog/reverse-statement.js';
import { binlogStatement, rowsOfStatement } from '../../binlog/reverse-statement.js';
import type { RowImage } from '../../binlog/rows-event.js';
import { parseRowsEvent } from '../../binlog/rows-event.js';
import { isSameValue, keyCondition, readExpression } from '../../binlog/image-value.js';
import { ReshelveError } from '../../errors.js';
import { orphanCount } from '../../mysql/foreign-keys.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { UndoCollector, UndoTable } from './undo-collector.js';
import { isDescription } from './undo-collector.js';
import type { PresentFacts, PresentTable } from './undo-facts.js';

export interface ApplyRequest {
  readonly session: Session;
  readonly collector: UndoCollector;
  readonly facts: PresentFacts;
  readonly onRows: (rows: number) => void;
  readonly signal: AbortSignal;
}

/** Inside of a transaction that the caller began. Throws UNDO_CONFLICT. */
export async function applyUndo(request: ApplyRequest): Promise<void> {
  const { session, collector, signal } = request;
  for (const statement of collector.statements()) {
    signal.throwIfAborted();
    const group = new Group(request);
    for (const rows of rowsOfStatement(statement)) {
      if (group.conflictsWith(rows)) await group.run();
      group.add(rows);
    }
    await group.run();
  }
  await session.ping(PING_TIMEOUT_MS);
}

const PING_TIMEOUT_MS = 60_000;

/** What a session must know before rows of a log can be run in it. */
export async function describeLog(session: Session, collector: UndoCollector): Promise<void> {
  for (const statement of collector.preamble) {
    if (isDescription(statement)) await session.execute(statement);
  }
  // The description takes GTID_NEXT away, and the next BEGIN would fail with error 1782.
  if (session.facts.flavour === 'mysql') {
    await session.execute("SET @@SESSION.GTID_NEXT = 'AUTOMATIC'");
  }
}

interface Expected {
  readonly table: UndoTable;
  readonly present: PresentTable;
  readonly rows: RowImage[];
}

/** Rows events of which no two are about the same row. */
class Group {
  readonly #request: ApplyRequest;
  #events: MappedRows[] = [];
  #expected = new Map<string, Expected>();
  readonly #touched = new Set<string>();
  #rows = 0;

  constructor(request: ApplyRequest) {
    this.#request = request;
  }

  /** Whether a row of it is one that the group has changed already. */
  conflictsWith(rows: MappedRows): boolean {
    if (this.#events.length === 0) return false;
    const key = this.#keyOf(rows.map.table);
    if (key === undefined) return false;
    return parseRowsEvent(rows.bytes, rows.map).rows.some(
      ({ before }) =>
        before !== undefined && this.#touched.has(keyText(rows.map.table, before, key)),
    );
  }

  #keyOf(table: string): readonly number[] | undefined {
    return this.#request.facts.tables.get(table)?.key;
  }

  add(rows: MappedRows): void {
    const { table: name } = rows.map;
    this.#events.push(rows);
    const parsed = parseRowsEvent(rows.bytes, rows.map).rows;
    this.#rows += parsed.length;
    const { facts, collector } = this.#request;
    const [table, present] = [collector.tables.get(name), facts.tables.get(name)];
    if (table === undefined || present?.key === undefined) return;
    const expected = this.#expected.get(name) ?? { table, present, rows: [] };
    this.#expected.set(name, expected);
    for (const { before, after } of parsed) {
      if (before !== undefined) {
        const text = keyText(name, before, present.key);
        // The log itself says what becomes of a row that an event changes more than once.
        if (!this.#touched.has(text)) expected.rows.push(before);
        this.#touched.add(text);
      }
      if (after !== undefined) this.#touched.add(keyText(name, after, present.key));
    }
  }

  async run(): Promise<void> {
    if (this.#events.length === 0) return;
    const { session, onRows } = this.#request;
    for (const { table, present, rows } of this.#expected.values()) {
      for (let at = 0; at < rows.length; at += ROWS_PER_QUERY) {
        await compare(session, table, present, rows.slice(at, at + ROWS_PER_QUERY));
      }
    }
    try {
      await session.executeLong(binlogStatement(this.#events));
    } catch (error) {
      throw conflictOf(error, [...new Set(this.#events.map(({ map }) => map.table))]);
    }
    onRows(this.#rows);
    this.#events = [];
    this.#expected = new Map();
    this.#touched.clear();
    this.#rows = 0;
  }
}

const ROWS_PER_QUERY = 100;

function keyText(table: string, row: RowImage, key: readonly number[]): string {
  const values = key.map((column) => row.values[column]?.toString('latin1') ?? null);
  return JSON.stringify([table, ...values]);
}

async function compare(
  session: Session,
  table: UndoTable,
  present: PresentTable,
  images: readonly RowImage[],
): Promise<void> {
  const columns = present.columns.map((column, number) => ({ column, number }));
  const compared = columns.filter(({ column }) => !column.isGenerated);
  const conditions = images.map((image) => `(${conditionOf(table, present, image)})`);
  const { rows } = await session.query(
    `SELECT ${compared.map(({ column }) => readExpression(column)).join(', ')} ` +
      `FROM ${quoteIdentifier(present.name)} WHERE ${conditions.join(' OR ')} FOR UPDATE`,
  );
  const left = new Set(rows);
  let missing = 0;
  for (const { values } of images) {
    const match = [...left].find((row) =>
      compared.every(({ column, number }, at) => {
        const [type, value] = [table.types[number], values[number]];
        if (type === undefined || value === undefined) return true;
        return isSameValue(type, column, value, row[at] ?? null);
      }),
    );
    if (match === undefined) missing += 1;
    else left.delete(match);
  }
  if (missing > 0) throw conflict(present.name, 'rows were changed or deleted since');
}

function conditionOf(table: UndoTable, present: PresentTable, { values }: RowImage): string {
  return (present.key ?? [])
    .map((number) => {
      const [column, type, value] = [present.columns[number], table.types[number], values[number]];
      const text = column && type && value ? keyCondition(type, column, value) : undefined;
      if (text !== undefined) return text;
      throw new ReshelveError(
        'NOT_UNDOABLE',
        `${present.name}: its key has a type by which no row can be looked up exactly`,
      );
    })
    .join(' AND ');
}

function conflict(table: string, what: string, cause?: unknown): ReshelveError {
  return new ReshelveError('UNDO_CONFLICT', `${table}: ${what}; nothing was changed`, { cause });
}

const ERRNO_ROW_MISSING = 1032;
const ERRNO_ROW_THERE = [1022, 1062, 1586];
const ERRNO_USED_DOC_ID = 182;
const ERRNO_OTHER_DEFINITION = [1535, 1677, 13_146];

function conflictOf(error: unknown, tables: readonly string[]): unknown {
  const names = tables.join(', ');
  if (isServerError(error, ERRNO_ROW_MISSING)) {
    return conflict(names, 'rows were changed or deleted since', error);
  }
  if (isServerError(error, ...ERRNO_ROW_THERE)) {
    return conflict(names, 'rows with the same unique key were made since', error);
  }
  if (isServerError(error, ERRNO_USED_DOC_ID)) {
    return new ReshelveError(
      'NOT_UNDOABLE',
      `${names}: InnoDB takes no row back whose FTS_DOC_ID was used before; nothing was changed`,
      { cause: error },
    );
  }
  if (isServerError(error, ...ERRNO_OTHER_DEFINITION)) {
    return conflict(names, 'the definition was changed since', error);
  }
  return error;
}

/**
 * Rows of a foreign key without their parent row: foreign keys were not looked at while rows came back.
 * Those that were there before, as `other` still sees it, are none of ours.
 */
export async function assertNoOrphans(
  session: Session,
  other: Session,
  { foreignKeys }: PresentFacts,
): Promise<void> {
  for (const key of foreignKeys) {
    const sql = orphanCount(key);
    const now = await countOrphans(session, sql);
    if (now === 0 || now <= (await countOrphans(other, sql))) continue;
    throw conflict(
      key.table,
      `rows would be without their row in ${key.parentTable} (foreign key ${key.name})`,
    );
  }
}

/** Where the parent table was never made all rows are such, before and after. */
async function countOrphans(session: Session, sql: string): Promise<number> {
  try {
    return Number(await session.value(sql, { timeoutMs: COUNT_TIMEOUT_MS }));
  } catch (error) {
    if (isServerError(error, ERRNO.noSuchTable)) return 0;
    throw error;
  }
}

const COUNT_TIMEOUT_MS = 24 * 3600 * 1000;
