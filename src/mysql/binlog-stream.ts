/**
 * Reads the server's binary log as a replica does, from a place or from a set of GTIDs to where the
 * log ends now. Pulled event by event: nothing is read ahead but what the socket holds.
 */
import type { BinlogPlace } from '../archive/index-types.js';
import { EventAssembler } from '../binlog/event-stream.js';
import type { PlacedEvent } from '../binlog/event-stream.js';
import type { GtidSet } from '../binlog/gtid-set.js';
import { ReshelveError } from '../errors.js';
import { COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, isEof, isErr, parseErr } from './protocol.js';
import { isServerError, ServerError } from './server-error.js';
import type { Session } from './session.js';

/** End at the end of the log instead of waiting for more. */
const NON_BLOCKING = 1;
const THROUGH_GTID = 4;
/** No replica of its own: it ends no other client's dump, whatever ids those have. */
const SERVER_ID = 0;
const FIRST_POSITION = 4;
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
  const [command, body] = dumpCommand(start);
  const nextPiece = session.startStream(command, body);
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

function dumpCommand(start: DumpStart): [command: number, body: Buffer] {
  if ('place' in start) {
    const { binlogFile, position } = dumpPlace(start.place);
    const head = Buffer.alloc(10);
    head.writeUInt32LE(position, 0);
    head.writeUInt16LE(NON_BLOCKING, 4);
    head.writeUInt32LE(SERVER_ID, 6);
    return [COM_BINLOG_DUMP, Buffer.concat([head, Buffer.from(binlogFile)])];
  }
  const set = start.gtidSet.encode();
  const head = Buffer.alloc(22);
  head.writeUInt16LE(NON_BLOCKING | THROUGH_GTID, 0);
  head.writeUInt32LE(SERVER_ID, 2);
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
