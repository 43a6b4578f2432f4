/**
 * The gzip header that starts every member (RFC 1952, section 2.3): canonical, so that each of its
 * bits is known in advance or covered by a checksum. All numbers are little-endian.
 *
 *   0  1f 8b 08 04   magic, deflate, FLG = FEXTRA
 *   4  00 × 5  ff    MTIME 0, XFL 0, OS unknown
 *  10  u16           XLEN: 18, in the footer 74
 *  12  'R' 'S' u16   our subfield, 14 bytes
 *  16  u8 u8         archive format, member kind
 *  18  u32           member number
 *  22  u32           stored length of the whole member
 *  26  u32           CRC-32 of bytes 0 to 25
 */
import { crc32 } from 'node:zlib';
import { ReshelveError, assert } from '../errors.js';
import { ARCHIVE_FORMAT } from './format.js';
import { MEMBER_KIND_CODES, kindOfCode } from './member-kinds.js';
import type { MemberKind } from './member-kinds.js';

export const MEMBER_HEADER_LENGTH = 30;

/** Bytes that the footer's second subfield adds to its header. */
export const FOOTER_SUBFIELD_LENGTH = 56;

const FIXED_START = Buffer.from('1f8b08040000000000ff', 'hex');
const SUBFIELD_START = Buffer.from('52530e00', 'hex');
const XLEN = 18;
const CRC_OFFSET = 26;
const U32_MAX = 0xffff_ffff;

export interface MemberHeader {
  readonly kind: MemberKind;
  readonly number: number;
  /** Bytes of the whole member in the file, this header and the gzip trailer included. */
  readonly storedLength: number;
}

/** The 30 bytes that start a member. */
export function encodeMemberHeader(header: MemberHeader): Buffer {
  assert(header.number >= 0 && header.number <= U32_MAX, 'a member number fits 32 bits');
  assert(header.storedLength <= U32_MAX, 'a stored length fits 32 bits');
  const bytes = Buffer.alloc(MEMBER_HEADER_LENGTH);
  FIXED_START.copy(bytes, 0);
  bytes.writeUInt16LE(expectedXlen(header.kind), 10);
  SUBFIELD_START.copy(bytes, 12);
  bytes.writeUInt8(ARCHIVE_FORMAT, 16);
  bytes.writeUInt8(MEMBER_KIND_CODES[header.kind], 17);
  bytes.writeUInt32LE(header.number, 18);
  bytes.writeUInt32LE(header.storedLength, 22);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/**
 * Reads the 30 bytes that start a member; accepts only what {@link encodeMemberHeader} writes.
 * Throws `DAMAGED` for anything else, and `FORMAT_TOO_NEW` where the checksum holds and the format
 * is a later one: every later format keeps these 30 bytes as they are.
 */
export function parseMemberHeader(bytes: Buffer): MemberHeader {
  if (bytes.length < MEMBER_HEADER_LENGTH) {
    throw damaged(
      `expected a member header of ${MEMBER_HEADER_LENGTH} bytes but found ${bytes.length}`,
    );
  }
  if (!hasSignature(bytes)) throw damaged('expected a member header but found other bytes');
  if (!hasValidChecksum(bytes)) throw damaged('a member header does not match its own checksum');
  const format = bytes.readUInt8(16);
  if (format > ARCHIVE_FORMAT) throw formatTooNew(format);
  const code = bytes.readUInt8(17);
  const kind = kindOfCode(code);
  if (format === 0 || kind === undefined) {
    throw damaged(`unknown member format ${format} or kind ${code}`);
  }
  if (bytes.readUInt16LE(10) !== expectedXlen(kind)) {
    throw damaged(`a member of kind ${kind} has a header of the wrong length`);
  }
  return { kind, number: bytes.readUInt32LE(18), storedLength: bytes.readUInt32LE(22) };
}

/** Whether `bytes` at `offset` hold the fixed bytes of one of our member headers, of any format. */
function hasSignature(bytes: Buffer, offset = 0): boolean {
  return (
    offset + 16 <= bytes.length &&
    bytes.compare(FIXED_START, 0, 10, offset, offset + 10) === 0 &&
    bytes.compare(SUBFIELD_START, 0, 4, offset + 12, offset + 16) === 0
  );
}

/** Whether the header's own checksum holds, which is what makes a match more than chance. */
function hasValidChecksum(bytes: Buffer, offset = 0): boolean {
  if (offset + MEMBER_HEADER_LENGTH > bytes.length) return false;
  const stored = bytes.readUInt32LE(offset + CRC_OFFSET);
  return crc32(bytes.subarray(offset, offset + CRC_OFFSET)) === stored;
}

/** The next offset at or after `from` where an intact member header starts, or -1. */
export function findMemberHeader(bytes: Buffer, from = 0): number {
  let at = bytes.indexOf(FIXED_START, from);
  while (at >= 0 && at + MEMBER_HEADER_LENGTH <= bytes.length) {
    if (hasSignature(bytes, at) && hasValidChecksum(bytes, at)) return at;
    at = bytes.indexOf(FIXED_START, at + 1);
  }
  return -1;
}

/**
 * How many of the 14 fixed bytes at the start of `bytes` are not those of a member header: one for
 * a header of ours with a little damage, several for any other gzip file (bgzip's has three).
 */
export function wrongSignatureBytes(bytes: Buffer): number {
  let wrong = 0;
  for (let at = 0; at < 16; at += 1) {
    if (at === 10 || at === 11) continue;
    const expected = at < 10 ? FIXED_START[at] : SUBFIELD_START[at - 12];
    if (bytes[at] !== expected) wrong += 1;
  }
  return wrong;
}

/** The error for a later format; `found` and the newest that we read are both named. */
export function formatTooNew(found: number): ReshelveError {
  return new ReshelveError(
    'FORMAT_TOO_NEW',
    `archive format ${found} is newer than ${ARCHIVE_FORMAT}, the newest that this version reads`,
  );
}

function expectedXlen(kind: MemberKind): number {
  return kind === 'footer' ? XLEN + FOOTER_SUBFIELD_LENGTH : XLEN;
}

function damaged(message: string): ReshelveError {
  return new ReshelveError('DAMAGED', message);
}
