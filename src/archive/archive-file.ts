/** Appends to the file of an archive under way: checked, complete, in order. */
import { open, rm } from 'node:fs/promises';
import { assert } from '../errors.js';
import { withFileErrors } from '../file-errors.js';

/** What is needed of a `FileHandle`; a test puts failures in between. */
export interface WritableFile {
  writev(buffers: readonly Buffer[], position: number): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Linux takes at most 1,024 buffers in one call (IOV_MAX). */
const BUFFERS_PER_WRITE_MAX = 512;

export class ArchiveFile {
  readonly path: string;
  readonly #file: WritableFile;
  #size = 0;
  #open = true;

  constructor(file: WritableFile, path: string) {
    this.#file = file;
    this.path = path;
  }

  /** Makes a new file that only its owner may read. Throws `IO` where `path` exists already. */
  static async create(path: string): Promise<ArchiveFile> {
    return withFileErrors('create', path, async () => {
      const handle = await open(path, 'wx', 0o600);
      return new ArchiveFile(handle, path);
    });
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Appends all of `buffers`. One call at a time. Throws `DISK_FULL`, `IO` … */
  async append(buffers: readonly Buffer[]): Promise<void> {
    assert(this.#open, 'an archive is written before it is closed');
    await withFileErrors('write', this.path, async () => {
      let rest = buffers.filter((buffer) => buffer.length > 0);
      while (rest.length > 0) {
        const batch = rest.slice(0, BUFFERS_PER_WRITE_MAX);
        const { bytesWritten } = await this.#file.writev(batch, this.#size);
        if (bytesWritten === 0) throw stalledWrite();
        this.#size += bytesWritten;
        rest = withoutFirst(rest, bytesWritten);
      }
    });
  }

  /** Waits until the disk has every byte, then closes the file. */
  async syncAndClose(): Promise<void> {
    await withFileErrors('sync', this.path, () => this.#file.sync());
    // Closing is where some network file systems report a write that failed.
    await withFileErrors('close', this.path, () => this.#close());
  }

  /** Closes and removes the file. Throws only where the file is still there afterwards. */
  async remove(): Promise<void> {
    // The file goes in any case, so a failure to close it says nothing of interest.
    await this.#close().catch(() => undefined);
    await withFileErrors('remove', this.path, () => rm(this.path, { force: true }));
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

function withoutFirst(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  let index = 0;
  for (const buffer of buffers) {
    if (skip < buffer.length) break;
    skip -= buffer.length;
    index += 1;
  }
  const rest = buffers.slice(index);
  const [first] = rest;
  if (first !== undefined && skip > 0) rest[0] = first.subarray(skip);
  return rest;
}

/** A write that takes nothing and reports nothing would repeat for ever. */
function stalledWrite(): Error {
  return Object.assign(new Error('a write took no bytes'), { code: 'EIO', errno: -5 });
}
