/** Puts a member's stored bytes together, and takes them apart. Compression is done elsewhere. */
import { createHash } from 'node:crypto';
import { ReshelveError, assert } from '../errors.js';
import { MEMBER_STORED_BYTES_MAX } from './format.js';
import { MEMBER_HEADER_LENGTH, encodeMemberHeader, parseMemberHeader } from './member-header.js';
import type { MemberHeader } from './member-header.js';
import type { MemberKind } from './member-kinds.js';

/** CRC-32 and length of the SQL, which end every gzip member. Bytes. */
export const GZIP_TRAILER_LENGTH = 8;

/** The fewest bytes that a member can have: nothing deflated takes two. */
export const MEMBER_LENGTH_MIN = MEMBER_HEADER_LENGTH + 2 + GZIP_TRAILER_LENGTH;

export interface CompressedSql {
  /** Raw deflate stream, in pieces; none is copied. */
  readonly deflated: readonly Buffer[];
  /** CRC-32 of the SQL. */
  readonly crc32: number;
  readonly sqlLength: number;
}

export interface AssembledMember {
  /** Header, the pieces as they were given, trailer: write them one after the other. */
  readonly parts: readonly Buffer[];
  readonly storedLength: number;
  readonly sha256: string;
}

/** Throws `UNSUPPORTED` where the compressed member would exceed 4 GiB. */
export function assembleMember(
  kind: MemberKind,
  number: number,
  sql: CompressedSql,
): AssembledMember {
  assert(sql.sqlLength <= 0xffff_ffff, 'the SQL of a member is shorter than 4 GiB');
  let storedLength = MEMBER_HEADER_LENGTH + GZIP_TRAILER_LENGTH;
  for (const piece of sql.deflated) storedLength += piece.length;
  if (storedLength > MEMBER_STORED_BYTES_MAX) {
    throw new ReshelveError(
      'UNSUPPORTED',
      `expected a member shorter than 4 GiB but found ${storedLength} bytes`,
    );
  }
  const trailer = Buffer.alloc(GZIP_TRAILER_LENGTH);
  trailer.writeUInt32LE(sql.crc32, 0);
  trailer.writeUInt32LE(sql.sqlLength, 4);
  const parts = [encodeMemberHeader({ kind, number, storedLength }), ...sql.deflated, trailer];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return { parts, storedLength, sha256: hash.digest('hex') };
}

export interface DismantledMember {
  readonly header: MemberHeader;
  /** A view of the stored bytes, not a copy. */
  readonly deflated: Buffer;
  readonly crc32: number;
  readonly sqlLength: number;
}

/** Throws `DAMAGED` (or `FORMAT_TOO_NEW`) where `stored` is not exactly one member of ours. */
export function dismantleMember(stored: Buffer): DismantledMember {
  const header = parseMemberHeader(stored);
  if (header.storedLength !== stored.length || stored.length < MEMBER_LENGTH_MIN) {
    throw new ReshelveError(
      'DAMAGED',
      `expected a member of ${header.storedLength} bytes but found ${stored.length}`,
    );
  }
  const trailerOffset = stored.length - GZIP_TRAILER_LENGTH;
  return {
    header,
    deflated: stored.subarray(MEMBER_HEADER_LENGTH, trailerOffset),
    crc32: stored.readUInt32LE(trailerOffset),
    sqlLength: stored.readUInt32LE(trailerOffset + 4),
  };
}
