/**
 * Reads the rows of all tables with every reader of the snapshot: big tables are split along a key,
 * tables that hold a lock come first, then the largest, so that the readers end together.
 */
import { assert, ReshelveError } from '../../errors.js';
import type { ArchiveWriter, MemberInput } from '../../archive/archive-writer.js';
import type { KeyRange } from '../../mysql/key-ranges.js';
import { chooseSplitKey, splitIntoRanges, WHOLE_TABLE } from '../../mysql/key-ranges.js';
import type { RowSelection } from '../../mysql/row-stream.js';
import { plansOf, RowReader } from '../../mysql/row-stream.js';
import {
  readExactDefinition,
  readPrintedDefinitions,
  showCreateTable,
} from '../../mysql/exact-definition.js';
import { hasOwnRows } from '../../mysql/schema-tables.js';
import type { TableRecord } from '../../mysql/schema.js';
import type { Session } from '../../mysql/session.js';
import type { Snapshot } from '../../mysql/snapshot.js';
import { insertPrefix } from '../../sql/archive-text.js';
import type { ColumnPlan } from '../../sql/column-plan.js';
import type { TableDigest } from '../../sql/digest.js';
import { combineDigests } from '../../sql/digest.js';
import { HugeRowKernels } from '../../sql/kernel/huge-rows.js';
import type { SqlPiece } from '../../sql/kernel/row-encoder.js';
import { compressionFor } from './compression-choice.js';

/** Table data that one range holds, by the server's estimate. */
const RANGE_BYTES = 16 * 1024 * 1024;
const STATEMENT_BYTES_TARGET = 256 * 1024;
const MEMBER_BYTES_TARGET = 2 * 1024 * 1024;

export interface PlannedTable {
  readonly record: TableRecord;
  /** Stored columns in the order of the INSERT statements. */
  readonly columns: readonly ColumnPlan[];
  /** Ranges to read instead of ones chosen here. */
  readonly split?: GivenSplit;
}

export interface GivenSplit {
  /** The key that the ranges follow; null where there is one range, the whole table. */
  readonly key: { readonly name: string; readonly columns: readonly string[] } | null;
  readonly ranges: readonly KeyRange[];
  /** Ordinals of the only ranges to read; all where it is left out. */
  readonly only?: ReadonlySet<number>;
}

export interface RangeResult {
  readonly range: KeyRange;
  readonly digest: TableDigest;
}

export interface TableResult {
  readonly planned: PlannedTable;
  /** Columns of the key that the ranges follow, or null where the table was read whole. */
  readonly key: readonly string[] | null;
  /** In key order; together they are the whole table. */
  readonly ranges: readonly RangeResult[];
  readonly digest: TableDigest;
}

export interface ReadTablesRequest {
  readonly database: string;
  readonly tables: readonly PlannedTable[];
  readonly snapshot: Snapshot;
  /** Takes the rows; where it is left out, they are only hashed. */
  readonly writer?: ArchiveWriter;
  /** Makes another kind of member of the rows; they come as `data`. */
  readonly asMember?: (input: MemberInput) => MemberInput;
  /** More will be read from the snapshot, so tables that hold a lock keep it. */
  readonly keepTableLock?: boolean;
  /** Whether definitions can change meanwhile, so that each must be looked at again. */
  readonly definitionsMayChange: boolean;
  readonly onRows: (rows: number) => void;
}

interface TableState {
  readonly planned: PlannedTable;
  readonly key: { readonly name: string; readonly columns: readonly string[] } | undefined;
  readonly keyPlans: readonly ColumnPlan[];
  ranges: readonly KeyRange[] | undefined;
  readonly digests: (TableDigest | undefined)[];
}

interface Unit {
  readonly state: TableState;
  /** Undefined asks for the table to be split first. */
  readonly ordinal: number | undefined;
}

/** Reads everything; the results come in the order of `tables`. Throws SCHEMA_CHANGED and others. */
export async function readTables(request: ReadTablesRequest): Promise<TableResult[]> {
  const { snapshot } = request;
  const locked = new Set(snapshot.lockedTables);
  const states = request.tables.map(startState);
  const isLocked = (state: TableState): boolean => locked.has(state.planned.record.name);
  await readAll(request, states.filter(isLocked));
  if (request.keepTableLock !== true) await snapshot.releaseTableLock();
  await readAll(
    request,
    states.filter((state) => !isLocked(state)),
  );
  return states.map(finishState);
}

function startState(planned: PlannedTable): TableState {
  const { split } = planned;
  if (split !== undefined) {
    return {
      planned,
      key: split.key ?? undefined,
      keyPlans: [],
      ranges: split.ranges,
      digests: [],
    };
  }
  const chosen = chooseSplitKey(planned.record);
  const keyPlans = chosen === undefined ? undefined : plansOf(planned.columns, chosen.columns);
  return {
    planned,
    key: keyPlans === undefined ? undefined : chosen,
    keyPlans: keyPlans ?? [],
    ranges: undefined,
    digests: [],
  };
}

async function readAll(request: ReadTablesRequest, states: readonly TableState[]): Promise<void> {
  const queue: Unit[] = states
    .filter((state) => hasOwnRows(state.planned.record.engine))
    .sort((left, right) => bytesOf(right) - bytesOf(left))
    .map((state) => ({ state, ordinal: undefined }));
  const failures: unknown[] = [];
  let underWay = 0;
  const wakers: (() => void)[] = [];
  const wakeAll = (): void => {
    for (const wake of wakers.splice(0)) wake();
  };
  const hugeRows = new HugeRowKernels();
  const work = async (session: Session): Promise<void> => {
    const reader = new RowReader(hugeRows);
    while (failures.length === 0) {
      const unit = queue.shift();
      if (unit === undefined) {
        if (underWay === 0) return;
        await new Promise<void>((resolve) => wakers.push(resolve));
        continue;
      }
      underWay += 1;
      try {
        queue.unshift(...(await runUnit(request, session, reader, unit)));
      } catch (error) {
        failures.push(error);
        stopReaders(request.snapshot, error);
      } finally {
        underWay -= 1;
        wakeAll();
      }
    }
  };
  await Promise.all(request.snapshot.readers.map(work));
  if (failures.length > 0) throw failures[0];
}

/** What the other readers still fetch is of no use any more. */
function stopReaders(snapshot: Snapshot, error: unknown): void {
  const reason = error instanceof Error ? error : new Error(String(error));
  for (const session of snapshot.readers) session.destroy(reason);
}

function bytesOf(state: TableState): number {
  return state.planned.record.estimatedBytes;
}

/** Splits or reads; the ranges of a table that was split come back as further units. */
async function runUnit(
  request: ReadTablesRequest,
  session: Session,
  reader: RowReader,
  unit: Unit,
): Promise<Unit[]> {
  const { state, ordinal } = unit;
  if (ordinal === undefined) {
    state.ranges ??= await splitTable(session, state);
    if (state.ranges.length > 1) {
      return state.ranges
        .map((_, at) => ({ state, ordinal: at }))
        .filter(({ ordinal: at }) => state.planned.split?.only?.has(at) ?? true);
    }
  }
  await readRange(request, session, reader, { state, ordinal: ordinal ?? 0 });
  return [];
}

async function splitTable(session: Session, state: TableState): Promise<KeyRange[]> {
  const { key, keyPlans, planned } = state;
  if (key === undefined) return [WHOLE_TABLE];
  const fullKey = planned.record.uniqueKeys.find((candidate) => candidate.name === key.name);
  assert(fullKey !== undefined, 'the chosen key is one of the table');
  return splitIntoRanges(session, {
    table: planned.record,
    key: fullKey,
    keyPlans,
    rangeBytes: RANGE_BYTES,
  });
}

async function readRange(
  request: ReadTablesRequest,
  session: Session,
  reader: RowReader,
  unit: { readonly state: TableState; readonly ordinal: number },
): Promise<void> {
  const { state, ordinal } = unit;
  const { planned, ranges } = state;
  const range = ranges?.[ordinal];
  assert(range !== undefined, 'a table is split before it is read');
  const { name } = planned.record;
  if (request.definitionsMayChange) await session.execute('SAVEPOINT reshelve');
  const digest = await reader.read(
    session,
    selectionOf(state, range),
    { ...encodeOptions(planned), hashOnly: request.writer === undefined },
    async (piece) => appendPiece(request, name, ordinal, piece),
  );
  state.digests[ordinal] = digest;
  if (request.writer === undefined) request.onRows(digest.rows);
  if (!request.definitionsMayChange) return;
  await assertUnchanged(session, request.database, planned.record);
  await session.execute('ROLLBACK TO SAVEPOINT reshelve');
}

function selectionOf(state: TableState, range: KeyRange): RowSelection {
  const { record, columns } = state.planned;
  const key = (state.ranges?.length ?? 1) > 1 ? state.key : undefined;
  return {
    table: record.name,
    columns,
    versioned: record.kind === 'system-versioned',
    ...(key === undefined ? {} : { key }),
    range,
  };
}

function encodeOptions(planned: PlannedTable): Parameters<RowReader['read']>[2] {
  return {
    insertPrefix: insertPrefix(
      planned.record.name,
      planned.columns.map((column) => column.name),
    ),
    statementBytesTarget: STATEMENT_BYTES_TARGET,
    memberBytesTarget: MEMBER_BYTES_TARGET,
  };
}

async function appendPiece(
  request: ReadTablesRequest,
  table: string,
  range: number,
  piece: SqlPiece,
): Promise<void> {
  if (request.writer === undefined) return;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const member: MemberInput = {
    kind: 'data',
    sql: piece.sql,
    table,
    range,
    rows: piece.rows,
    statements: piece.statements,
    longestStatement: piece.longestStatement,
    compression: compressionFor(piece.sql),
    release,
  };
  await request.writer.append(request.asMember === undefined ? member : request.asMember(member));
  if (piece.isLent) await released;
  request.onRows(piece.rows);
}

/**
 * While the SELECT's metadata lock is still held, the definition must be the one that the archive
 * has: then rows and definition belong together.
 */
async function assertUnchanged(
  session: Session,
  database: string,
  record: TableRecord,
): Promise<void> {
  const now = await showCreateTable(session, database, record.name);
  const expected = comparable(record.createStatement);
  // A `?` may stand for any character that the server could not print.
  if (!now.includes('?') && comparable(now) === expected) return;
  const [printed] = await readPrintedDefinitions(session, database, [record.name]);
  assert(printed !== undefined, 'a table has its definition');
  const exact = await readExactDefinition(session, database, record.name, printed);
  if (comparable(exact.createStatement) !== expected) {
    throw new ReshelveError(
      'SCHEMA_CHANGED',
      `table ${database}.${record.name} was altered while it was being read`,
    );
  }
}

/** The counter moves with every INSERT and is no part of the definition. */
function comparable(createStatement: Buffer): string {
  return createStatement.toString('latin1').replace(/ AUTO_INCREMENT=\d+/g, '');
}

function finishState(state: TableState): TableResult {
  if (!hasOwnRows(state.planned.record.engine)) {
    return { planned: state.planned, key: null, ranges: [], digest: combineDigests([]) };
  }
  const { ranges } = state;
  assert(ranges !== undefined, 'every table was read');
  const results = ranges.flatMap((range, at): RangeResult[] => {
    const digest = state.digests[at];
    if (digest === undefined && state.planned.split?.only?.has(at) === false) return [];
    assert(digest !== undefined, 'every range was read');
    return [{ range, digest }];
  });
  return {
    planned: state.planned,
    key: ranges.length > 1 ? (state.key?.columns ?? null) : null,
    ranges: results,
    digest: combineDigests(results.map((result) => result.digest)),
  };
}
