/**
 * The last member of an archive: empty, 96 bytes, at the very end, so that one read from the end of
 * the file finds the index. After the 30 bytes of every member header comes a second subfield:
 *
 *  30  'R' 'F' u16   52 bytes
 *  34  u64           offset of the index member
 *  42  u32           its stored length
 *  46  u32           number of members, index and footer included
 *  50  32 bytes      SHA-256 of the index member's stored bytes
 *  82  u32           CRC-32 of bytes 0 to 81
 *  86  03 00         deflate of nothing
 *  88  u32 u32       gzip trailer: CRC-32 0, length 0
 */
import { crc32 } from 'node:zlib';
import { ReshelveError, assert } from '../errors.js';
import {
  FOOTER_SUBFIELD_LENGTH,
  MEMBER_HEADER_LENGTH,
  encodeMemberHeader,
  parseMemberHeader,
} from './member-header.js';

export const FOOTER_LENGTH = 96;

const SUBFIELD_START = Buffer.from('52463400', 'hex');
const CRC_OFFSET = MEMBER_HEADER_LENGTH + FOOTER_SUBFIELD_LENGTH - 4;
const EMPTY_BODY = Buffer.from('03000000000000000000', 'hex');

export interface Footer {
  readonly indexOffset: number;
  readonly indexLength: number;
  /** All members: those that the index lists, the index, and this footer. */
  readonly memberCount: number;
  /** 64 lower-case hexadecimal digits. */
  readonly indexSha256: string;
}

export function encodeFooter(footer: Footer): Buffer {
  assert(Number.isSafeInteger(footer.indexOffset), 'an offset is an exact number');
  assert(footer.memberCount >= 2, 'an archive has an index and a footer');
  const bytes = Buffer.alloc(FOOTER_LENGTH);
  const number = footer.memberCount - 1;
  encodeMemberHeader({ kind: 'footer', number, storedLength: FOOTER_LENGTH }).copy(bytes);
  SUBFIELD_START.copy(bytes, 30);
  bytes.writeBigUInt64LE(BigInt(footer.indexOffset), 34);
  bytes.writeUInt32LE(footer.indexLength, 42);
  bytes.writeUInt32LE(footer.memberCount, 46);
  const written = bytes.write(footer.indexSha256, 50, 'hex');
  assert(written === 32, 'a SHA-256 has 32 bytes');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  EMPTY_BODY.copy(bytes, CRC_OFFSET + 4);
  return bytes;
}

/**
 * Reads the 96 bytes of a footer; accepts only what {@link encodeFooter} writes. Throws `DAMAGED`,
 * or `FORMAT_TOO_NEW` as {@link parseMemberHeader} does.
 */
export function parseFooter(bytes: Buffer): Footer {
  if (bytes.length !== FOOTER_LENGTH) {
    throw damaged(`expected a footer of ${FOOTER_LENGTH} bytes but found ${bytes.length}`);
  }
  const header = parseMemberHeader(bytes);
  if (header.kind !== 'footer' || header.storedLength !== FOOTER_LENGTH) {
    throw damaged(`expected the footer but found a member of kind ${header.kind}`);
  }
  if (crc32(bytes.subarray(0, CRC_OFFSET)) !== bytes.readUInt32LE(CRC_OFFSET)) {
    throw damaged('the footer does not match its own checksum');
  }
  if (!bytes.subarray(CRC_OFFSET + 4).equals(EMPTY_BODY)) {
    throw damaged('expected an empty footer but found content in it');
  }
  return readFields(bytes, header.number);
}

function readFields(bytes: Buffer, number: number): Footer {
  const indexOffset = Number(bytes.readBigUInt64LE(34));
  const memberCount = bytes.readUInt32LE(46);
  const canonical =
    bytes.compare(SUBFIELD_START, 0, 4, 30, 34) === 0 &&
    Number.isSafeInteger(indexOffset) &&
    memberCount === number + 1 &&
    memberCount >= 2;
  if (!canonical) throw damaged('the fields of the footer contradict each other');
  return {
    indexOffset,
    indexLength: bytes.readUInt32LE(42),
    memberCount,
    indexSha256: bytes.toString('hex', 50, 82),
  };
}

function damaged(message: string): ReshelveError {
  return new ReshelveError('DAMAGED', message);
}
