/** The first line of each `change` member of an archive that was made by comparison (docs/FORMAT.md). */
import * as v from 'valibot';
import { ReshelveError } from '../../errors.js';

export interface ComparedMarker {
  /** The table that the member's statements are about; null for other objects. */
  readonly table: string | null;
  /** Ordinal of the range whose rows the member inserts. */
  readonly range?: number;
}

const LINE_START = '-- @compared ';

const markerSchema: v.GenericSchema<ComparedMarker> = v.object({
  table: v.nullable(v.string()),
  range: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

/** The whole line with its line feed, ASCII only. */
export function comparedMarkerLine(marker: ComparedMarker): Buffer {
  const ascii = JSON.stringify(marker).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return Buffer.from(`${LINE_START}${ascii}\n`);
}

/** The marker of a member, and the SQL behind it. Throws DAMAGED. */
export function splitComparedMember(sql: Buffer): {
  readonly marker: ComparedMarker;
  readonly statements: Buffer;
} {
  const end = sql.indexOf(0x0a);
  const line = sql.toString('latin1', 0, Math.max(end, 0));
  if (!line.startsWith(LINE_START)) {
    throw new ReshelveError('DAMAGED', 'a member of changes does not say what it is about');
  }
  let value: unknown;
  try {
    value = JSON.parse(line.slice(LINE_START.length));
  } catch (cause) {
    throw new ReshelveError('DAMAGED', 'the first line of a member is not valid JSON', { cause });
  }
  const result = v.safeParse(markerSchema, value, { abortEarly: true });
  if (!result.success) {
    throw new ReshelveError('DAMAGED', 'the first line of a member is not one of ours');
  }
  return { marker: result.output, statements: sql.subarray(end + 1) };
}
