/**
 * The few packets of the MySQL text protocol that a session meets after the handshake, as pure
 * functions over bytes (MySQL Source Code Documentation, "Client/Server Protocol").
 */
import { ReshelveError } from '../errors.js';

export const PACKET_PAYLOAD_MAX = 0xffffff;
export const PACKET_HEADER_BYTES = 4;
export const COM_QUERY = 0x03;
export const COM_QUIT = 0x01;
export const COM_PING = 0x0e;
export const COM_BINLOG_DUMP = 0x12;
export const COM_BINLOG_DUMP_GTID = 0x1e;

export interface OkPacket {
  readonly affectedRows: number;
  readonly warnings: number;
  readonly status: number;
}

export interface ErrPacket {
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

export const SERVER_MORE_RESULTS_EXISTS = 0x0008;

function damaged(what: string): ReshelveError {
  return new ReshelveError('PROTOCOL', `the server sent a damaged packet: ${what}`);
}

/** A length-encoded integer at `offset` and the offset behind it; `value` is null for NULL (0xFB). */
export function readLengthEncoded(
  packet: Buffer,
  offset: number,
): { readonly value: number | null; readonly next: number } {
  const first = packet[offset];
  if (first === undefined) throw damaged('a length lies beyond its end');
  if (first < 0xfb) return { value: first, next: offset + 1 };
  if (first === 0xfb) return { value: null, next: offset + 1 };
  const width = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
  if (width === 0 || offset + 1 + width > packet.length) throw damaged('a length is not valid');
  if (width === 8) {
    const value = Number(packet.readBigUInt64LE(offset + 1));
    return { value, next: offset + 9 };
  }
  return { value: packet.readUIntLE(offset + 1, width), next: offset + 1 + width };
}

/** A length-encoded string at `offset`; the returned view aliases `packet`. */
export function readLengthEncodedBytes(
  packet: Buffer,
  offset: number,
): { readonly value: Buffer | null; readonly next: number } {
  const length = readLengthEncoded(packet, offset);
  if (length.value === null) return { value: null, next: length.next };
  const end = length.next + length.value;
  if (end > packet.length) throw damaged('a value lies beyond its end');
  return { value: packet.subarray(length.next, end), next: end };
}

export function isErr(packet: Buffer): boolean {
  return packet[0] === 0xff;
}

export function isEof(packet: Buffer): boolean {
  return packet[0] === 0xfe && packet.length < 9;
}

export function parseErr(packet: Buffer): ErrPacket {
  if (packet.length < 3) throw damaged('an error packet is too short');
  const hasState = packet[3] === 0x23;
  return {
    errno: packet.readUInt16LE(1),
    sqlState: hasState ? packet.toString('latin1', 4, 9) : 'HY000',
    message: packet.toString('utf8', hasState ? 9 : 3),
  };
}

export function parseOk(packet: Buffer): OkPacket {
  const affected = readLengthEncoded(packet, 1);
  const insertId = readLengthEncoded(packet, affected.next);
  if (insertId.next + 4 > packet.length) throw damaged('an OK packet is too short');
  return {
    affectedRows: affected.value ?? 0,
    status: packet.readUInt16LE(insertId.next),
    warnings: packet.readUInt16LE(insertId.next + 2),
  };
}

export function parseEof(packet: Buffer): OkPacket {
  if (packet.length < 5) throw damaged('an EOF packet is too short');
  return { affectedRows: 0, warnings: packet.readUInt16LE(1), status: packet.readUInt16LE(3) };
}

/** The column's name (alias) from a column definition packet. */
export function parseColumnName(packet: Buffer): string {
  let offset = 0;
  let value: Buffer | null = null;
  for (let field = 0; field < 5; field += 1) {
    ({ value, next: offset } = readLengthEncodedBytes(packet, offset));
  }
  return value?.toString('utf8') ?? '';
}

/** The values of a text-protocol row; the views alias `packet`. */
export function parseTextRow(packet: Buffer, columnCount: number): (Buffer | null)[] {
  const row: (Buffer | null)[] = [];
  let offset = 0;
  for (let column = 0; column < columnCount; column += 1) {
    const { value, next } = readLengthEncodedBytes(packet, offset);
    row.push(value);
    offset = next;
  }
  if (offset !== packet.length) throw damaged('a row is longer than its columns');
  return row;
}

/** Packet headers and payload pieces of one command, ready to be written in order. */
export function frameCommand(command: number, body: Uint8Array): Uint8Array[] {
  const total = body.length + 1;
  const pieces: Uint8Array[] = [];
  let sent = 0;
  let sequence = 0;
  for (;;) {
    const size = Math.min(total - sent, PACKET_PAYLOAD_MAX);
    const first = sent === 0;
    const header = Buffer.allocUnsafe(first ? 5 : 4);
    header.writeUIntLE(size, 0, 3);
    header[3] = sequence & 0xff;
    if (first) header[4] = command;
    pieces.push(header);
    const from = first ? 0 : sent - 1;
    pieces.push(body.subarray(from, sent + size - 1));
    sent += size;
    sequence += 1;
    if (size < PACKET_PAYLOAD_MAX) return pieces;
  }
}
