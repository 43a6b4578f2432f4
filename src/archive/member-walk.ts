/**
 * Goes from member to member by the headers alone, for files whose index cannot be trusted: it
 * finds the next intact header behind damage, and says what lies between.
 */
import { ReshelveError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { MEMBER_LENGTH_MIN } from './gzip-member.js';
import { MEMBER_HEADER_LENGTH, findMemberHeader, parseMemberHeader } from './member-header.js';
import type { MemberHeader } from './member-header.js';

export interface FoundMember {
  readonly offset: number;
  readonly header: MemberHeader;
}

/** Bytes that belong to no member. */
export interface Gap {
  readonly offset: number;
  readonly length: number;
}

export type WalkStep = { readonly member: FoundMember } | { readonly gap: Gap };

const SEARCH_WINDOW_BYTES = 1024 * 1024;

/**
 * All members and gaps in file order; together they cover the file once, except that a member which
 * lost bytes may reach into the next. Throws `FORMAT_TOO_NEW` where the first header says so, and
 * what reading throws.
 */
export async function* walkMembers(source: ByteSource): AsyncGenerator<WalkStep> {
  let at = 0;
  let previousOffset = -1;
  while (at < source.size) {
    const header = await headerAt(source, at);
    if (header !== undefined) {
      yield { member: { offset: at, header } };
      previousOffset = at;
      at += header.storedLength;
      continue;
    }
    // The member before may have lost bytes: then the next header comes earlier than it promised.
    const next = await findHeader(source, previousOffset + 1);
    if (next > at) yield { gap: { offset: at, length: next - at } };
    at = next;
  }
}

/** The header at `offset`, or undefined where no whole member can start there. */
async function headerAt(source: ByteSource, offset: number): Promise<MemberHeader | undefined> {
  if (source.size - offset < MEMBER_LENGTH_MIN) return undefined;
  const bytes = await source.read(offset, MEMBER_HEADER_LENGTH);
  try {
    const header = parseMemberHeader(bytes);
    const fits = header.storedLength >= MEMBER_LENGTH_MIN;
    return fits && offset + header.storedLength <= source.size ? header : undefined;
  } catch (error) {
    const isDamage = error instanceof ReshelveError && error.code === 'DAMAGED';
    if (isDamage || offset > 0) return undefined;
    throw error;
  }
}

/** Where the next usable header starts at or after `from`; the file's size where there is none. */
async function findHeader(source: ByteSource, from: number): Promise<number> {
  let at = from;
  while (source.size - at >= MEMBER_LENGTH_MIN) {
    const length = Math.min(SEARCH_WINDOW_BYTES, source.size - at);
    const bytes = await source.read(at, length);
    const found = findMemberHeader(bytes);
    if (found < 0) {
      // A header may straddle the end of the window.
      at += Math.max(1, length - MEMBER_HEADER_LENGTH + 1);
      continue;
    }
    if ((await headerAt(source, at + found)) !== undefined) return at + found;
    at += found + 1;
  }
  return source.size;
}
