/**
 * Pieces of SQL that must wait (rows of an XA transaction for its decision, those of an undo for the last
 * row): in memory while they are few, else in a file of the backup directory that has no name any more, so
 * that nothing of it stays behind whatever ends the process. Written and read at once, because who needs
 * them does not wait.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { XaStore } from '../../binlog/xa.js';
import { fileError } from '../../file-errors.js';

const MEMORY_BYTES_MAX = 4 * 1024 * 1024;

type Piece = { readonly sql: Buffer } | { readonly offset: number; readonly length: number };

export class PieceSpill implements XaStore {
  readonly #path: string;
  readonly #pieces = new Map<string, Piece[]>();
  #memoryBytes = 0;
  #file: number | undefined;
  #fileLength = 0;

  /** A file is made when it is needed. */
  constructor(directory: string) {
    this.#path = join(directory, `.waiting.${randomUUID()}`);
  }

  append(key: string, sql: Buffer): void {
    const pieces = this.#pieces.get(key) ?? [];
    this.#pieces.set(key, pieces);
    if (this.#memoryBytes + sql.length <= MEMORY_BYTES_MAX) {
      this.#memoryBytes += sql.length;
      pieces.push({ sql: Buffer.from(sql) });
      return;
    }
    pieces.push({ offset: this.#fileLength, length: sql.length });
    this.#write(sql);
  }

  #write(sql: Buffer): void {
    try {
      if (this.#file === undefined) {
        this.#file = openSync(this.#path, 'wx+', 0o600);
        rmSync(this.#path);
      }
      for (let done = 0; done < sql.length;) {
        done += writeSync(this.#file, sql, done, sql.length - done, this.#fileLength + done);
      }
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
    this.#fileLength += sql.length;
  }

  *pieces(key: string): Generator<Buffer> {
    for (const piece of this.#pieces.get(key) ?? []) yield this.#read(piece);
  }

  /** The piece that came last first. */
  *backwards(key: string): Generator<Buffer> {
    for (const piece of (this.#pieces.get(key) ?? []).toReversed()) yield this.#read(piece);
  }

  #read(piece: Piece): Buffer {
    if ('sql' in piece) return piece.sql;
    const { offset, length } = piece;
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

  drop(key: string): void {
    for (const piece of this.#pieces.get(key) ?? []) {
      if ('sql' in piece) this.#memoryBytes -= piece.sql.length;
    }
    this.#pieces.delete(key);
  }

  /** May be called twice. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#pieces.clear();
  }
}
