/**
 * One event of a binary log: its header, its type, its checksum. Layouts: MySQL Source Code
 * Documentation, "Binary Log Events"; MariaDB documentation, "Replication Protocol".
 */
import { crc32 } from 'node:zlib';
import { ReshelveError } from '../errors.js';

export const EVENT_HEADER_BYTES = 19;
export const CHECKSUM_BYTES = 4;

export const EVENT = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  slave: 7,
  appendBlock: 9,
  deleteFile: 11,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
  annotateRows: 160,
  binlogCheckpoint: 161,
  mariaGtid: 162,
  mariaGtidList: 163,
  startEncryption: 164,
  queryCompressed: 165,
  writeRowsCompressedV1: 166,
  updateRowsCompressedV1: 167,
  deleteRowsCompressedV1: 168,
  writeRowsCompressed: 169,
  updateRowsCompressed: 170,
  deleteRowsCompressed: 171,
} as const;

export const FLAG = { inUse: 0x1, artificial: 0x20, ignorable: 0x80 } as const;

/** An event without its checksum. `bytes` may alias the chunk that it came in. */
export interface LogEvent {
  readonly type: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly serverId: number;
  readonly flags: number;
  /** Modulo 2^32; 0 for artificial events and inside of a compressed transaction. */
  readonly endPosition: number;
  /** Bytes that the event takes in the log, checksum included; 0 inside of a compressed transaction. */
  readonly loggedLength: number;
  /** Header and body. */
  readonly bytes: Buffer;
}

export function damagedEvent(what: string): ReshelveError {
  return new ReshelveError('PROTOCOL', `the binary log holds a damaged event: ${what}`, {
    hint: 'Check the network and the disk of the server (`mysqlbinlog --verify-binlog-checksum`), then run the command again.',
  });
}

/** Size of an event by its header, of which at least 13 bytes are there. */
export function eventSize(header: Buffer, at = 0): number {
  return header.readUInt32LE(at + 9);
}

export function readEvent(bytes: Buffer, loggedLength: number): LogEvent {
  if (bytes.length < EVENT_HEADER_BYTES) throw damagedEvent('its header is cut');
  return {
    type: bytes.readUInt8(4),
    timestamp: bytes.readUInt32LE(0),
    serverId: bytes.readUInt32LE(5),
    endPosition: bytes.readUInt32LE(13),
    flags: bytes.readUInt16LE(17),
    loggedLength,
    bytes,
  };
}

/** Whether the last four bytes are the CRC-32 of the ones before. */
export function hasValidChecksum(logged: Buffer): boolean {
  const end = logged.length - CHECKSUM_BYTES;
  return end >= EVENT_HEADER_BYTES && crc32(logged.subarray(0, end)) === logged.readUInt32LE(end);
}

/**
 * Strips and verifies the checksums of one file of the log after the other. The format description
 * says whether the events behind it carry one; the artificial ROTATE before it may or may not.
 */
export class ChecksumPolicy {
  #isOn = false;

  /** Whether events of the present file end in a checksum. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Takes an event as logged; throws PROTOCOL where its checksum is wrong. */
  strip(logged: Buffer): LogEvent {
    if (logged.length < EVENT_HEADER_BYTES) throw damagedEvent('its header is cut');
    if (eventSize(logged) !== logged.length) throw damagedEvent('its size is another one');
    const type = logged.readUInt8(4);
    if (type === EVENT.formatDescription) return this.#formatDescription(logged);
    const isArtificialRotate =
      type === EVENT.rotate && (logged.readUInt16LE(17) & FLAG.artificial) !== 0;
    if (isArtificialRotate) {
      const end = hasValidChecksum(logged) ? logged.length - CHECKSUM_BYTES : logged.length;
      return readEvent(logged.subarray(0, end), logged.length);
    }
    if (!this.#isOn) return readEvent(logged, logged.length);
    if (!hasValidChecksum(logged)) throw damagedEvent('its checksum is wrong');
    return readEvent(logged.subarray(0, logged.length - CHECKSUM_BYTES), logged.length);
  }

  /** Always has room for a checksum, whose algorithm is the byte before it (0 none, 1 CRC-32). */
  #formatDescription(logged: Buffer): LogEvent {
    const algorithm = logged[logged.length - CHECKSUM_BYTES - 1];
    if (algorithm === undefined || algorithm > 1) {
      throw damagedEvent(
        `expected a checksum algorithm of 0 or 1 but found ${algorithm ?? 'none'}`,
      );
    }
    this.#isOn = algorithm === 1;
    if (this.#isOn && !isChecksumOfDescription(logged)) {
      throw damagedEvent('the checksum of a format description is wrong');
    }
    return readEvent(logged.subarray(0, logged.length - CHECKSUM_BYTES), logged.length);
  }
}

/** In a file in use the checksum is computed as if the flag were not set. */
function isChecksumOfDescription(logged: Buffer): boolean {
  if (hasValidChecksum(logged)) return true;
  const closed = Buffer.from(logged);
  closed.writeUInt16LE(closed.readUInt16LE(17) & ~FLAG.inUse, 17);
  return hasValidChecksum(closed);
}

/** Puts bytes that come in any pieces together to whole events. */
export class EventSplitter {
  #parts: Buffer[] = [];
  #length = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = EVENT_HEADER_BYTES;

  /** Yields each event that is complete; the buffers may alias `chunk`. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#wanted) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    this.#wanted = EVENT_HEADER_BYTES;
    while (bytes.length - at >= EVENT_HEADER_BYTES) {
      const size = eventSize(bytes, at);
      if (size < EVENT_HEADER_BYTES) throw damagedEvent('its size is too small');
      if (bytes.length - at < size) {
        this.#wanted = size;
        break;
      }
      yield bytes.subarray(at, at + size);
      at += size;
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#length = bytes.length - at;
  }

  /** Throws where bytes are left over. */
  finish(): void {
    if (this.#length > 0) throw damagedEvent('it is cut at the end');
  }
}
