/** The state that somebody wants: how it is named, and where in the archives it lies. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import { parseMarker } from '../../binlog/marker.js';
import type { Marker } from '../../binlog/marker.js';
import type { ReplayEnd, ReplayPosition } from '../../binlog/replay-until.js';
import { parseInstant } from '../../catalog/instant.js';
import { ReshelveError } from '../../errors.js';
import { withMarkers } from '../chains/replay-logged.js';

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

/**
 * The marker of each transaction whose member names one of `gtids` at all: reading statement by
 * statement costs more than a search, and a line within a statement is no marker.
 */
async function* markersNaming(
  reader: ArchiveReader,
  gtids: ReadonlySet<string>,
): AsyncGenerator<Marker> {
  for (const member of reader.members()) {
    if (member.kind !== 'change') continue;
    const sql = await reader.readMember(member.number);
    if (![...gtids].some((gtid) => sql.includes(JSON.stringify(gtid)))) continue;
    for (const { markers } of withMarkers(sql)) yield* markers.map(parseMarker);
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
    for await (const { gtid } of markersNaming(reader, wanted)) {
      if (gtid !== null && wanted.has(gtid)) found.add(gtid);
      if (found.size === wanted.size) break;
    }
    return found;
  } finally {
    await reader.close();
  }
}

/** The GTID of each transaction in the archive at `path`, in the order of the log. */
export async function* allGtids(path: string): AsyncGenerator<string> {
  const reader = await openArchive(path);
  try {
    for (const member of reader.members()) {
      if (member.kind !== 'change') continue;
      for (const { markers } of withMarkers(await reader.readMember(member.number))) {
        for (const { gtid } of markers.map(parseMarker)) if (gtid !== null) yield gtid;
      }
    }
  } finally {
    await reader.close();
  }
}
