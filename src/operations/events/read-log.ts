/** Goes through the log of the database, stretch by stretch, and hands each transaction on. */
import { join } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { BinlogPlace, ChangeEntry, IndexHeader } from '../../archive/index-types.js';
import { isBefore } from '../../binlog/log-position.js';
import type { LoggedTransaction } from '../../binlog/logged-transaction.js';
import { TransactionMerger } from '../../binlog/logged-transaction.js';
import { parseMarker } from '../../binlog/marker.js';
import { DROPS_PART, TableSizes } from '../../binlog/transaction-marks.js';
import type { XaStore } from '../../binlog/xa.js';
import type { ChainModel } from '../../catalog/chain.js';
import type { Micros } from '../../catalog/instant.js';
import { EXIT, ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import { dropsPart } from '../../sql/drops-part.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { withMarkers } from '../chains/replay-logged.js';
import type { Context, Warning } from '../context.js';
import { openServer } from '../sessions.js';
import type { ArchiveStretch, LogStretch, ServerStretch } from './log-stretches.js';
import { logStretches } from './log-stretches.js';
import type { ServerLogStart } from './server-log.js';
import { readServerLog, startAfter, startOfLog } from './server-log.js';

/** µs; either may be left out. */
export interface WantedSpan {
  readonly from?: Micros;
  readonly until?: Micros;
}

/** What no incremental could carry on: a database dropped, a file loaded by a statement. */
export interface ChainEnd {
  readonly reason: string;
  readonly place: BinlogPlace;
  readonly at: Micros;
}

/** Where a transaction was found, and what that means for a recovery to it. */
export interface LogSource {
  /** As in the catalog; null for the server itself. */
  readonly file: string | null;
  readonly isRecoverable: boolean;
}

export interface LogVisitor {
  /** `sizes` are those before it. */
  transaction(transaction: LoggedTransaction, source: LogSource, sizes: TableSizes): void;
  chainEnd(end: ChainEnd, source: LogSource): void;
  warn(warning: Warning): void;
}

/** Commit times follow the order of the log but for small differences, and for a clock that was set. */
const CLOCK_MARGIN = 600_000_000n;

/** Throws where neither backups nor the server have a log. */
export async function readLog(
  context: Context,
  chains: ChainModel,
  span: WantedSpan,
  visitor: LogVisitor,
): Promise<void> {
  const reading = new LogReading(context, span, visitor);
  try {
    await reading.run(logStretches(chains), chains);
  } finally {
    await reading.close();
  }
}

class LogReading {
  readonly #context: Context;
  readonly #span: WantedSpan;
  readonly #visitor: LogVisitor;
  readonly #sizes = new TableSizes();
  #session: Session | undefined;
  #isUnreachable = false;
  #last: { readonly place: BinlogPlace; readonly at: Micros } | undefined;

  constructor(context: Context, span: WantedSpan, visitor: LogVisitor) {
    this.#context = context;
    this.#span = span;
    this.#visitor = visitor;
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  async run(stretches: readonly LogStretch[], chains: ChainModel): Promise<void> {
    if (stretches.length === 0) return this.#readWholeServer();
    const first = Math.max(
      0,
      stretches.findIndex((stretch) => this.#touches(stretch)),
    );
    await this.#startSizes(stretches, first, chains);
    for (const stretch of stretches.slice(first)) {
      this.#context.signal.throwIfAborted();
      if (!this.#touches(stretch)) continue;
      if (stretch.kind === 'archive') await this.#readArchive(stretch);
      else await this.#readServer(stretch);
    }
  }

  #touches({
    from,
    to,
  }: {
    readonly from: Micros | undefined;
    readonly to: Micros | undefined;
  }): boolean {
    const { from: wantedFrom, until } = this.#span;
    const isTooOld = wantedFrom !== undefined && to !== undefined && to < wantedFrom - CLOCK_MARGIN;
    const isTooNew = until !== undefined && from !== undefined && from > until + CLOCK_MARGIN;
    return !isTooOld && !isTooNew;
  }

  /** The newest full backup before the first stretch knows its rows; what lies between adds to them. */
  async #startSizes(
    stretches: readonly LogStretch[],
    first: number,
    chains: ChainModel,
  ): Promise<void> {
    const start = stretches[first]?.from;
    const full = chains
      .chains()
      .map((chain) => chain.full)
      .findLast(({ exists, snapshotAt }) => exists && (start === undefined || snapshotAt <= start));
    if (full === undefined) return;
    await this.#withArchive(full.file, (reader) => {
      this.#sizes.reset(reader.index.tables);
      return Promise.resolve();
    });
    for (const stretch of stretches.slice(0, first)) {
      if (stretch.to === undefined || stretch.to <= full.snapshotAt) continue;
      if (stretch.kind === 'server') this.#sizes.forget();
      else {
        await this.#withArchive(stretch.backup.file, (reader) => {
          for (const { tables } of reader.index.changes) this.#sizes.applySum(tables);
          return Promise.resolve();
        });
      }
    }
  }

  async #withArchive(file: string, work: (reader: ArchiveReader) => Promise<void>): Promise<void> {
    const path = join(this.#context.configuration.backup.directory, file);
    try {
      const reader = await openArchive(path);
      try {
        await work(reader);
      } finally {
        await reader.close();
      }
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.exitCode !== EXIT.integrity) throw error;
      this.#sizes.forget();
      this.#visitor.warn({ code: error.code, message: `${file} cannot be read: ${error.message}` });
    }
  }

  async #readArchive({ backup, isReachable }: ArchiveStretch): Promise<void> {
    const source = { file: backup.file, isRecoverable: isReachable };
    await this.#withArchive(backup.file, async (reader) => {
      const merger = new TransactionMerger();
      for (const change of reader.index.changes) {
        if (!this.#touches(boundsOf(change))) {
          this.#sizes.applySum(change.tables);
          continue;
        }
        this.#feed(merger, await reader.readMember(change.member), source);
      }
      this.#take(merger.finish(), source);
      this.#takeEndOf(reader.index.header, source);
    });
  }

  #takeEndOf({ binlog, coordinates, snapshotAt }: IndexHeader, source: LogSource): void {
    const { binlogFile, binlogPosition: position } = coordinates;
    const reason = binlog?.unreplayable ?? null;
    if (reason === null || binlogFile === null || position === null) return;
    const at = BigInt(Date.parse(snapshotAt)) * 1000n;
    if (!this.#touches({ from: at, to: at })) return;
    this.#visitor.chainEnd({ reason, place: { binlogFile, position }, at }, source);
  }

  #feed(merger: TransactionMerger, sql: Buffer, source: LogSource): void {
    for (const { statement, markers } of withMarkers(sql)) {
      for (const line of markers) this.#take(merger.push(parseMarker(line)), source);
      if (!statement.kind.startsWith('SET')) merger.describe(describe(statement));
    }
  }

  #take(transaction: LoggedTransaction | undefined, source: LogSource): void {
    if (transaction === undefined || this.#isKnown(transaction)) return;
    const { from, until } = this.#span;
    const { at, isInSeconds } = transaction;
    const latest = isInSeconds ? at + 999_999n : at;
    const isWanted = (from === undefined || latest >= from) && (until === undefined || at <= until);
    if (isWanted) this.#visitor.transaction(transaction, source, this.#sizes);
    this.#sizes.apply(transaction);
  }

  /** Two backups may hold the same stretch of the log. */
  #isKnown({ file, start, at }: LoggedTransaction): boolean {
    const place = { binlogFile: file, position: start };
    const last = this.#last;
    if (last !== undefined && !isBefore(last.place, place) && at <= last.at) return true;
    this.#last = { place, at };
    return false;
  }

  async #openServer(): Promise<Session | undefined> {
    if (this.#session !== undefined || this.#isUnreachable) return this.#session;
    try {
      this.#session = await openServer(this.#context, this.#context.configuration.server);
      return this.#session;
    } catch (error) {
      if (!(error instanceof ReshelveError) || !UNREACHABLE.has(error.code)) throw error;
      this.#isUnreachable = true;
      const message = `only backups are shown, because the server does not answer: ${error.message}`;
      this.#visitor.warn({ code: error.code, message });
      return undefined;
    }
  }

  async #readServer({ after, until, canFollow, to }: ServerStretch): Promise<void> {
    const session = await this.#openServer();
    if (session === undefined) return;
    let header: IndexHeader | undefined;
    await this.#withArchive(after.file, (reader) => {
      ({ header } = reader.index);
      return Promise.resolve();
    });
    if (header === undefined) return;
    const { coordinates, serverUuid, serverFlavour: flavour, binlog } = header;
    const origin = { from: { ...coordinates, serverUuid }, binlog, flavour };
    const start = await startAfter(this.#context, session, origin);
    if (typeof start !== 'string') return this.#stream(session, start, canFollow, until);
    this.#sizes.forget();
    const message = `what came after ${after.file} is not all there: ${start}`;
    this.#visitor.warn({ code: 'LOG_GAP', message });
    if (to === undefined) await this.#readFromOldest(session);
  }

  async #readFromOldest(session: Session): Promise<void> {
    const start = await startOfLog(session);
    if (typeof start === 'string') this.#visitor.warn({ code: 'NO_LOG', message: start });
    else await this.#stream(session, start, false, undefined);
  }

  /** Without any backup the log can still be looked at. */
  async #readWholeServer(): Promise<void> {
    this.#session = await openServer(this.#context, this.#context.configuration.server);
    const start = await startOfLog(this.#session);
    if (typeof start === 'string') throw new ReshelveError('NO_LOG', start);
    this.#visitor.warn({
      code: 'NO_BACKUP',
      message: 'there is no backup that a recovery could begin with: run `reshelve full`',
    });
    await this.#stream(this.#session, start, false, undefined);
  }

  async #stream(
    session: Session,
    start: ServerLogStart,
    canFollow: boolean,
    until: BinlogPlace | undefined,
  ): Promise<void> {
    const merger = new TransactionMerger();
    let source: LogSource = { file: null, isRecoverable: canFollow };
    const reading = { xaStore: new UnkeptXa(), ...(until === undefined ? {} : { until }) };
    for await (const piece of readServerLog(this.#context, session, start, reading)) {
      if (piece.kind === 'changes') this.#feed(merger, piece.sql, source);
      else {
        this.#take(merger.finish(), source);
        if (this.#touches({ from: piece.at, to: piece.at })) this.#visitor.chainEnd(piece, source);
        // The incremental that holds what came before ends here.
        source = { file: null, isRecoverable: false };
      }
      if (this.#isPast()) break;
    }
    this.#take(merger.finish(), source);
  }

  #isPast(): boolean {
    const { until } = this.#span;
    return until !== undefined && this.#last !== undefined && this.#last.at > until + CLOCK_MARGIN;
  }
}

const UNREACHABLE: ReadonlySet<string> = new Set(['CONNECT', 'ACCESS_DENIED', 'TIMEOUT']);

function boundsOf({ firstAt, lastAt }: ChangeEntry): { from: Micros; to: Micros } {
  const [first, last] = [BigInt(firstAt), BigInt(lastAt)];
  return first < last ? { from: first, to: last } : { from: last, to: first };
}

function describe({ kind, text, lex }: SplitStatement): string {
  return kind === 'ALTER TABLE' && dropsPart(text, lex) ? `${kind} ${DROPS_PART}` : kind;
}

/** Only counts are wanted, and those are kept apart from the rows. */
class UnkeptXa implements XaStore {
  readonly #held = new Set<string>();

  append(xid: string): void {
    this.#held.add(xid);
  }

  pieces(xid: string): Iterable<Buffer> {
    return this.#held.has(xid) ? [Buffer.from('DO 0;\n')] : [];
  }

  drop(xid: string): void {
    this.#held.delete(xid);
  }
}
