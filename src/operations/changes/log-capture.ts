/**
 * Events of the server's log on their way into archives of one database: one archive, or several that
 * follow on each other. Counts what goes into each.
 */
import { inflateSync } from 'node:zlib';
import type {
  BinlogPlace,
  BinlogState,
  ServerCoordinates,
  TableChanges,
} from '../../archive/index-types.js';
import { addChanges } from '../../binlog/change-members.js';
import type { ChangeMember } from '../../binlog/change-members.js';
import type { PlacedEvent } from '../../binlog/event-stream.js';
import { LogConverter } from '../../binlog/log-converter.js';
import type { Converted } from '../../binlog/log-converter.js';
import { readCollations, readModes } from '../../mysql/binlog-state.js';
import type { Session } from '../../mysql/session.js';
import type { CaptureStart } from './capture-checks.js';
import type { Captured, CaptureTotals } from './capture-types.js';
import { logWarnings } from './log-warnings.js';
import { textWarnings } from './text-warnings.js';
import { PieceSpill } from './piece-spill.js';

/**
 * How long a transaction may take from its commit time to its place in the log: of the last moments
 * before reading nobody can tell whether all is there.
 */
const COMMIT_DELAY_MS = 1000;

export interface LogCaptureOptions {
  readonly database: string;
  readonly start: CaptureStart;
  readonly from: ServerCoordinates;
  readonly binlog: BinlogState | undefined;
  /** For what must wait and cannot stay in memory. */
  readonly spillDirectory: string;
}

/** What was converted and counted since `finish` was last called. */
export interface CapturedPart {
  readonly converted: Converted;
  readonly totals: CaptureTotals;
}

export class LogCapture {
  readonly #converter: LogConverter;
  readonly #spill: PieceSpill;
  readonly #tables = new Map<string, { -readonly [K in keyof TableChanges]: TableChanges[K] }>();
  #logBytes = 0;
  #transactions = 0;
  #seenBefore = 0;
  #inTextBefore = 0;

  private constructor(converter: LogConverter, spill: PieceSpill) {
    this.#converter = converter;
    this.#spill = spill;
  }

  static async create(session: Session, options: LogCaptureOptions): Promise<LogCapture> {
    const { start, from, binlog, database } = options;
    const lower = await session.value('SELECT @@GLOBAL.lower_case_table_names');
    const collations = await readCollations(session);
    const xaStore = new PieceSpill(options.spillDirectory);
    const converter = new LogConverter({
      scope: { database, lowerCaseTableNames: Number(lower ?? 0) },
      from: start.from,
      readFrom: start.readFrom,
      gtidSet: from.gtidSet,
      flavour: session.facts.flavour,
      pendingXa: binlog?.pendingXa ?? [],
      collations,
      inflate: (deflated, length) =>
        inflateSync(deflated, { maxOutputLength: Math.max(length, 1) }),
      xaStore,
    });
    return new LogCapture(converter, xaStore);
  }

  /** Nothing more may be fed: the chain ends in what cannot be replayed. */
  get isEnded(): boolean {
    return this.#converter.isEnded;
  }

  /** No transaction is under way, so that an archive may end here and another one begin. */
  get isBetween(): boolean {
    return this.#converter.isBetween;
  }

  /** Behind the last event that was fed. */
  get place(): BinlogPlace {
    return this.#converter.place;
  }

  get logBytes(): number {
    return this.#logBytes;
  }

  /** Something of the database was seen that no member has been taken of. */
  get hasUntaken(): boolean {
    return this.#converter.hasMembers || this.#converter.hasOpenMember;
  }

  get hasMembers(): boolean {
    return this.#converter.hasMembers;
  }

  feed(event: PlacedEvent): void {
    this.#logBytes += event.loggedLength;
    this.#converter.feed(event);
  }

  /** The members that are complete; each is given, and counted, once. To be taken to their end. */
  *takeMembers(): Generator<ChangeMember, undefined> {
    for (const member of this.#converter.takeMembers()) {
      this.#count(member);
      yield member;
    }
  }

  #count({ change }: ChangeMember): void {
    this.#transactions += change.transactions;
    for (const table of change.tables) {
      const sum = this.#tables.get(table.name);
      if (sum === undefined) this.#tables.set(table.name, { ...table });
      else addChanges(sum, table);
    }
  }

  /** Closes the last member and gives all that are left, with what belongs to the archive's end. */
  finish(): { readonly members: ChangeMember[]; readonly part: CapturedPart } {
    const converted = this.#converter.finish();
    const members = [...this.takeMembers()];
    const totals: CaptureTotals = {
      transactions: this.#transactions,
      seen: converted.seen - this.#seenBefore,
      inText: converted.inText - this.#inTextBefore,
      logBytes: this.#logBytes,
      tables: [...this.#tables.values()],
    };
    return { members, part: { converted, totals } };
  }

  /** What comes now is counted for another archive. */
  beginNext({ converted }: CapturedPart): void {
    this.#tables.clear();
    this.#logBytes = 0;
    this.#transactions = 0;
    this.#seenBefore = converted.seen;
    this.#inTextBefore = converted.inText;
  }

  close(): void {
    this.#spill.close();
  }
}

/**
 * What the archive's header says of a part. `readAtMs` is the server's clock at a moment whose log was
 * read to its end; undefined where nobody knows one.
 */
export async function describeCapture(
  session: Session,
  database: string,
  serverUuid: string | null,
  part: CapturedPart,
  readAtMs: number | undefined,
): Promise<Captured> {
  const { end, gtidSet, fileCreatedAt, pendingXa, unreplayable, lastCommitAt } = part.converted;
  const lastCommitMs = lastCommitAt === null ? 0 : Number(lastCommitAt / 1000n);
  const isWhole = unreplayable === null && readAtMs !== undefined;
  const completeMs = isWhole ? Math.max(readAtMs - COMMIT_DELAY_MS, lastCommitMs) : lastCommitMs;
  const modes = await readModes(session);
  const binlog: BinlogState = { fileCreatedAt, ...modes, pendingXa, unreplayable };
  return {
    kind: 'captured',
    end: {
      binlogFile: end.binlogFile,
      binlogPosition: end.position,
      gtidSet,
      serverUuid,
    },
    binlog,
    completeUntil: new Date(completeMs),
    totals: part.totals,
    warnings: [
      ...(await logWarnings(session, database, binlog)),
      ...(await textWarnings(session, database, part.totals.inText)),
    ],
  };
}

/** The server's clock in milliseconds since the epoch. */
export async function readClockMs(session: Session): Promise<number> {
  return Number(await session.value('SELECT UNIX_TIMESTAMP(NOW(6))')) * 1000;
}
