/**
 * Takes `mydumper --stream` apart. The stream is, for each file of a dump, an empty line, a line
 * `-- NAME SIZE`, and the file's SIZE bytes. Files are SQL, except for the metadata, which is in INI
 * form and stands at the beginning, in between and at the end; the last one says that the dump is
 * whole. (Format read from mydumper's documentation and sources, versions 0.12 to 0.20.)
 *
 * In the SQL files a statement ends with `;` and a line break, and bodies hold neither DELIMITER nor
 * that pair of bytes: split them with the delimiter `;\n`, a new splitter for each file.
 */
import { ReshelveError } from '../errors.js';

export type MydumperFileKind = 'sql' | 'metadata';

export interface MydumperFile {
  readonly name: string;
  readonly kind: MydumperFileKind;
  /** The database that the file's name begins with; undefined for metadata. */
  readonly database: string | undefined;
  readonly bytes: number;
}

export interface MydumperPart {
  readonly file: MydumperFile;
  /** The next bytes of the file: a view of the chunk that was pushed. */
  readonly data: Uint8Array;
  /** These are the file's last bytes. */
  readonly isLast: boolean;
}

/** Longest line between files. */
const HEADER_BYTES_MAX = 4096;

/** The end of the metadata that is looked at. */
const METADATA_BYTES_MAX = 64 * 1024;

const NEWLINE = 0x0a;

export class MydumperStream {
  #file: MydumperFile | undefined;
  /** Bytes of the current file still to come. */
  #left = 0;
  #header: Buffer = Buffer.alloc(0);
  #files = 0;
  #metadata: Buffer = Buffer.alloc(0);
  #isFinished = false;

  /**
   * Takes the next bytes. Parts alias `chunk`: use them before it is reused. Throws ReshelveError
   * DUMP_INCOMPLETE where the stream is not of this form, and UNSUPPORTED for files that are
   * compressed, that are no SQL, or that the stream only names.
   */
  push(chunk: Uint8Array): MydumperPart[] {
    const parts: MydumperPart[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#file === undefined) {
        at = this.#readHeader(chunk, at, parts);
      } else {
        const data = chunk.subarray(at, at + this.#left);
        at += data.length;
        this.#left -= data.length;
        parts.push(this.#part(this.#file, data));
      }
    }
    return parts;
  }

  /** To be called once after the last chunk: throws DUMP_INCOMPLETE for a stream that is cut off. */
  finish(): { readonly files: number } {
    if (this.#file !== undefined) {
      throw incomplete(`expected ${this.#left} more bytes of ${this.#file.name} but found the end`);
    }
    if (this.#header.some((byte) => byte !== NEWLINE)) {
      throw incomplete('expected the rest of a line that names a file but found the end');
    }
    if (!this.#isFinished) {
      throw incomplete('expected metadata that says when the dump was finished but found none');
    }
    return { files: this.#files };
  }

  #part(file: MydumperFile, data: Uint8Array): MydumperPart {
    const isLast = this.#left === 0;
    if (file.kind === 'metadata') this.#followMetadata(data, isLast);
    if (isLast) this.#file = undefined;
    return { file, data, isLast };
  }

  #followMetadata(data: Uint8Array, isLast: boolean): void {
    this.#metadata = Buffer.concat([this.#metadata, data]).subarray(-METADATA_BYTES_MAX);
    if (!isLast) return;
    this.#isFinished = /^# Finished dump at: /m.test(this.#metadata.toString('latin1'));
    this.#metadata = Buffer.alloc(0);
  }

  /** Collects the line that names the next file; returns where its contents begin. */
  #readHeader(chunk: Uint8Array, from: number, parts: MydumperPart[]): number {
    let start = from;
    if (this.#header.length === 0) {
      while (chunk[start] === NEWLINE) start += 1;
    }
    const newline = chunk.indexOf(NEWLINE, start);
    const end = newline === -1 ? chunk.length : newline;
    this.#header = Buffer.concat([this.#header, chunk.subarray(start, end)]);
    if (this.#header.length > HEADER_BYTES_MAX) throw incomplete(notAHeader(this.#header));
    if (newline === -1) return end;
    const file = fileOf(this.#header);
    this.#header = Buffer.alloc(0);
    this.#files += 1;
    this.#file = file;
    this.#left = file.bytes;
    if (file.bytes === 0) parts.push(this.#part(file, chunk.subarray(0, 0)));
    return newline + 1;
  }
}

function incomplete(message: string): ReshelveError {
  return new ReshelveError('DUMP_INCOMPLETE', `mydumper stream: ${message}`);
}

function notAHeader(line: Buffer): string {
  return `expected a line "-- NAME SIZE" but found "${line.toString('latin1', 0, 40)}"`;
}

function fileOf(line: Buffer): MydumperFile {
  const match = /^-- (\S+) (\d+)$/.exec(line.toString('utf8'));
  if (match === null) throw incomplete(notAHeader(line));
  const [, name = '', size = ''] = match;
  const bytes = Number(size);
  if (/^metadata(\.|$)/.test(name)) return { name, kind: 'metadata', database: undefined, bytes };
  if (!name.endsWith('.sql')) throw unsupported(name, 'expected plain SQL');
  if (bytes === 0) throw unsupported(name, 'expected its contents in the stream');
  return { name, kind: 'sql', database: databaseOf(name), bytes };
}

function unsupported(name: string, expectation: string): ReshelveError {
  return new ReshelveError('UNSUPPORTED', `mydumper stream: ${expectation} but found ${name}`, {
    hint: 'Make the stream without --compress, --load-data, --csv and --stream=NO_STREAM.',
  });
}

/** `DB-schema-create.sql`, `DB.TABLE-schema.sql`, `DB.TABLE.00000.sql`. */
function databaseOf(name: string): string {
  const dot = name.indexOf('.');
  const head = name.slice(0, dot);
  return head.replace(/-schema-(create|post|triggers)$/, '');
}
