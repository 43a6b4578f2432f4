/**
 * From the events of a log to the change members of an archive of one database. It takes event after
 * event and keeps no transaction whole; finished members wait until they are taken. What an XA transaction
 * has kept elsewhere comes back a piece at a time, while its members are being taken.
 */
import type { BinlogPlace, PendingXa } from '../archive/index-types.js';
import type { ReplayScope } from '../sql/logged-statement-scope.js';
import { ChangeMembers } from './change-members.js';
import type { ChangeMember } from './change-members.js';
import { damagedEvent, EVENT, FLAG } from './event.js';
import { CARRIES_NOTHING, OPENS_TRANSACTION } from './event-kinds.js';
import type { LogEvent } from './event.js';
import type { PlacedEvent } from './event-stream.js';
import { replayableDescription } from './format-description.js';
import { parseGtidEvent } from './gtid-event.js';
import { GtidTracker } from './gtid-tracker.js';
import { HeldXa } from './held-xa.js';
import type { HeldPiece } from './held-xa.js';
import { isBefore, LogPosition } from './log-position.js';
import { judgeLoadQuery, LoggedQueries } from './logged-queries.js';
import { parseQueryEvent } from './query-event.js';
import type { Inflate } from './query-event.js';
import { rowsKind } from './row-count.js';
import { RowEvents } from './row-events.js';
import type { CollationNames } from './session-state.js';
import { SessionState } from './session-state.js';
import { SqlSink } from './sql-sink.js';
import { Transaction } from './transaction.js';
import { parseXaPrepare, parseXaStatement } from './xa.js';
import type { XaStatement, XaStore } from './xa.js';

export interface ConverterOptions {
  readonly scope: ReplayScope;
  /** Where the archive begins: the end of the one before. */
  readonly from: BinlogPlace;
  /** Where reading begins; earlier than `from` where prepared XA transactions are read again. */
  readonly readFrom: BinlogPlace;
  readonly gtidSet: string | null;
  readonly flavour: 'mysql' | 'mariadb';
  readonly pendingXa: readonly PendingXa[];
  readonly collations: CollationNames;
  readonly inflate: Inflate;
  readonly xaStore: XaStore;
}

export interface Converted {
  /** End of the last transaction, statement or file. */
  readonly end: BinlogPlace;
  readonly gtidSet: string | null;
  /** Seconds at which the file of `end` was begun. */
  readonly fileCreatedAt: number | null;
  readonly pendingXa: readonly PendingXa[];
  readonly unreplayable: string | null;
  /** Transactions and statements seen, those of other databases included. */
  readonly seen: number;
  /** Transactions of the database that hold changes of rows as text (binlog_format). */
  readonly inText: number;
  /** Commit time in µs of the last one; null where there was none. */
  readonly lastCommitAt: bigint | null;
}

/** Beyond this a transaction goes on in another member. */
const PART_BYTES = 3_000_000;

export class LogConverter {
  readonly #options: ConverterOptions;
  readonly #position: LogPosition;
  readonly #gtids: GtidTracker;
  readonly #members: ChangeMembers;
  readonly #queries: LoggedQueries;
  readonly #rows: RowEvents;
  readonly #xa: HeldXa;
  readonly #sink = new SqlSink();
  #transaction: Transaction | undefined;
  #outcome: 'COMMIT' | 'ROLLBACK' = 'COMMIT';
  /** Rows of the transaction under way that still have to come back. */
  #release: Generator<HeldPiece, undefined> | undefined;
  /** Its last event has been taken. */
  #isSettlementDue = false;
  #end: BinlogPlace;
  /** False while transactions before the archive are read again for what they prepared. */
  #isBehindStart: boolean;
  #fileCreatedAt: number | null = null;
  #unreplayable: string | null = null;
  #seen = 0;
  #inText = 0;
  #lastCommitAt: bigint | null = null;

  constructor(options: ConverterOptions) {
    this.#options = options;
    this.#position = new LogPosition(options.readFrom);
    this.#end = options.from;
    this.#isBehindStart = !isBefore(options.readFrom, options.from);
    this.#gtids = new GtidTracker(options.flavour, options.gtidSet);
    const state = new SessionState(options.collations, options.flavour);
    this.#members = new ChangeMembers(
      () => this.#gtids.takeSince(),
      () => {
        state.forget();
      },
    );
    this.#queries = new LoggedQueries(options.scope, state, options.collations);
    this.#rows = new RowEvents(options.scope, options.inflate);
    this.#xa = new HeldXa(options.xaStore);
  }

  /** The chain has ended; nothing more may be fed. */
  get isEnded(): boolean {
    return this.#unreplayable !== null;
  }

  /** There may be some: whoever takes them finds out. */
  get hasMembers(): boolean {
    return this.#members.hasReady || this.#release !== undefined;
  }

  /** Something waits for its member to be closed. */
  get hasOpenMember(): boolean {
    return this.#members.isOpen;
  }

  /** No transaction is under way: after `finish` more may be fed, for another archive. */
  get isBetween(): boolean {
    return this.#transaction === undefined;
  }

  get place(): BinlogPlace {
    return this.#position.place;
  }

  /** The members that are complete, each once. Taken to their end, a huge one never is in memory. */
  *takeMembers(): Generator<ChangeMember, undefined> {
    yield* this.#members.take();
    while (this.#release !== undefined) {
      this.#takeBack(this.#release);
      yield* this.#members.take();
    }
  }

  /** Closes the last member. A transaction that has not come to its end is left out. */
  finish(): Converted {
    this.#takeAllBack();
    this.#members.close();
    return {
      end: this.#end,
      gtidSet: this.#gtids.text,
      fileCreatedAt: this.#fileCreatedAt,
      pendingXa: this.#xa.pending(),
      unreplayable: this.#unreplayable,
      seen: this.#seen,
      inText: this.#inText,
      lastCommitAt: this.#lastCommitAt,
    };
  }

  /** Takes the next event; its buffer is not kept, but may be changed. */
  feed(event: PlacedEvent): void {
    this.#takeAllBack();
    if (event.isInside) {
      this.#take(event, 0);
      return;
    }
    const wasBehindStart = this.#isBehindStart;
    const start = this.#position.advance(event);
    if (event.type === EVENT.rotate) this.#position.rotate(event);
    else this.#take(event, start);
    this.#isBehindStart = wasBehindStart || !isBefore(this.#position.place, this.#options.from);
    this.#isSettlementDue = true;
    if (this.#release === undefined) this.#settleWhatIsOver();
  }

  #settleWhatIsOver(): void {
    this.#isSettlementDue = false;
    if (this.#transaction?.isOver === true) this.#settle(this.#transaction);
    const isComplete = this.#transaction === undefined && !this.isEnded;
    if (isComplete && this.#isBehindStart) this.#end = this.#position.place;
  }

  #take(event: PlacedEvent, start: number): void {
    const { type } = event;
    if (rowsKind(type) !== undefined) this.#takeRows(event);
    else if (type === EVENT.tableMap) this.#rows.takeMap(event);
    else if (type === EVENT.query || type === EVENT.queryCompressed) this.#takeQuery(event, start);
    else if (type === EVENT.xid) this.#over('COMMIT');
    else if (OPENS_TRANSACTION.has(type)) this.#open(event, start);
    else if (type === EVENT.formatDescription) this.#takeDescription(event);
    else if (type === EVENT.xaPrepare) this.#takeXaPrepare(event);
    else if (!this.#queries.takeVariable(event) && !CARRIES_NOTHING.has(type))
      this.#takeOther(event);
  }

  #takeDescription(event: LogEvent): void {
    this.#fileCreatedAt = event.timestamp;
    this.#members.setDescription(replayableDescription(event));
  }

  #open(event: LogEvent, start: number): void {
    if (this.#transaction !== undefined) throw damagedEvent('a transaction has no end');
    const gtid = parseGtidEvent(event);
    const place = { file: this.#position.file, position: start };
    this.#transaction = new Transaction({ ...gtid, ...place }, this.#sink);
    this.#transaction.isIgnored = !this.#isBehindStart;
    this.#transaction.isBeforeStart = !this.#isBehindStart;
    const xid = gtid.mariaDb?.preparedXid;
    if (xid !== undefined) this.#beginXa(xid, this.#transaction);
  }

  get #underWay(): Transaction {
    if (this.#transaction === undefined) throw damagedEvent('a change outside of a transaction');
    return this.#transaction;
  }

  #takeRows(event: PlacedEvent): void {
    const transaction = this.#underWay;
    this.#rows.takeRows(event, transaction);
    if (transaction.bodyLength < PART_BYTES) return;
    if (transaction.xid !== undefined) this.#xa.hold(transaction.xid, transaction);
    else this.#members.add(transaction.takePart());
  }

  #takeQuery(event: PlacedEvent, start: number): void {
    const query = parseQueryEvent(event, this.#options.inflate);
    const transaction = this.#underWay;
    const head = query.text.toString('latin1', 0, Math.min(query.text.length, 400));
    const word = /^\w+/.exec(head)?.[0].toUpperCase() ?? '';
    if (head === 'BEGIN') transaction.isExplicit = true;
    else if (head === 'COMMIT') this.#over('COMMIT');
    else if (head === 'ROLLBACK') this.#over('ROLLBACK');
    else if (word === 'SAVEPOINT') transaction.savepoint(query.text);
    else if (word === 'ROLLBACK') transaction.rollbackTo(query.text);
    else if (word === 'XA') this.#takeXa(parseXaStatement(head), transaction);
    else if (!transaction.isIgnored) {
      const reason = this.#queries.take(query, event.timestamp, transaction);
      if (reason !== undefined) this.#endChain(`${reason} (${this.#position.file}:${start})`);
    }
    if (this.isEnded) return;
    const isSingle = !transaction.isExplicit && transaction.start.mariaDb?.isStandalone !== false;
    if (isSingle && word !== 'XA') this.#over('COMMIT');
  }

  #takeXa(statement: XaStatement | undefined, transaction: Transaction): void {
    if (statement === undefined) throw damagedEvent('an XA statement of another form');
    const { verb, xid } = statement;
    if (verb === 'START' || verb === 'BEGIN') this.#beginXa(xid, transaction);
    else if (verb === 'COMMIT' || verb === 'ROLLBACK') {
      if (!transaction.isIgnored) this.#decideXa(verb, xid);
      this.#over('COMMIT');
    }
  }

  #beginXa(xid: string, transaction: Transaction): void {
    transaction.isExplicit = true;
    transaction.xid = xid;
    const isWanted = this.#options.pendingXa.some((pending) => pending.xid === xid);
    transaction.isIgnored = transaction.isIgnored && !isWanted;
  }

  #decideXa(verb: 'COMMIT' | 'ROLLBACK', xid: string): void {
    if (verb === 'ROLLBACK') this.#xa.drop(xid);
    else if (this.#xa.isHeld(xid)) this.#release = this.#xa.release(xid);
    else this.#endChain(`an XA transaction was committed that had been prepared before the backup`);
  }

  #takeBack(release: Generator<HeldPiece, undefined>): void {
    const { value: piece } = release.next();
    if (piece === undefined) {
      this.#release = undefined;
      if (this.#isSettlementDue) this.#settleWhatIsOver();
      return;
    }
    const transaction = this.#underWay;
    transaction.addHeld(piece.sql, piece.tables);
    if (transaction.bodyLength >= PART_BYTES) this.#members.add(transaction.takePart());
  }

  #takeAllBack(): void {
    while (this.#release !== undefined) this.#takeBack(this.#release);
  }

  #takeXaPrepare(event: LogEvent): void {
    const transaction = this.#underWay;
    const { xid, isOnePhase } = parseXaPrepare(event);
    if (!transaction.isIgnored) {
      this.#xa.hold(xid, transaction);
      if (isOnePhase) {
        transaction.xid = undefined;
        transaction.isBegun = false;
        this.#release = this.#xa.release(xid);
      } else this.#xa.prepare(xid);
    }
    this.#over('COMMIT');
  }

  #takeOther(event: LogEvent): void {
    if (event.type === EVENT.incident) this.#endChain('the server reports lost events (INCIDENT)');
    else if (event.type === EVENT.executeLoadQuery) {
      const verdict = judgeLoadQuery(event, this.#options.scope);
      if (verdict.action === 'end') this.#endChain(verdict.reason);
    } else if ((event.flags & FLAG.ignorable) === 0) {
      this.#endChain(`the log holds an event of the unknown type ${event.type}`);
    }
  }

  /** The last event of a transaction: its envelope may have more to come. */
  #over(outcome: 'COMMIT' | 'ROLLBACK'): void {
    if (this.isEnded) return;
    const transaction = this.#underWay;
    transaction.isOver = true;
    this.#outcome = outcome;
  }

  /** The transaction ends where we stand. */
  #settle(transaction: Transaction): void {
    this.#transaction = undefined;
    this.#rows.forgetMaps();
    if (this.isEnded || transaction.isBeforeStart) return;
    const { start } = transaction;
    this.#seen += 1;
    this.#lastCommitAt = start.committedAt;
    this.#gtids.add(start.gtid);
    const part = transaction.finish(this.#outcome, this.#position.place.position);
    if (part === undefined) return;
    if (part.marker.kind === 'statement') this.#inText += 1;
    this.#members.add(part);
  }

  /** Nothing behind this can be replayed; what of the transaction was written is undone by its end. */
  #endChain(reason: string): void {
    if (this.isEnded) return;
    this.#unreplayable = reason;
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction?.hasParts !== true) return;
    const part = transaction.finish('ROLLBACK', this.#position.place.position);
    if (part !== undefined) this.#members.add(part);
  }
}
