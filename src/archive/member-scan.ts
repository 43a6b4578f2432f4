/**
 * Splits an archive that comes through a pipe (a decrypting one, or a download) into its members,
 * by their headers, without the index and without inflating anything.
 */
import { createHash } from 'node:crypto';
import { ReshelveError } from '../errors.js';
import { inflateSql } from './compression.js';
import { FOOTER_LENGTH, parseFooter } from './footer.js';
import { MEMBER_LENGTH_MIN, dismantleMember } from './gzip-member.js';
import { MEMBER_HEADER_LENGTH, parseMemberHeader } from './member-header.js';
import type { MemberHeader } from './member-header.js';
import { mayFollow } from './member-kinds.js';
import { StreamCursor } from './stream-cursor.js';

export interface ScannedMember {
  readonly header: MemberHeader;
  /** Where the member starts in the stream. */
  readonly offset: number;
  /** Its bytes, a gzip file of its own; the buffer is the consumer's. */
  readonly stored: Buffer;
}

interface ScannedIndex {
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

/**
 * All members but the footer, in file order, the index last. The footer is compared with the index
 * before the generator ends; so only a scan that ends without an error saw a whole archive. Throws
 * `DAMAGED` (also where the stream ends early or goes on after the footer) or `FORMAT_TOO_NEW`.
 * Whether a member's content is intact shows when {@link inflateScanned} inflates it, and when its
 * SHA-256 is compared with the index.
 */
export async function* scanMembers(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<ScannedMember, void> {
  const cursor = new StreamCursor(stream);
  let previous: MemberHeader | undefined;
  let index: ScannedIndex | undefined;
  for (;;) {
    const offset = cursor.offset;
    const start = await cursor.take(MEMBER_HEADER_LENGTH);
    const header = parseMemberHeader(start);
    checkSequence(previous, header, offset);
    const stored = await cursor.take(header.storedLength - start.length, start);
    if (header.kind === 'footer') {
      checkFooter(stored, index);
      break;
    }
    if (header.kind === 'index') index = { offset, length: stored.length, sha256: hash(stored) };
    yield { header, offset, stored };
    previous = header;
  }
  await cursor.expectEnd();
}

/** The SQL of a scanned member. Throws `DAMAGED`. */
export async function inflateScanned(stored: Buffer): Promise<Buffer> {
  const { deflated, sqlLength, crc32 } = dismantleMember(stored);
  return inflateSql(deflated, sqlLength, crc32);
}

function checkSequence(
  previous: MemberHeader | undefined,
  header: MemberHeader,
  offset: number,
): void {
  const number = previous === undefined ? 0 : previous.number + 1;
  const legal =
    previous === undefined ? header.kind === 'header' : mayFollow(previous.kind, header.kind);
  if (header.number !== number || !legal) {
    throw damaged(
      `expected member ${number} at offset ${offset} but found member ${header.number} (${header.kind})`,
    );
  }
  const lengthIsLegal =
    header.kind === 'footer'
      ? header.storedLength === FOOTER_LENGTH
      : header.storedLength >= MEMBER_LENGTH_MIN;
  if (!lengthIsLegal) {
    throw damaged(`member ${number} cannot have ${header.storedLength} bytes`);
  }
}

function checkFooter(stored: Buffer, index: ScannedIndex | undefined): void {
  const footer = parseFooter(stored);
  const agrees =
    index?.offset === footer.indexOffset &&
    index.length === footer.indexLength &&
    index.sha256 === footer.indexSha256;
  if (!agrees) throw damaged('the footer does not match the index before it');
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function damaged(message: string): ReshelveError {
  return new ReshelveError('DAMAGED', message);
}
