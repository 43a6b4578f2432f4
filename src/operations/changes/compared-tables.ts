/**
 * Finds out which tables, and which ranges of their keys, differ from the newest state of a chain: each
 * known range is read again and hashed, and its digest compared with the one that the index keeps.
 */
import type { RangeEntry, TableEntry } from '../../archive/index-types.js';
import { assert } from '../../errors.js';
import { WHOLE_TABLE } from '../../mysql/key-ranges.js';
import { hasOwnRows } from '../../mysql/schema-tables.js';
import type { TableRecord } from '../../mysql/schema.js';
import type { TableDigest } from '../../sql/digest.js';
import { equalDigests } from '../../sql/digest.js';
import type { ChainArchives } from '../chains/chain-archives.js';
import { tableMemberSql, withoutCounter } from '../dump/definitions.js';
import { tableEntry } from '../dump/index-entries.js';
import type { GivenSplit, PlannedTable, TableResult } from '../dump/read-tables.js';
import { readTables } from '../dump/read-tables.js';
import type { Run } from '../run.js';
import type { SnapshotReading } from '../dump/snapshot-reading.js';

/** What an incremental must write of a table. */
export type TableChange =
  | { readonly kind: 'none'; readonly result: TableResult }
  /** Rows of some ranges; `changed` are their ordinals. */
  | {
      readonly kind: 'ranges';
      readonly result: TableResult;
      readonly split: GivenSplit;
      readonly changed: ReadonlySet<number>;
    }
  /** Definition and all rows: it is new, was altered, or has no ranges to tell apart. */
  | { readonly kind: 'whole'; readonly planned: PlannedTable };

export interface ComparedTables {
  /** In the order of the schema. */
  readonly changes: readonly TableChange[];
  readonly rowsRead: number;
  readonly rangesCompared: number;
}

export async function compareTables(
  run: Run,
  reading: SnapshotReading,
  base: ChainArchives,
): Promise<ComparedTables> {
  const known = new Map(base.index.tables.map((table) => [table.name, table]));
  const ranges = rangesByTable(base.index.ranges);
  const planned = reading.schema.tables.map((record) => reading.plan(record));
  const comparable: PlannedTable[] = [];
  for (const table of planned) {
    const before = known.get(table.record.name);
    if (before === undefined || !(await isSameTable(reading, base, before, table))) continue;
    const split = givenSplit(before, ranges.get(before.name) ?? [], table.record);
    if (split !== undefined) comparable.push({ ...table, split });
  }
  const results = await hashTables(run, reading, comparable);
  const byName = new Map(results.map((result) => [result.planned.record.name, result]));
  return {
    changes: planned.map((table) => {
      const result = byName.get(table.record.name);
      const before = known.get(table.record.name);
      if (result === undefined || before === undefined) return { kind: 'whole', planned: table };
      return judge(table, result, before, ranges.get(before.name) ?? []);
    }),
    rowsRead: results.reduce((rows, result) => rows + result.digest.rows, 0),
    rangesCompared: results.reduce((count, result) => count + result.ranges.length, 0),
  };
}

function rangesByTable(ranges: readonly RangeEntry[]): Map<string, RangeEntry[]> {
  const byTable = new Map<string, RangeEntry[]>();
  for (const range of ranges) {
    const list = byTable.get(range.table);
    if (list === undefined) byTable.set(range.table, [range]);
    else list.push(range);
  }
  return byTable;
}

/** The same definition, and digests that were made in the same way. */
async function isSameTable(
  reading: SnapshotReading,
  base: ChainArchives,
  before: TableEntry,
  { record, columns }: PlannedTable,
): Promise<boolean> {
  const place = base.table(record.name);
  if (place === undefined) return false;
  const now = tableEntry({ planned: { record, columns }, key: null, ranges: [], digest: NOTHING });
  const sameColumns = JSON.stringify(now.columns) === JSON.stringify(before.columns);
  const sameKind = (now.versioned ?? false) === (before.versioned ?? false);
  if (!sameColumns || !sameKind || record.engine !== before.engine) return false;
  const archived = await place.reader.readMember(place.member.number);
  const { sql } = tableMemberSql(record, reading.schema.name);
  // A table that took the name of a view begins with one statement more.
  return withoutCounter(archived).endsWith(withoutCounter(sql));
}

const NOTHING: TableDigest = { rows: 0, sum: '', xor: '' };

/** Undefined where the key that the known ranges follow is not there any more. */
function givenSplit(
  before: TableEntry,
  ranges: readonly RangeEntry[],
  record: TableRecord,
): GivenSplit | undefined {
  if (before.key === null || ranges.length < 2) return { key: null, ranges: [WHOLE_TABLE] };
  const wanted = before.key.join('\0');
  const key = record.uniqueKeys.find(
    (candidate) => candidate.identifiesRows && candidate.columns.join('\0') === wanted,
  );
  if (key === undefined) return undefined;
  return { key, ranges: ranges.map(({ lower, upper }) => ({ lower, upper })) };
}

async function hashTables(
  run: Run,
  reading: SnapshotReading,
  tables: readonly PlannedTable[],
): Promise<TableResult[]> {
  const total = tables.reduce((rows, table) => rows + table.record.estimatedRows, 0);
  let done = 0;
  const results = await readTables({
    database: reading.schema.name,
    tables,
    snapshot: reading.snapshot,
    keepTableLock: true,
    definitionsMayChange: reading.definitionsMayChange,
    onRows: (rows) => {
      done += rows;
      run.context.output.progress({ activity: 'Comparing rows', done, total, unit: 'rows' });
    },
  });
  run.context.output.progress(null);
  return results;
}

/** Engines whose rows can be deleted by range and inserted again without another trace. */
const ENGINES_WITH_DELETE = new Set(['innodb', 'myisam', 'aria', 'rocksdb']);

function judge(
  planned: PlannedTable,
  result: TableResult,
  before: TableEntry,
  ranges: readonly RangeEntry[],
): TableChange {
  if (!hasOwnRows(planned.record.engine)) return { kind: 'none', result };
  const changed = new Set(
    result.ranges.flatMap(({ digest }, at) => {
      const known = ranges[at] ?? { rows: before.rows, ...before.digest };
      return equalDigests(digest, known) ? [] : [at];
    }),
  );
  if (changed.size === 0) return { kind: 'none', result };
  const { split } = result.planned;
  assert(split !== undefined, 'a table that was compared has given ranges');
  const canDelete =
    ENGINES_WITH_DELETE.has(planned.record.engine.toLowerCase()) &&
    planned.record.kind === 'table' &&
    split.key !== null;
  // With every range changed there is nothing to save, and a new division suits the table better.
  if (!canDelete || changed.size === result.ranges.length) return { kind: 'whole', planned };
  return { kind: 'ranges', result, split, changed };
}
