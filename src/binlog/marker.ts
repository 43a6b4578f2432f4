/**
 * The comment line before each transaction in the change members of an archive (docs/FORMAT.md,
 * "Logged changes"): where it stood in the server's log, when it was committed, what it touches.
 */
import * as v from 'valibot';
import { ReshelveError } from '../errors.js';

export const MARKER_START = '-- @transaction ';

export const DDL_CLASSES = [
  'create',
  'alter',
  'drop',
  'truncate',
  'rename',
  /** Views, routines, triggers, events. */
  'object',
  'database',
  'other',
] as const;
export type DdlClass = (typeof DDL_CLASSES)[number];

export interface MarkedTable {
  readonly name: string;
  readonly inserted?: number;
  readonly updated?: number;
  readonly deleted?: number;
}

export interface Marker {
  readonly gtid: string | null;
  readonly file: string;
  readonly start: number;
  /** Null where the transaction goes on in the next member. */
  readonly end: number | null;
  /** Commit time in µs since the epoch, as digits. */
  readonly at: string;
  /** The server logs whole seconds only. */
  readonly seconds?: true;
  readonly kind: 'rows' | 'ddl' | 'statement';
  readonly ddl?: DdlClass;
  /** Rows are those of this part. */
  readonly tables: readonly MarkedTable[];
  readonly continued?: true;
  readonly continues?: true;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const rows = v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(1)));

const markerSchema: v.GenericSchema<Marker> = v.object({
  gtid: v.nullable(v.pipe(v.string(), v.minLength(1))),
  file: v.pipe(v.string(), v.minLength(1)),
  start: count,
  end: v.nullable(count),
  at: v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/)),
  seconds: v.exactOptional(v.literal(true)),
  kind: v.picklist(['rows', 'ddl', 'statement'] as const),
  ddl: v.exactOptional(v.picklist(DDL_CLASSES)),
  tables: v.array(v.object({ name: v.string(), inserted: rows, updated: rows, deleted: rows })),
  continued: v.exactOptional(v.literal(true)),
  continues: v.exactOptional(v.literal(true)),
});

/** The whole line with its line feed, ASCII only. */
export function encodeMarker(marker: Marker): string {
  const ascii = JSON.stringify(marker).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${MARKER_START}${ascii}\n`;
}

export function isMarkerLine(line: string): boolean {
  return line.startsWith(MARKER_START);
}

const DELIMITER_LINE = /^DELIMITER (?!;$)/;

/**
 * The marker lines in what stands between two statements. A logged statement may itself begin with
 * comments; one that has such a line stands behind a DELIMITER line, and no marker of ours does.
 */
export function markerLines(between: string): string[] {
  const lines = between.split('\n');
  const statementAt = lines.findIndex((line) => DELIMITER_LINE.test(line));
  return (statementAt < 0 ? lines : lines.slice(0, statementAt)).filter(isMarkerLine);
}

/** Reads a line that {@link isMarkerLine}. Throws DAMAGED where it is none of ours. */
export function parseMarker(line: string): Marker {
  let value: unknown;
  try {
    value = JSON.parse(line.slice(MARKER_START.length));
  } catch (cause) {
    throw new ReshelveError('DAMAGED', 'the marker of a transaction is not valid JSON', { cause });
  }
  const result = v.safeParse(markerSchema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'it';
  throw new ReshelveError(
    'DAMAGED',
    `the marker of a transaction is not valid: ${field}: ${issue.message}`,
  );
}
