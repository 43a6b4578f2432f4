/**
 * Reads the server's binary log as a replica does, from a place or from a set of GTIDs: to where the
 * log ends now, or on and on. Pulled event by event: nothing is read ahead but what the socket holds.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { BinlogPlace } from '../archive/index-types.js';
import { EventAssembler } from '../binlog/event-stream.js';
import type { PlacedEvent } from '../binlog/event-stream.js';
import type { GtidSet } from '../binlog/gtid-set.js';
import { ReshelveError } from '../errors.js';
import { quoteString } from '../sql/quote.js';
import { COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, isEof, isErr, parseErr } from './protocol.js';
import { isServerError, ServerError } from './server-error.js';
import type { Session } from './session.js';

/** End at the end of the log instead of waiting for more. */
const NON_BLOCKING = 1;
const THROUGH_GTID = 4;
/** No replica of its own: it ends no other client's dump, whatever ids those have. */
const SERVER_ID = 0;
const FIRST_POSITION = 4;
/** From where hardly any replica has its id: a follower cannot have id 0, which never waits. */
const FOLLOWER_ID_MIN = 2 ** 31;
const FOLLOWER_ID_MAX = 2 ** 32 - 2;
/** So often the server shows that it is there while nothing happens. */
const HEARTBEAT_MS = 1000;
/** Without a sign for so long the connection is as good as lost. */
const FOLLOWER_SILENCE_MS = 30_000;
const POSITION_MAX = 0xffffffff;

export type DumpStart = { readonly place: BinlogPlace } | { readonly gtidSet: GtidSet };

/** The place that a dump from `place` really begins at: the command's position has 32 bits. */
export function dumpPlace(place: BinlogPlace): BinlogPlace {
  return place.position <= POSITION_MAX ? place : { ...place, position: FIRST_POSITION };
}

/**
 * The events from `start` to the end of the log. `session` serves nothing else afterwards; the caller
 * destroys it. Buffers of an event are valid until the next one is asked for.
 */
export async function* readBinlog(session: Session, start: DumpStart): AsyncGenerator<PlacedEvent> {
  await prepare(session);
  const [command, body] = dumpCommand(start, { flags: NON_BLOCKING, serverId: SERVER_ID });
  yield* eventsOf(session, session.startStream(command, body));
}

/**
 * As `readBinlog`, but waits for more where the log ends; a heartbeat event comes each second in which
 * nothing else does. Ends only by an error, CONNECTION_LOST where the server ends the dump.
 */
export async function* followBinlog(
  session: Session,
  start: DumpStart,
): AsyncGenerator<PlacedEvent> {
  await prepare(session);
  await introduceFollower(session);
  const serverId = randomInt(FOLLOWER_ID_MIN, FOLLOWER_ID_MAX);
  const [command, body] = dumpCommand(start, { flags: 0, serverId });
  yield* eventsOf(session, session.startStream(command, body, FOLLOWER_SILENCE_MS));
  throw new ReshelveError('CONNECTION_LOST', `${session.where} ended the dump of its binary log`);
}

async function* eventsOf(
  session: Session,
  nextPiece: ReturnType<Session['startStream']>,
): AsyncGenerator<PlacedEvent> {
  const assembler = new EventAssembler();
  for (;;) {
    const first = await nextPiece(false);
    if (isErr(first.piece)) throw new ServerError(session.where, parseErr(first.piece));
    if (isEof(first.piece)) return;
    if (first.piece[0] !== 0) {
      throw new ReshelveError('PROTOCOL', `${session.where}: expected an event of the binary log`);
    }
    yield* assembler.push(first.piece.subarray(1), first.isLast);
    let isLast = first.isLast;
    while (!isLast) {
      const next = await nextPiece(true);
      yield* assembler.push(next.piece, next.isLast);
      isLast = next.isLast;
    }
  }
}

/**
 * A UUID of its own: a server ends the dump of a client whose UUID, or without one whose id, comes a
 * second time, as if it were the same replica that has lost its connection.
 */
async function introduceFollower(session: Session): Promise<void> {
  const nanoseconds = HEARTBEAT_MS * 1_000_000;
  await session.execute(
    `SET @master_heartbeat_period = ${nanoseconds}, @source_heartbeat_period = ${nanoseconds}`,
  );
  const uuid = quoteString(randomUUID());
  await session.execute(`SET @slave_uuid = ${uuid}, @replica_uuid = ${uuid}`);
}

/** Says that this client knows checksums and MariaDB's events; user variables never fail. */
async function prepare(session: Session): Promise<void> {
  await session.execute(
    'SET @master_binlog_checksum = @@GLOBAL.binlog_checksum, ' +
      '@source_binlog_checksum = @@GLOBAL.binlog_checksum',
  );
  if (session.facts.flavour === 'mariadb') {
    await session.execute('SET @mariadb_slave_capability = 4');
  }
}

function dumpCommand(
  start: DumpStart,
  { flags, serverId }: { readonly flags: number; readonly serverId: number },
): [command: number, body: Buffer] {
  if ('place' in start) {
    const { binlogFile, position } = dumpPlace(start.place);
    const head = Buffer.alloc(10);
    head.writeUInt32LE(position, 0);
    head.writeUInt16LE(flags, 4);
    head.writeUInt32LE(serverId, 6);
    return [COM_BINLOG_DUMP, Buffer.concat([head, Buffer.from(binlogFile)])];
  }
  const set = start.gtidSet.encode();
  const head = Buffer.alloc(22);
  head.writeUInt16LE(flags | THROUGH_GTID, 0);
  head.writeUInt32LE(serverId, 2);
  head.writeUInt32LE(0, 6); // no file name
  head.writeBigUInt64LE(BigInt(FIRST_POSITION), 10);
  head.writeUInt32LE(set.length, 18);
  return [COM_BINLOG_DUMP_GTID, Buffer.concat([head, set])];
}

/** Why the server will not give the log from there; undefined where the error is another one. */
export function refusalOf(error: unknown): 'purged' | 'reset' | 'privilege' | undefined {
  if (isServerError(error, ERRNO_ACCESS_DENIED, ERRNO_DUMP_DENIED)) return 'privilege';
  if (!isServerError(error, ERRNO_DUMP_FAILED)) return undefined;
  const { message } = error;
  if (/could not find first log|purged|not in the master's binlog/i.test(message)) return 'purged';
  if (/position > file size|truncated in the middle|has more GTIDs|diverged/i.test(message)) {
    return 'reset';
  }
  if (/bogus data in log event|impossible position/i.test(message)) return 'reset';
  return undefined;
}

const ERRNO_DUMP_FAILED = 1236;
const ERRNO_ACCESS_DENIED = 1045;
const ERRNO_DUMP_DENIED = 1227;
