/** Where an archive's bytes come from: a file, memory, or ranges of something remote. */
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { ReshelveError } from '../errors.js';
import { fileError, withFileErrors } from '../file-errors.js';

export interface ByteSource {
  /** For messages: a path or an address without secrets. */
  readonly name: string;
  /** Bytes in all; fixed while the source is open. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; the buffer is the caller's. May be called several times
   * at once. Throws `DAMAGED` where the source ends earlier than its size, `IO` and the like.
   */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** One read call takes at most 2 GiB (Linux: 0x7ffff000 bytes). */
const BYTES_PER_READ_MAX = 1024 ** 3;

/**
 * Opens a file for reading. Throws `BACKUP_NOT_FOUND`, `NOT_A_BACKUP` where `path` is a folder or
 * the like, `DIRECTORY`, `FILE_LIMIT` or `IO`.
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  await expectRegularFile(path);
  return withFileErrors('open', path, async () => {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      return {
        name: path,
        size,
        read: (offset, length) => readFully(handle, path, offset, length),
        close: () => handle.close(),
      };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/** Looks before opening, since opening a named pipe would wait for its writer. */
async function expectRegularFile(path: string): Promise<void> {
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new ReshelveError('BACKUP_NOT_FOUND', `no such file: ${path}`, { cause: error });
    }
    throw fileError(error, 'open', path);
  }
  if (!isFile)
    throw new ReshelveError('NOT_A_BACKUP', `expected a file but found another thing: ${path}`);
}

async function readFully(
  handle: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const wanted = Math.min(length - filled, BYTES_PER_READ_MAX);
    const { bytesRead } = await withFileErrors('read', path, () =>
      handle.read(bytes, filled, wanted, offset + filled),
    );
    if (bytesRead === 0) throw endsEarly(path, offset + length, offset + filled);
    filled += bytesRead;
  }
  return bytes;
}

/** A source over bytes in memory; `read` returns copies. */
export function memorySource(bytes: Buffer, name = 'memory'): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => {
      if (offset + length > bytes.length) {
        return Promise.reject(endsEarly(name, offset + length, bytes.length));
      }
      return Promise.resolve(Buffer.from(bytes.subarray(offset, offset + length)));
    },
    close: () => Promise.resolve(),
  };
}

function endsEarly(name: string, expected: number, found: number): ReshelveError {
  return new ReshelveError(
    'DAMAGED',
    `${name}: expected at least ${expected} bytes but found ${found}`,
  );
}
