/** What the files that rewrite definitions share: options, edits by byte range, names. */
import { ReshelveError } from '../errors.js';
import { quoteIdentifier } from './quote.js';
import { lexOptionsOfSqlMode } from './tokenizer.js';
import type { LexOptions } from './tokenizer.js';

export interface DdlOptions {
  /** sql_mode under which the definition was made; default none. */
  readonly sqlMode?: string;
  /** MySQL's name of the character set in which `text` is; default utf8mb4. */
  readonly charset?: string;
  /** The server's lower_case_table_names; other than 0 compares names without case. Default 0. */
  readonly lowerCaseTableNames?: number;
  /** Instead of `sqlMode`: how to read the text, as the statement splitter found out. */
  readonly lex?: LexOptions;
}

export function lexOptions({ sqlMode = '', charset, lex }: DdlOptions): LexOptions {
  return lex ?? lexOptionsOfSqlMode(sqlMode, charset);
}

/** The character set of the text, from either option. */
export function charsetOf({ charset, lex }: DdlOptions): string | undefined {
  return charset ?? lex?.charset;
}

/** Replaces the bytes from `start` to before `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: Uint8Array;
}

/** A new buffer with `edits`, which are in order and do not overlap, done to `text`. */
export function applyEdits(text: Uint8Array, edits: readonly Edit[]): Buffer {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, replacement } of edits) {
    pieces.push(text.subarray(at, start), replacement);
    at = end;
  }
  pieces.push(text.subarray(at));
  return Buffer.concat(pieces);
}

/** Whether two names of databases or tables mean the same on a server with these options. */
export function isSameName(
  left: string,
  right: string,
  { lowerCaseTableNames = 0 }: DdlOptions,
): boolean {
  return lowerCaseTableNames === 0 ? left === right : left.toLowerCase() === right.toLowerCase();
}

const UNICODE_CHARSETS: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'binary']);

/**
 * The bytes of `name` in backticks for a text in `charset`. Throws ReshelveError UNSUPPORTED for a
 * name beyond ASCII in a text that is not Unicode: its bytes there are not known.
 */
export function quotedNameBytes(name: string, charset = 'utf8mb4'): Buffer {
  const isAscii = /^[\x20-\x7e]*$/.test(name);
  if (!isAscii && !UNICODE_CHARSETS.has(charset.toLowerCase())) {
    throw new ReshelveError(
      'UNSUPPORTED',
      `expected a name of ASCII letters for a definition in ${charset} but found ${name}`,
    );
  }
  return Buffer.from(quoteIdentifier(name));
}
