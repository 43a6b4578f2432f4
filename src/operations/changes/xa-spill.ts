/**
 * Rows of XA transactions that wait for their decision: in memory while they are few, else in a file
 * beside the archive. Written and read at once, because the conversion that needs them does not wait.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { XaStore } from '../../binlog/xa.js';
import { fileError } from '../../file-errors.js';

const MEMORY_BYTES_MAX = 4 * 1024 * 1024;

type Piece = { readonly sql: Buffer } | { readonly offset: number; readonly length: number };

export class XaSpill implements XaStore {
  readonly #path: string;
  readonly #pieces = new Map<string, Piece[]>();
  #memoryBytes = 0;
  #file: number | undefined;
  #fileLength = 0;

  /** The file at `path` is made when it is needed. */
  constructor(path: string) {
    this.#path = path;
  }

  append(xid: string, sql: Buffer): void {
    const pieces = this.#pieces.get(xid) ?? [];
    this.#pieces.set(xid, pieces);
    if (this.#memoryBytes + sql.length <= MEMORY_BYTES_MAX) {
      this.#memoryBytes += sql.length;
      pieces.push({ sql });
      return;
    }
    pieces.push({ offset: this.#fileLength, length: sql.length });
    this.#write(sql);
  }

  #write(sql: Buffer): void {
    try {
      this.#file ??= openSync(this.#path, 'wx+', 0o600);
      for (let done = 0; done < sql.length;) {
        done += writeSync(this.#file, sql, done, sql.length - done, this.#fileLength + done);
      }
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
    this.#fileLength += sql.length;
  }

  *pieces(xid: string): Generator<Buffer> {
    for (const piece of this.#pieces.get(xid) ?? []) {
      yield 'sql' in piece ? piece.sql : this.#read(piece.offset, piece.length);
    }
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    try {
      for (let done = 0; done < length;) {
        // The file is open where a piece is in it.
        const read = readSync(this.#file ?? -1, bytes, done, length - done, offset + done);
        if (read === 0) throw new Error('the file is shorter than what was written');
        done += read;
      }
    } catch (error) {
      throw fileError(error, 'read', this.#path);
    }
    return bytes;
  }

  drop(xid: string): void {
    for (const piece of this.#pieces.get(xid) ?? []) {
      if ('sql' in piece) this.#memoryBytes -= piece.sql.length;
    }
    this.#pieces.delete(xid);
  }

  /** Removes the file; may be called twice. */
  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }
}
