/**
 * The changes of the database in the server's own log, as an incremental would hold them: for what no
 * incremental holds yet. Reads alone; nothing is kept but the member under way.
 */
import { inflateSync } from 'node:zlib';
import type { BinlogPlace } from '../../archive/index-types.js';
import { EVENT } from '../../binlog/event.js';
import { OPENS_TRANSACTION } from '../../binlog/event-kinds.js';
import type { PlacedEvent } from '../../binlog/event-stream.js';
import { LogConverter } from '../../binlog/log-converter.js';
import type { ConverterOptions } from '../../binlog/log-converter.js';
import { isBefore, LogPosition } from '../../binlog/log-position.js';
import type { XaStore } from '../../binlog/xa.js';
import { ReshelveError } from '../../errors.js';
import { listLogFiles, readCollations } from '../../mysql/binlog-state.js';
import type { DumpStart } from '../../mysql/binlog-stream.js';
import { readBinlog, refusalOf } from '../../mysql/binlog-stream.js';
import type { Session } from '../../mysql/session.js';
import { findStart } from '../changes/capture-checks.js';
import type { CaptureOrigin } from '../changes/capture-checks.js';
import type { Context } from '../context.js';
import { openServer } from '../sessions.js';

/** SQL as a `change` member has it, or what no incremental could carry. */
export type ServerPiece =
  | { readonly kind: 'changes'; readonly sql: Buffer }
  | {
      readonly kind: 'unreplayable';
      readonly reason: string;
      readonly place: BinlogPlace;
      /** µs since the epoch, of a whole second. */
      readonly at: bigint;
    };

export interface ServerLogStart {
  readonly dump: DumpStart;
  readonly from: BinlogPlace;
  readonly readFrom: BinlogPlace;
  readonly pendingXa: ConverterOptions['pendingXa'];
  readonly flavour: 'mysql' | 'mariadb';
}

/** Where an archive ends; or, in words, why the server's log does not go on from there. */
export async function startAfter(
  context: Context,
  session: Session,
  origin: CaptureOrigin,
): Promise<ServerLogStart | string> {
  // What ended the chain is no hindrance to looking at what came behind it.
  const binlog = origin.binlog === undefined ? undefined : { ...origin.binlog, unreplayable: null };
  const open = (): Promise<Session> => openServer(context, context.configuration.server);
  const start = await findStart(session, { ...origin, binlog }, open);
  if (start.kind === 'break') return start.message;
  const { dump, from, readFrom } = start;
  const { flavour } = session.facts;
  return { dump, from, readFrom, pendingXa: binlog?.pendingXa ?? [], flavour };
}

/** The oldest that the server has; or, in words, why it has none for this user. */
export async function startOfLog(session: Session): Promise<ServerLogStart | string> {
  if ((await session.value('SELECT @@GLOBAL.log_bin')) !== '1') {
    return 'the server writes no binary log (log_bin)';
  }
  const [oldest] = (await listLogFiles(session)) ?? [];
  if (oldest === undefined) {
    return 'the user may not list the binary logs (REPLICATION CLIENT; MariaDB: BINLOG MONITOR)';
  }
  const place = { binlogFile: oldest.name, position: FIRST_POSITION };
  const { flavour } = session.facts;
  return { dump: { place }, from: place, readFrom: place, pendingXa: [], flavour };
}

const FIRST_POSITION = 4;

/**
 * Reads to the end of the log, or to `until`. `session` answers questions meanwhile. Throws PRIVILEGE
 * where the user may not read the log, and what connections throw.
 */
export async function* readServerLog(
  context: Context,
  session: Session,
  start: ServerLogStart,
  reading: { readonly until?: BinlogPlace; readonly xaStore: XaStore },
): AsyncGenerator<ServerPiece> {
  const dump = await openServer(context, context.configuration.server);
  const log = new Reader(await converterOptions(context, session, start, reading.xaStore));
  let bytes = 0;
  try {
    for await (const event of readBinlog(dump, start.dump)) {
      bytes += event.loggedLength;
      yield* log.take(event);
      if (log.hasMembers) {
        context.signal.throwIfAborted();
        yield* log.changes();
        const activity = "Reading the server's log";
        context.output.progress({ activity, done: bytes, unit: 'bytes' });
      }
      if (reading.until !== undefined && log.isAt(reading.until)) break;
    }
    yield* log.finish();
  } catch (error) {
    throw refusalOf(error) === 'privilege' ? mayNotRead(error) : error;
  } finally {
    context.output.progress(null);
    dump.destroy(new Error('the log was read to its end'));
  }
}

async function converterOptions(
  context: Context,
  session: Session,
  { from, readFrom, pendingXa, flavour }: ServerLogStart,
  xaStore: XaStore,
): Promise<ConverterOptions> {
  const lower = await session.value('SELECT @@GLOBAL.lower_case_table_names');
  return {
    scope: {
      database: context.configuration.databaseName,
      lowerCaseTableNames: Number(lower ?? 0),
    },
    from,
    readFrom,
    gtidSet: null,
    flavour,
    pendingXa,
    collations: await readCollations(session),
    inflate: (deflated, length) => inflateSync(deflated, { maxOutputLength: Math.max(length, 1) }),
    xaStore,
  };
}

/** Goes on behind what no incremental could carry, with the transaction that comes next. */
class Reader {
  readonly #options: ConverterOptions;
  readonly #position: LogPosition;
  #converter: LogConverter;
  #isPassing = false;

  constructor(options: ConverterOptions) {
    this.#options = options;
    this.#position = new LogPosition(options.readFrom);
    this.#converter = new LogConverter(options);
  }

  get hasMembers(): boolean {
    return this.#converter.hasMembers;
  }

  /** Whether everything before the place has been taken. */
  isAt(place: BinlogPlace): boolean {
    return !isBefore(this.#position.place, place);
  }

  *take(event: PlacedEvent): Generator<ServerPiece> {
    const before = this.#position.place;
    if (!event.isInside) {
      this.#position.advance(event);
      if (event.type === EVENT.rotate) this.#position.rotate(event);
    }
    if (this.#isPassing) {
      if (event.isInside || !OPENS_TRANSACTION.has(event.type)) return;
      const place = { from: before, readFrom: before, pendingXa: [] };
      this.#converter = new LogConverter({ ...this.#options, ...place });
      this.#isPassing = false;
    }
    this.#converter.feed(event);
    if (!this.#converter.isEnded) return;
    this.#isPassing = true;
    const { unreplayable, end } = this.#converter.finish();
    yield* this.changes();
    const at = BigInt(event.timestamp) * 1_000_000n;
    yield { kind: 'unreplayable', reason: unreplayable ?? '', place: end, at };
  }

  *changes(): Generator<ServerPiece> {
    for (const { sql } of this.#converter.takeMembers()) yield { kind: 'changes', sql };
  }

  *finish(): Generator<ServerPiece> {
    if (!this.#isPassing) this.#converter.finish();
    yield* this.changes();
  }
}

function mayNotRead(cause: unknown): ReshelveError {
  return new ReshelveError('PRIVILEGE', "the user may not read the server's binary log", {
    hint: 'Run `reshelve doctor`: it prints the GRANT (REPLICATION SLAVE).',
    cause,
  });
}
