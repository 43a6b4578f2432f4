/** The state that somebody wants: how it is named, and where in the archives it lies. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import { isMarkerLine, parseMarker } from '../../binlog/marker.js';
import type { Marker } from '../../binlog/marker.js';
import type { ReplayEnd, ReplayPosition } from '../../binlog/replay-until.js';
import { parseInstant } from '../../catalog/instant.js';
import { ReshelveError } from '../../errors.js';

/** As given on the command line; at most one of the four ends. */
export interface TargetWish {
  readonly to?: string;
  readonly toGtid?: string;
  readonly beforeGtid?: string;
  readonly toPosition?: string;
  /** Transactions to leave out. */
  readonly skipGtids: readonly string[];
}

export const NO_TARGET: TargetWish = { skipGtids: [] };

/** Throws USAGE. */
export function readTarget(wish: TargetWish, timeZone: string): ReplayEnd | undefined {
  const ends: ReplayEnd[] = [];
  const { to, toGtid, beforeGtid, toPosition } = wish;
  if (to !== undefined) {
    ends.push({ kind: 'instant', instant: parseInstant(to, timeZone, '--to') });
  }
  if (toGtid !== undefined) ends.push({ kind: 'gtid', gtid: toGtid.trim().toLowerCase() });
  if (beforeGtid !== undefined) {
    ends.push({ kind: 'before-gtid', gtid: beforeGtid.trim().toLowerCase() });
  }
  if (toPosition !== undefined) ends.push({ kind: 'position', place: readPosition(toPosition) });
  if (ends.length > 1) {
    throw new ReshelveError(
      'USAGE',
      'expected one of --to, --to-gtid, --before-gtid and --to-position but found several',
    );
  }
  return ends[0];
}

function readPosition(text: string): ReplayPosition {
  const [, file, position] = /^([^:/]+\.\d+):(\d{1,15})$/.exec(text.trim()) ?? [];
  if (file === undefined || position === undefined) {
    throw new ReshelveError(
      'USAGE',
      `--to-position ${JSON.stringify(text)}: expected FILE:POSITION such as binlog.000012:4711`,
    );
  }
  return { file, position: Number(position) };
}

/** The marker of each transaction in an archive of logged changes, in the order of the log. */
export async function* markersOf(reader: ArchiveReader): AsyncGenerator<Marker> {
  for (const member of reader.members()) {
    if (member.kind !== 'change') continue;
    const sql = await reader.readMember(member.number);
    for (const line of markerLines(sql)) yield parseMarker(line);
  }
}

const LINE_START = Buffer.from('\n-- @transaction ');

/**
 * A line within a statement could look like a marker; such a one is no JSON of ours in all but a
 * wilful case, and a replay, which reads statements, does not take it for one.
 */
function* markerLines(sql: Buffer): Generator<string> {
  let at = sql.indexOf(LINE_START.subarray(1)) === 0 ? -1 : sql.indexOf(LINE_START);
  while (at >= -1) {
    const start = at + 1;
    const end = sql.indexOf(0x0a, start);
    const line = sql.toString('latin1', start, end < 0 ? sql.length : end);
    if (isMarkerLine(line)) yield line;
    const next = sql.indexOf(LINE_START, Math.max(end, start));
    if (next < 0) return;
    at = next;
  }
}

/** Whether the archive at `path` has each transaction, by GTID. */
export async function findGtids(
  path: string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const reader = await openArchive(path);
  try {
    if (reader.index.header.chain?.method !== 'binlog') return found;
    for await (const { gtid } of markersOf(reader)) {
      if (gtid !== null && wanted.has(gtid)) found.add(gtid);
      if (found.size === wanted.size) break;
    }
    return found;
  } finally {
    await reader.close();
  }
}
