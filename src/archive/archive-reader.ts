/** Random access to the members of an archive, every byte verified on the way. */
import { createHash } from 'node:crypto';
import { ReshelveError, assert } from '../errors.js';
import { checkStructure, compareWithIndex } from './archive-check.js';
import type { ByteSource } from './byte-source.js';
import { openFileSource } from './byte-source.js';
import { inflateSql } from './compression.js';
import { FOOTER_LENGTH, parseFooter } from './footer.js';
import type { Footer } from './footer.js';
import { INDEX_SQL_BYTES_MAX } from './format.js';
import { MEMBER_LENGTH_MIN, dismantleMember } from './gzip-member.js';
import { isHugeMember, readHugeMember } from './huge-member.js';
import { parseMemberHeader } from './member-header.js';
import { parseIndex } from './index-document.js';
import type { ArchiveIndex, MemberEntry } from './index-types.js';

/**
 * Opens the archive at `path`: reads footer and index and checks that they fit together. Throws
 * `DAMAGED` or `FORMAT_TOO_NEW`, or as `openFileSource` does. Ask `probeFile` first whether the
 * file is an archive at all: here any other file is a damaged one.
 */
export async function openArchive(path: string): Promise<ArchiveReader> {
  const source = await openFileSource(path);
  try {
    return await openArchiveSource(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** As {@link openArchive}; the reader closes `source`, but a failure leaves it open. */
export async function openArchiveSource(source: ByteSource): Promise<ArchiveReader> {
  return withSourceName(source, async () => {
    const footer = await readFooter(source);
    const index = await readIndex(source, footer);
    const [problem] = checkStructure(index, footer, source.size);
    if (problem !== undefined) throw damaged(problem.message);
    return new ArchiveReader(source, index, footer);
  });
}

export class ArchiveReader {
  readonly index: ArchiveIndex;
  readonly footer: Footer;
  readonly #source: ByteSource;

  constructor(source: ByteSource, index: ArchiveIndex, footer: Footer) {
    this.#source = source;
    this.index = index;
    this.footer = footer;
  }

  get name(): string {
    return this.#source.name;
  }

  /** Bytes of the whole archive. */
  get size(): number {
    return this.#source.size;
  }

  /** All members that hold SQL, in file order. */
  members(): readonly MemberEntry[] {
    return this.index.members;
  }

  /**
   * The SQL of a member; the buffer is the caller's. Throws `DAMAGED`, naming member and place,
   * where a byte is not the one that was written.
   */
  async readMember(number: number): Promise<Buffer> {
    const entry = this.#entry(number);
    return readMemberSql(this.#source, entry);
  }

  /** The bytes of a member as they are in the file, verified; a gzip file of its own. */
  async readStored(number: number): Promise<Buffer> {
    return readStoredMember(this.#source, this.#entry(number));
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  #entry(number: number): MemberEntry {
    const entry = this.index.members[number];
    assert(entry !== undefined, `member ${number} is listed in the index`);
    return entry;
  }
}

/** Reads and parses the last bytes. Throws `DAMAGED` or `FORMAT_TOO_NEW`. */
export async function readFooter(source: ByteSource): Promise<Footer> {
  return withContext('footer', async () => {
    if (source.size < FOOTER_LENGTH) {
      throw damaged(`expected at least ${FOOTER_LENGTH} bytes but found ${source.size}`);
    }
    return parseFooter(await source.read(source.size - FOOTER_LENGTH, FOOTER_LENGTH));
  });
}

/** Reads, verifies and parses the index that `footer` names. Throws as {@link readFooter} does. */
export async function readIndex(source: ByteSource, footer: Footer): Promise<ArchiveIndex> {
  return withContext('index', async () => {
    const { indexOffset, indexLength, memberCount } = footer;
    const size = indexOffset + indexLength + FOOTER_LENGTH;
    if (size !== source.size || indexLength < MEMBER_LENGTH_MIN) {
      throw damaged(`expected a file of ${size} bytes but found ${source.size}`);
    }
    const stored = await source.read(indexOffset, indexLength);
    const found = sha256(stored);
    if (found !== footer.indexSha256) {
      throw damaged(`expected SHA-256 ${footer.indexSha256} but found ${found}`);
    }
    const member = dismantleMember(stored);
    if (member.header.kind !== 'index' || member.header.number !== memberCount - 2) {
      throw damaged(`expected the index but found a member of kind ${member.header.kind}`);
    }
    if (member.sqlLength > INDEX_SQL_BYTES_MAX) {
      throw damaged(`expected an index but found ${member.sqlLength} bytes of SQL`);
    }
    return parseIndex(await inflateSql(member.deflated, member.sqlLength, member.crc32));
  });
}

/** The stored bytes of a member, compared with the index. Throws `DAMAGED`. */
async function readStoredMember(source: ByteSource, entry: MemberEntry): Promise<Buffer> {
  return atMember(source, entry, async () => {
    const stored = await source.read(entry.offset, entry.storedLength);
    verifyStored(stored, entry);
    return stored;
  });
}

/** The SQL of a member. Throws `DAMAGED`. */
async function readMemberSql(source: ByteSource, entry: MemberEntry): Promise<Buffer> {
  return atMember(source, entry, async () => {
    if (isHugeMember(entry)) return joinPieces(readHugeMember(source, entry), entry.sqlLength);
    const stored = await source.read(entry.offset, entry.storedLength);
    return inflateMember(stored, entry);
  });
}

async function joinPieces(pieces: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const sql = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const piece of pieces) filled += piece.copy(sql, filled);
  return sql;
}

/** The SQL of a member whose stored bytes are `stored`. Throws `DAMAGED`. */
export async function inflateMember(stored: Buffer, entry: MemberEntry): Promise<Buffer> {
  verifyStored(stored, entry);
  const { deflated, sqlLength, crc32 } = dismantleMember(stored);
  if (sqlLength !== entry.sqlLength) {
    throw damaged(`expected ${entry.sqlLength} bytes of SQL but found ${sqlLength}`);
  }
  return inflateSql(deflated, sqlLength, crc32);
}

/** Throws `DAMAGED` where `stored` is not what the index says of the member. */
function verifyStored(stored: Buffer, entry: MemberEntry): void {
  const [difference] = compareWithIndex(parseMemberHeader(stored), entry);
  if (difference !== undefined) throw damaged(difference);
  const found = sha256(stored);
  if (found !== entry.sha256) {
    throw damaged(`expected SHA-256 ${entry.sha256} but found ${found}`);
  }
}

/** `member 12 (data of table `LOAN`) at offset 345`, for messages. */
function describeMember(entry: MemberEntry): string {
  const { number, kind, table, object, offset } = entry;
  let subject = '';
  if (table !== undefined) subject = ` of table \`${table}\``;
  if (object !== undefined) subject = `: ${object.type} \`${object.name}\``;
  return `member ${number} (${kind}${subject}) at offset ${offset}`;
}

async function atMember<T>(
  source: ByteSource,
  entry: MemberEntry,
  operation: () => Promise<T>,
): Promise<T> {
  return withContext(`${source.name}: ${describeMember(entry)}`, operation);
}

async function withSourceName<T>(source: ByteSource, operation: () => Promise<T>): Promise<T> {
  return withContext(source.name, operation);
}

/** Puts the place before the message of a format error; other errors name their file already. */
async function withContext<T>(place: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof ReshelveError)) throw error;
    const isOfFormat = error.code === 'DAMAGED' || error.code === 'FORMAT_TOO_NEW';
    if (!isOfFormat || error.message.startsWith(place)) throw error;
    throw new ReshelveError(error.code, `${place}: ${error.message}`, { cause: error });
  }
}

function damaged(message: string): ReshelveError {
  return new ReshelveError('DAMAGED', message);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
