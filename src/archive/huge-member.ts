/**
 * Members that are verified and inflated a window at a time, because they are too large to be held
 * whole both as they are stored and as SQL.
 */
import { createHash } from 'node:crypto';
import { ReshelveError } from '../errors.js';
import { compareWithIndex } from './archive-check.js';
import type { ByteSource } from './byte-source.js';
import { inflateInPieces } from './compression.js';
import { GZIP_TRAILER_LENGTH } from './gzip-member.js';
import type { MemberEntry } from './index-types.js';
import { MEMBER_HEADER_LENGTH, parseMemberHeader } from './member-header.js';

export const WINDOW_BYTES = 2 * 1024 * 1024;

/** A data member of one huge row; the others hold a few MiB. */
const HUGE_SQL_BYTES = 8 * 1024 * 1024;

export function isHugeMember(entry: MemberEntry): boolean {
  return entry.sqlLength >= HUGE_SQL_BYTES;
}

/** Compares the stored bytes of a member with the index; returns what is wrong, in words. */
export async function checkStored(source: ByteSource, entry: MemberEntry): Promise<string[]> {
  const hash = createHash('sha256');
  let isFirst = true;
  for await (const bytes of windows(source, entry.offset, entry.storedLength)) {
    hash.update(bytes);
    const differences = isFirst ? compareWithIndex(parseMemberHeader(bytes), entry) : [];
    if (differences.length > 0) return [differences.join('; ')];
    isFirst = false;
  }
  const found = hash.digest('hex');
  return found === entry.sha256 ? [] : [`expected SHA-256 ${entry.sha256} but found ${found}`];
}

/** The SQL of a member in pieces; its stored bytes are verified before the first one. Throws `DAMAGED`. */
export async function* readHugeMember(
  source: ByteSource,
  entry: MemberEntry,
): AsyncGenerator<Buffer, void> {
  const problems = await checkStored(source, entry);
  if (problems.length > 0) throw new ReshelveError('DAMAGED', problems.join('; '));
  const { offset, storedLength } = entry;
  const trailerOffset = offset + storedLength - GZIP_TRAILER_LENGTH;
  const trailer = await source.read(trailerOffset, GZIP_TRAILER_LENGTH);
  const sqlLength = trailer.readUInt32LE(4);
  if (sqlLength !== entry.sqlLength) {
    throw new ReshelveError(
      'DAMAGED',
      `expected ${entry.sqlLength} bytes of SQL but found ${sqlLength}`,
    );
  }
  const start = offset + MEMBER_HEADER_LENGTH;
  const deflatedLength = trailerOffset - start;
  yield* inflateInPieces(windows(source, start, deflatedLength), {
    deflatedLength,
    sqlLength,
    crc32: trailer.readUInt32LE(0),
  });
}

async function* windows(
  source: ByteSource,
  offset: number,
  length: number,
): AsyncGenerator<Buffer, void> {
  for (let done = 0; done < length; done += WINDOW_BYTES) {
    yield await source.read(offset + done, Math.min(WINDOW_BYTES, length - done));
  }
}
