/**
 * Splits a big table along a key into ranges that several readers take. Whatever the bounds are,
 * `key < bound` and `key >= bound` are each other's complement for a key without NULL, so no row can
 * fall between two ranges or into both; a badly chosen bound costs balance, never a row.
 */
import type { ColumnPlan } from '../sql/column-plan.js';
import { quoteIdentifier } from '../sql/quote.js';
import { encodeValue } from '../sql/row-literal.js';
import type { KeyRecord, TableRecord } from './schema.js';
import type { Session } from './session.js';

/** Literals of one place in the key, one for each of its columns. */
export type KeyBound = readonly string[];

/** Rows with `lower <= key < upper`; null is no bound on that side. */
export interface KeyRange {
  readonly lower: KeyBound | null;
  readonly upper: KeyBound | null;
}

export const WHOLE_TABLE: KeyRange = { lower: null, upper: null };

const INTEGER_TYPES = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
const SPLITTABLE_TYPES = new Set([
  ...INTEGER_TYPES,
  ...['decimal', 'float', 'double', 'char', 'varchar', 'binary', 'varbinary'],
  ...['date', 'datetime', 'timestamp'],
]);

/** More ranges than this would make the index long without making anything faster. */
const RANGES_MAX = 100_000;

/** The key that ranges of this table follow, or undefined where it has none that can be used. */
export function chooseSplitKey(table: TableRecord): KeyRecord | undefined {
  const types = new Map(table.columns.map((column) => [column.name, column.dataType]));
  return table.uniqueKeys.find(
    (key) =>
      key.identifiesRows &&
      key.columns.every((name) => SPLITTABLE_TYPES.has(types.get(name) ?? '')),
  );
}

export interface SplitRequest {
  readonly table: TableRecord;
  readonly key: KeyRecord;
  /** Plans of the key's columns, in its order. */
  readonly keyPlans: readonly ColumnPlan[];
  /** Bytes of table data that one range should hold. */
  readonly rangeBytes: number;
}

/** The ranges of a table, at least one, in key order, read within the session's snapshot. */
export async function splitIntoRanges(
  session: Session,
  request: SplitRequest,
): Promise<KeyRange[]> {
  const wanted = Math.min(
    Math.floor(request.table.estimatedBytes / request.rangeBytes),
    RANGES_MAX,
  );
  if (wanted < 2) return [WHOLE_TABLE];
  const [only] = request.key.columns;
  const type = request.table.columns.find((column) => column.name === only)?.dataType ?? '';
  const bounds =
    request.key.columns.length === 1 && INTEGER_TYPES.has(type)
      ? await integerBounds(session, request, wanted)
      : await walkedBounds(session, request, wanted);
  return rangesBetween(bounds);
}

export function rangesBetween(bounds: readonly KeyBound[]): KeyRange[] {
  const edges = [null, ...bounds, null];
  return edges.slice(1).map((upper, at) => ({ lower: edges[at] ?? null, upper }));
}

/** Integers are divided evenly between the smallest and the largest: two index look-ups. */
async function integerBounds(
  session: Session,
  request: SplitRequest,
  wanted: number,
): Promise<KeyBound[]> {
  const column = quoteIdentifier(request.key.columns[0] ?? '');
  const table = quoteIdentifier(request.table.name);
  const [extremes] = await session.records(
    `SELECT MIN(${column}) AS least, MAX(${column}) AS most FROM ${table}`,
  );
  const least = extremes?.['least'] ?? null;
  const most = extremes?.['most'] ?? null;
  if (least === null || most === null) return [];
  return evenBounds(BigInt(least), BigInt(most), wanted).map((bound) => [bound.toString()]);
}

/** At most `parts - 1` distinct bounds that divide [least, most] evenly. */
export function evenBounds(least: bigint, most: bigint, parts: number): bigint[] {
  const bounds: bigint[] = [];
  const width = most - least + 1n;
  for (let part = 1n; part < BigInt(parts); part += 1n) {
    const bound = least + (width * part) / BigInt(parts);
    if (bound > (bounds.at(-1) ?? least)) bounds.push(bound);
  }
  return bounds;
}

/** Other keys are walked in steps along the index; the server counts, only the bounds travel. */
async function walkedBounds(
  session: Session,
  request: SplitRequest,
  wanted: number,
): Promise<KeyBound[]> {
  const step = Math.max(1, Math.ceil(request.table.estimatedRows / wanted));
  const columns = request.key.columns.map(quoteIdentifier).join(', ');
  const list = request.keyPlans.map((plan) => plan.expression).join(', ');
  const bounds: KeyBound[] = [];
  while (bounds.length < RANGES_MAX) {
    const from = bounds.at(-1) ?? null;
    const { rows } = await session.query(
      `SELECT ${list} FROM ${quoteIdentifier(request.table.name)}` +
        ` FORCE INDEX (${quoteIdentifier(request.key.name)})` +
        whereRange(request.key.columns, { lower: from, upper: null }) +
        ` ORDER BY ${columns} LIMIT 1 OFFSET ${step}`,
    );
    const [row] = rows;
    if (row === undefined) return bounds;
    bounds.push(
      request.keyPlans.map((plan, at) => encodeValue(row[at] ?? null, plan).toString('utf8')),
    );
  }
  return bounds;
}

/** ` WHERE …` for the rows of a range, or nothing for the whole table. */
export function whereRange(columns: readonly string[], range: KeyRange): string {
  const conditions = [
    ...(range.lower === null ? [] : [compareKey(columns, '>', '>=', range.lower)]),
    ...(range.upper === null ? [] : [compareKey(columns, '<', '<', range.upper)]),
  ];
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/**
 * `(a, b) >= (x, y)` written out, because the optimizer reads an index range from this form and not
 * from a row comparison (MySQL Reference Manual, "Range Optimization of Row Constructor Expressions").
 */
function compareKey(
  columns: readonly string[],
  strict: '<' | '>',
  last: '<' | '>=',
  bound: KeyBound,
): string {
  const [column, ...others] = columns;
  const [value, ...values] = bound;
  const name = quoteIdentifier(column ?? '');
  if (others.length === 0) return `${name} ${last} ${value ?? 'NULL'}`;
  const rest = compareKey(others, strict, last, values);
  return `(${name} ${strict} ${value ?? 'NULL'} OR (${name} = ${value ?? 'NULL'} AND ${rest}))`;
}
