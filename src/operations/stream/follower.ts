/**
 * Follows the log over one connection, from the end of a chain, and closes segment after segment. Whatever
 * ends it early loses nothing: the next one begins where the last finished segment ends.
 */
import type { BinlogPlace, IndexHeader } from '../../archive/index-types.js';
import { EVENT } from '../../binlog/event.js';
import type { PlacedEvent } from '../../binlog/event-stream.js';
import { isBefore } from '../../binlog/log-position.js';
import { readCoordinates } from '../../mysql/coordinates.js';
import { followBinlog } from '../../mysql/binlog-stream.js';
import type { Session } from '../../mysql/session.js';
import { breakOf, notThere } from '../changes/capture-binlog.js';
import { findStart } from '../changes/capture-checks.js';
import type { CaptureStart } from '../changes/capture-checks.js';
import type { Captured } from '../changes/capture-types.js';
import { describeCapture, LogCapture, readClockMs } from '../changes/log-capture.js';
import { readServerSide } from '../changes/write-changes.js';
import type { ServerSide } from '../changes/write-changes.js';
import type { Context } from '../context.js';
import { dropHint, gap } from '../incremental.js';
import { lookAtDatabase } from '../load/target-database.js';
import { openServer } from '../sessions.js';
import { judgeBase } from './base-choice.js';
import { OpenSegment } from './open-segment.js';
import { pause } from './pause.js';
import { publishSegment } from './publish-segment.js';
import type { Published } from './publish-segment.js';

/** A segment is closed early once its file is so long. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** Another run is in the way: how soon to try again. */
const HELD_UP_MS = 1000;
/** Without changes a segment comes so often at most, and only where the server has begun another file. */
const EMPTY_SEGMENT_MS = 3600 * 1000;
/** How long a stop waits for the rest of the log; what is not saved by then stays on the server. */
const STOP_MS_MAX = 3000;

export interface FollowerEvents {
  onSaved(published: Extract<Published, { kind: 'saved' }>): void;
  onHeldUp(by: string): void;
  /** Everything up to then is safe, or nothing has changed. */
  onCaptured(untilMs: number): void;
  onLag(seconds: number): void;
}

export interface FollowerParts {
  readonly context: Context;
  /** Of the archive that is built on. */
  readonly base: IndexHeader;
  /** Aborts when what there is shall be saved, and no more. */
  readonly stop: AbortSignal;
  readonly events: FollowerEvents;
}

/** `stopped`: as asked. `moved`: the chain goes on elsewhere, and must be looked up again. */
export type FollowerEnd = 'stopped' | 'moved';

/** Throws CHAIN_GAP where nothing can follow, and the errors of server and disk. */
export async function follow(parts: FollowerParts): Promise<FollowerEnd> {
  const { context, base } = parts;
  const open = (): Promise<Session> => openServer(context, context.configuration.server);
  const session = await open();
  let follower: Follower;
  let start: CaptureStart;
  try {
    const from = { ...base.coordinates, serverUuid: base.serverUuid };
    const request = { from, binlog: base.binlog, flavour: base.serverFlavour };
    const found = await findStart(session, request, open);
    if (found.kind === 'break') throw gap(found.message, await dropHint(context));
    start = found;
    const server = await readServerSide(context);
    const segment = new OpenSegment(context, server, base.id);
    const log = await LogCapture.create(session, {
      database: context.configuration.databaseName,
      start,
      from,
      binlog: base.binlog,
      spillDirectory: context.configuration.backup.directory,
    });
    follower = new Follower(parts, { start, server, log, segment, open });
  } finally {
    await session.close();
  }
  return follower.run();
}

interface FollowerTools {
  readonly start: CaptureStart;
  readonly server: ServerSide;
  readonly log: LogCapture;
  readonly segment: OpenSegment;
  readonly open: () => Promise<Session>;
}

/** A moment of the server: once the log is read up to `place`, everything before `clockMs` is known. */
interface Target {
  readonly place: BinlogPlace | undefined;
  readonly clockMs: number;
}

class Follower {
  readonly #parts: FollowerParts;
  readonly #tools: FollowerTools;
  #base: IndexHeader;
  #segment: OpenSegment;
  #dueMs: number;
  #target: (Target & { readonly isLast: boolean }) | undefined;
  #lastSegmentMs = performance.now();
  /** The server's clock ahead of ours, for the lag. */
  #clockAheadMs = 0;

  constructor(parts: FollowerParts, tools: FollowerTools) {
    this.#parts = parts;
    this.#tools = tools;
    this.#base = parts.base;
    this.#segment = tools.segment;
    this.#dueMs = performance.now() + this.#segmentMs;
  }

  get #segmentMs(): number {
    return this.#parts.context.configuration.backup.stream.segmentMs;
  }

  async run(): Promise<FollowerEnd> {
    const { stop } = this.#parts;
    const dump = await this.#tools.open();
    const wasCut = new Error('the capture was stopped');
    const cut = (): void => {
      dump.destroy(wasCut);
    };
    let timer: NodeJS.Timeout | undefined;
    const onStop = (): void => {
      timer = setTimeout(cut, STOP_MS_MAX);
    };
    stop.addEventListener('abort', onStop, { once: true });
    try {
      return await this.#read(dump);
    } catch (error) {
      if (error === wasCut) return 'stopped';
      throw error;
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      cut();
      this.#tools.log.close();
      await this.#segment.discard();
    }
  }

  async #read(dump: Session): Promise<FollowerEnd> {
    const { log, start } = this.#tools;
    const { context } = this.#parts;
    try {
      for await (const event of followBinlog(dump, start.dump)) {
        log.feed(event);
        if (log.hasMembers) await this.#segment.append(log.takeMembers());
        if (log.isEnded) return await this.#endChain();
        this.#tellLag(event);
        if (!log.isBetween) continue;
        context.signal.throwIfAborted();
        const end = await this.#look();
        if (end !== undefined) return end;
      }
    } catch (error) {
      const broken = breakOf(error);
      throw gap(broken.message, await dropHint(context));
    }
    return 'moved';
  }

  /** Between two transactions: whether a segment is to be closed, and what that leads to. */
  async #look(): Promise<FollowerEnd | undefined> {
    const { log } = this.#tools;
    const isLast = this.#parts.stop.aborted;
    if (this.#target === undefined || (isLast && !this.#target.isLast)) {
      const isLong = this.#segment.storedBytes >= SEGMENT_BYTES_MAX;
      if (performance.now() < this.#dueMs && !isLong && !isLast) return undefined;
      this.#target = { ...(await this.#readTarget()), isLast };
    }
    const { place, clockMs } = this.#target;
    if (place !== undefined && isBefore(log.place, place)) return undefined;
    this.#target = undefined;
    const end = await this.#close(place === undefined ? undefined : clockMs);
    return isLast ? 'stopped' : end;
  }

  async #readTarget(): Promise<Target> {
    const session = await this.#tools.open();
    try {
      const clockMs = await readClockMs(session);
      this.#clockAheadMs = clockMs - this.#parts.context.now().getTime();
      const { coordinates } = await readCoordinates(session);
      const { binlogFile, binlogPosition: position } = coordinates;
      if (binlogFile === null || position === null) return { place: undefined, clockMs };
      return { place: { binlogFile, position }, clockMs };
    } finally {
      await session.close();
    }
  }

  /** `readAtMs`: the server's clock when the log ended at most where we stand. */
  async #close(readAtMs: number | undefined): Promise<FollowerEnd | undefined> {
    const { context, events } = this.#parts;
    const verdict = await judgeBase(context, this.#base, this.#tools.log.place);
    if (verdict === 'moved') return 'moved';
    const hasChanges = this.#segment.isBegun || this.#tools.log.hasUntaken;
    if (!hasChanges && verdict === 'ours' && !this.#isTimeForEmptyOne()) {
      if (readAtMs !== undefined) events.onCaptured(readAtMs);
      this.#dueMs = performance.now() + this.#segmentMs;
      return undefined;
    }
    const published = await this.#publish(readAtMs);
    if (published.kind === 'moved') return 'moved';
    if (published.kind === 'held-up') {
      events.onHeldUp(published.by);
      this.#dueMs = performance.now() + HELD_UP_MS;
      return undefined;
    }
    return verdict === 'last' ? 'moved' : undefined;
  }

  #isTimeForEmptyOne(): boolean {
    const isInAnotherFile = this.#base.coordinates.binlogFile !== this.#tools.log.place.binlogFile;
    return isInAnotherFile && performance.now() - this.#lastSegmentMs >= EMPTY_SEGMENT_MS;
  }

  async #publish(readAtMs: number | undefined): Promise<Published> {
    const { log, server } = this.#tools;
    const { context, events } = this.#parts;
    const { members, part } = log.finish();
    await this.#segment.append(members);
    const captured = await this.#describe(part, readAtMs);
    const segment = this.#segment;
    const published = await publishSegment(context, {
      segment,
      base: this.#base,
      captured,
      server,
    });
    if (published.kind !== 'saved') return published;
    log.beginNext(part);
    this.#base = published.header;
    this.#segment = new OpenSegment(context, server, this.#base.id);
    this.#lastSegmentMs = performance.now();
    this.#dueMs = this.#lastSegmentMs + this.#segmentMs;
    events.onSaved(published);
    events.onCaptured(Date.parse(published.header.snapshotAt));
    return published;
  }

  async #describe(
    part: Parameters<typeof describeCapture>[3],
    readAtMs: number | undefined,
  ): Promise<Captured> {
    const { databaseName } = this.#parts.context.configuration;
    const { serverUuid } = this.#tools.start;
    const session = await this.#tools.open();
    try {
      const { exists } = await lookAtDatabase(session, databaseName);
      if (!exists && readAtMs !== undefined && part.converted.unreplayable === null) {
        throw gap(notThere(session, databaseName).message, await dropHint(this.#parts.context));
      }
      return await describeCapture(session, databaseName, serverUuid, part, readAtMs);
    } finally {
      await session.close();
    }
  }

  /** The log holds what cannot be replayed: what came before is saved, however long that takes. */
  async #endChain(): Promise<FollowerEnd> {
    const { context, events, stop } = this.#parts;
    for (;;) {
      const published = await this.#publish(undefined);
      if (published.kind === 'moved') return 'moved';
      if (published.kind === 'saved') {
        const reason = published.header.binlog?.unreplayable ?? 'the chain has ended';
        throw gap(reason, await dropHint(context));
      }
      events.onHeldUp(published.by);
      if (stop.aborted) return 'stopped';
      await pause(HELD_UP_MS, AbortSignal.any([stop, context.signal]));
    }
  }

  #tellLag(event: PlacedEvent): void {
    const isCaughtUp = event.type === EVENT.heartbeat || event.type === EVENT.heartbeatV2;
    const nowMs = this.#parts.context.now().getTime() + this.#clockAheadMs;
    const behindMs = isCaughtUp || event.timestamp === 0 ? 0 : nowMs - event.timestamp * 1000;
    // The log's clock counts whole seconds.
    this.#parts.events.onLag(behindMs < 2000 ? 0 : Math.floor(behindMs / 1000));
  }
}
