/** The event at the head of each file of the log, as a BINLOG statement can hold it. */
import { CHECKSUM_BYTES, FLAG } from './event.js';
import type { LogEvent } from './event.js';

const END_POSITION_AT = 13;
const FLAGS_AT = 17;
const CREATED_AT = 71;

/**
 * The event for replaying: without checksum algorithm, and with nothing in it that differs between
 * two files of one server.
 */
export function replayableDescription(event: LogEvent): Buffer {
  const description = Buffer.concat([event.bytes, Buffer.alloc(CHECKSUM_BYTES)]);
  description.writeUInt32LE(0, 0);
  description.writeUInt32LE(description.length, 9);
  description.writeUInt32LE(0, END_POSITION_AT);
  description.writeUInt16LE(event.flags & ~(FLAG.inUse | FLAG.artificial), FLAGS_AT);
  description.writeUInt32LE(0, CREATED_AT);
  description.writeUInt8(0, event.bytes.length - 1);
  return description;
}
