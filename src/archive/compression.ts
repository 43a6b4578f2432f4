/** Raw deflate and inflate in libuv's thread pool, without copies of large buffers. */
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createDeflateRaw, createInflateRaw, inflateRaw } from 'node:zlib';
import { ReshelveError } from '../errors.js';
import type { CompressedSql } from './gzip-member.js';

/** `huffman` codes bytes without looking for repeats: ten times faster, and smaller for hex. */
export type CompressionStrategy = 'default' | 'huffman';

export interface DeflateOptions {
  /** zlib level 1 (fast) to 9 (small). */
  readonly level: number;
  readonly strategy: CompressionStrategy;
}

const PIECE_BYTES_MIN = 64 * 1024;
const PIECE_BYTES_MAX = 4 * 1024 * 1024;

/** zlib counts the room for its output in 32 bits. */
const INFLATE_PIECE_BYTES_MAX = 1024 ** 3;

const INFLATE_STEP_BYTES = 512 * 1024;

/** Deflate cannot shrink by more than this factor (zlib's technical notes). */
const DEFLATE_RATIO_MAX = 1032;

/**
 * Deflates the concatenation of `pieces`. They must not change until the promise settles; the
 * result does not refer to them. Its pieces are kept apart so that a huge member is never copied.
 */
export function deflateSql(
  pieces: readonly Buffer[],
  options: DeflateOptions,
): Promise<CompressedSql> {
  let sqlLength = 0;
  let checksum = 0;
  for (const piece of pieces) {
    sqlLength += piece.length;
    checksum = crc32(piece, checksum);
  }
  return new Promise((resolve, reject) => {
    const engine = createDeflateRaw({
      level: options.level,
      memLevel: 9,
      strategy:
        options.strategy === 'huffman' ? constants.Z_HUFFMAN_ONLY : constants.Z_DEFAULT_STRATEGY,
      chunkSize: outputPieceLength(sqlLength),
    });
    const deflated: Buffer[] = [];
    engine.on('data', (piece: Buffer) => deflated.push(piece));
    engine.on('error', reject);
    engine.on('end', () => {
      resolve({ deflated, crc32: checksum, sqlLength });
    });
    for (const piece of pieces) engine.write(piece);
    engine.end();
  });
}

/**
 * Half of the input is more than most members need, so they take one trip through the pool; pages
 * of a piece that stay unused are never touched and cost no memory.
 */
function outputPieceLength(sqlLength: number): number {
  const guess = Math.ceil(sqlLength / 2) + PIECE_BYTES_MIN;
  return Math.min(guess, PIECE_BYTES_MAX);
}

/**
 * Inflates a raw deflate stream that must hold exactly `sqlLength` bytes of SQL with CRC-32
 * `checksum`, and end with the last byte of `deflated`. Throws `DAMAGED` for anything else, and
 * never allocates more than `sqlLength` for a hostile stream.
 */
export async function inflateSql(
  deflated: Buffer,
  sqlLength: number,
  checksum: number,
): Promise<Buffer> {
  if (sqlLength > deflated.length * DEFLATE_RATIO_MAX) {
    throw damaged(`${deflated.length} compressed bytes cannot hold ${sqlLength} bytes`);
  }
  const { sql, consumed } = await inflate(deflated, sqlLength);
  if (consumed !== deflated.length) {
    throw damaged(`expected ${deflated.length} compressed bytes but found ${consumed}`);
  }
  if (sql.length !== sqlLength) {
    throw damaged(`expected ${sqlLength} bytes of SQL but found ${sql.length}`);
  }
  if (crc32(sql) !== checksum) throw damaged('the SQL does not match its CRC-32');
  return sql;
}

export interface ExpectedSql {
  readonly deflatedLength: number;
  readonly sqlLength: number;
  readonly crc32: number;
}

/**
 * As {@link inflateSql}, for a member too large to be held twice: takes the deflated bytes in pieces
 * and gives the SQL in pieces. What is wrong may only be known, and thrown, behind the last one.
 */
export async function* inflateInPieces(
  deflated: AsyncIterable<Buffer>,
  expected: ExpectedSql,
): AsyncGenerator<Buffer, void> {
  const { deflatedLength, sqlLength } = expected;
  const engine = createInflateRaw({ chunkSize: INFLATE_STEP_BYTES });
  let found = 0;
  let checksum = 0;
  // Its failures come out of `engine`, which the pipeline destroys.
  const fed = pipeline(deflated, engine).catch(() => undefined);
  try {
    for await (const piece of engine as AsyncIterable<Buffer>) {
      found += piece.length;
      if (found > sqlLength) break;
      checksum = crc32(piece, checksum);
      yield piece;
    }
  } catch (error) {
    throw isZlibError(error) ? damaged('the compressed bytes are not valid', error) : error;
  } finally {
    engine.destroy();
    await fed;
  }
  if (found !== sqlLength) throw damaged(`expected ${sqlLength} bytes of SQL but found ${found}`);
  if (engine.bytesWritten !== deflatedLength) {
    throw damaged(`expected ${deflatedLength} compressed bytes but found ${engine.bytesWritten}`);
  }
  if (checksum !== expected.crc32) throw damaged('the SQL does not match its CRC-32');
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function inflate(deflated: Buffer, sqlLength: number): Promise<{ sql: Buffer; consumed: number }> {
  // One byte more than expected, so that the one buffer is not full when the stream has ended:
  // zlib would ask for a second one, and for a concatenation.
  const room = sqlLength + 1;
  const chunkSize = Math.min(Math.max(room, PIECE_BYTES_MIN), INFLATE_PIECE_BYTES_MAX);
  const options = { chunkSize, maxOutputLength: room, info: true };
  return new Promise((resolve, reject) => {
    inflateRaw(deflated, options, (error, result: unknown) => {
      if (error !== null) {
        reject(damaged('the compressed bytes are not valid', error));
        return;
      }
      // With `info: true` the result has this shape, which the type declarations leave out.
      const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
      resolve({ sql: buffer, consumed: engine.bytesWritten });
    });
  });
}

function damaged(message: string, cause?: unknown): ReshelveError {
  return new ReshelveError('DAMAGED', message, { cause });
}
