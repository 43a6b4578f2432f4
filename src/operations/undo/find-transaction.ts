/** Looks for one transaction in the incrementals and on the server, the newest stretch of the log first. */
import { join } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { IndexHeader } from '../../archive/index-types.js';
import type { BinlogPlace } from '../../archive/index-types.js';
import { isBefore } from '../../binlog/log-position.js';
import type { Marker } from '../../binlog/marker.js';
import { parseMarker } from '../../binlog/marker.js';
import type { ChainModel } from '../../catalog/chain.js';
import { EXIT, ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import { withMarkers } from '../chains/replay-logged.js';
import type { Context } from '../context.js';
import type { LogStretch, ServerStretch } from '../events/log-stretches.js';
import { logStretches, placeOf } from '../events/log-stretches.js';
import { readServerLog, startAfter, startOfLog } from '../events/server-log.js';
import type { PieceSpill } from '../changes/piece-spill.js';
import type { UndoCollector } from './undo-collector.js';

export type WantedTransaction =
  | { readonly kind: 'gtid'; readonly gtid: string }
  /** Where it begins. */
  | { readonly kind: 'position'; readonly place: BinlogPlace };

export interface Found {
  /** The incremental that holds it, as in the catalog; null for the server. */
  readonly source: string | null;
}

/** `session` is left out where the server does not answer. Throws TRANSACTION_NOT_FOUND. */
export async function findTransaction(
  context: Context,
  chains: ChainModel,
  wanted: WantedTransaction,
  {
    collector,
    spill,
    session,
  }: {
    readonly collector: UndoCollector;
    readonly spill: PieceSpill;
    readonly session: Session | undefined;
  },
): Promise<Found> {
  const looked: string[] = [];
  const finder = new Finder(wanted, collector);
  const stretches = logStretches(chains).toReversed();
  for (const stretch of stretches) {
    context.signal.throwIfAborted();
    if (!mayHold(stretch, wanted)) continue;
    if (stretch.kind === 'archive') {
      looked.push(await readArchive(context, stretch.backup.file, finder));
      if (finder.isFound) return { source: stretch.backup.file };
    } else if (session !== undefined) {
      looked.push(await readServer(context, session, stretch, finder, spill));
      if (finder.isFound) return { source: null };
    } else looked.push('not on the server, which does not answer');
  }
  if (stretches.length === 0 && session !== undefined) {
    looked.push(await readStart(context, session, await startOfLog(session), finder, spill));
    if (finder.isFound) return { source: null };
  }
  throw notFound(wanted, looked);
}

function notFound(wanted: WantedTransaction, looked: readonly string[]): ReshelveError {
  const name =
    wanted.kind === 'gtid'
      ? `transaction ${wanted.gtid}`
      : `transaction that begins at ${wanted.place.binlogFile}:${wanted.place.position}`;
  const shown = looked.slice(0, LOOKED_SHOWN_MAX);
  const more = looked.length - shown.length;
  const where = [...shown, ...(more > 0 ? [`${more} older incrementals`] : [])].join(', ');
  return new ReshelveError(
    'TRANSACTION_NOT_FOUND',
    `there is no ${name} of this database; looked in: ${where === '' ? 'nothing, for no log is there' : where}`,
  );
}

const LOOKED_SHOWN_MAX = 6;

/** By positions a stretch can be told from another; GTIDs have to be looked for. */
function mayHold(stretch: LogStretch, wanted: WantedTransaction): boolean {
  if (wanted.kind === 'gtid') return true;
  const { place } = wanted;
  if (stretch.kind === 'server') {
    const from = placeOf(stretch.after.end);
    const isBehind = from === undefined || !isBefore(place, from);
    return isBehind && (stretch.until === undefined || isBefore(place, stretch.until));
  }
  const { step, end } = stretch.backup;
  const [from, to] = [step === undefined ? undefined : placeOf(step.from), placeOf(end)];
  return from !== undefined && to !== undefined && !isBefore(place, from) && isBefore(place, to);
}

/** One that is damaged must not hide the others. */
async function readArchive(context: Context, file: string, finder: Finder): Promise<string> {
  try {
    const reader = await openArchive(join(context.configuration.backup.directory, file));
    try {
      for (const change of reader.index.changes) {
        if (finder.isOver) break;
        context.signal.throwIfAborted();
        finder.feed(await reader.readMember(change.member));
      }
    } finally {
      await reader.close();
    }
    return file;
  } catch (error) {
    const isDamage = error instanceof ReshelveError && error.exitCode === EXIT.integrity;
    if (!isDamage || finder.isFound) throw error;
    return `${file} (which cannot be read: ${error.message})`;
  }
}

async function readServer(
  context: Context,
  session: Session,
  { after, until }: ServerStretch,
  finder: Finder,
  spill: PieceSpill,
): Promise<string> {
  const {
    coordinates,
    serverUuid,
    serverFlavour: flavour,
    binlog,
  } = await headerOf(context, after.file);
  const origin = { from: { ...coordinates, serverUuid }, binlog, flavour };
  const start = await startAfter(context, session, origin);
  if (typeof start !== 'string' || until !== undefined) {
    return readStart(context, session, start, finder, spill, until);
  }
  return readStart(context, session, await startOfLog(session), finder, spill);
}

async function readStart(
  context: Context,
  session: Session,
  start: Awaited<ReturnType<typeof startOfLog>>,
  finder: Finder,
  spill: PieceSpill,
  until?: BinlogPlace,
): Promise<string> {
  if (typeof start === 'string') return `not on the server (${start})`;
  const reading = { xaStore: spill, ...(until === undefined ? {} : { until }) };
  for await (const piece of readServerLog(context, session, start, reading)) {
    if (piece.kind === 'changes') finder.feed(piece.sql);
    if (finder.isOver) break;
  }
  const { binlogFile, position } = start.from;
  const from = binlogFile === '' ? '' : ` from ${binlogFile}:${position} on`;
  return `the log of ${session.where}${from}`;
}

async function headerOf(context: Context, file: string): Promise<IndexHeader> {
  const reader = await openArchive(join(context.configuration.backup.directory, file));
  await reader.close();
  return reader.index.header;
}

/** Hands the statements of the wanted transaction on, wherever in the stream it comes. */
class Finder {
  readonly #wanted: WantedTransaction;
  readonly #collector: UndoCollector;
  #isInside = false;
  /** The format description and what goes with it: a member that goes on with a transaction has none. */
  #preamble: Buffer[] = [];
  isFound = false;
  isOver = false;

  constructor(wanted: WantedTransaction, collector: UndoCollector) {
    this.#wanted = wanted;
    this.#collector = collector;
  }

  feed(sql: Buffer): void {
    if (this.isOver) return;
    let isBeforeMarkers = true;
    let isFirst = true;
    for (const { statement, markers } of withMarkers(sql)) {
      for (const line of markers) this.#turn(parseMarker(line));
      isBeforeMarkers &&= markers.length === 0;
      // A member that goes on with a transaction begins with a marker, and what follows is part of it.
      if (isBeforeMarkers) {
        if (isFirst) this.#preamble = [];
        isFirst = false;
        this.#preamble.push(statement.text);
      } else if (this.#isInside) this.#collector.take(statement);
    }
  }

  #turn(marker: Marker): void {
    if (marker.continued !== true) {
      this.isOver = this.isFound;
      this.#isInside = !this.isFound && this.#isWanted(marker);
    }
    if (!this.#isInside) return;
    this.isFound = true;
    this.#collector.begin(marker, this.#preamble);
  }

  #isWanted({ gtid, file, start }: Marker): boolean {
    if (this.#wanted.kind === 'gtid') return gtid === this.#wanted.gtid;
    const { binlogFile, position } = this.#wanted.place;
    return file === binlogFile && start === position;
  }
}
