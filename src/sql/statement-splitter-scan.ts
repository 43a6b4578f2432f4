/** The inner loops of the statement splitter: stand-alone functions over plain arguments. */
import { CLASS } from './statement-splitter-tables.js';

const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const STAR = 0x2a;
const BANG = 0x21;
const MINUS = 0x2d;
const UPPER_M = 0x4d;

/** Index of the first byte from `from` on whose class in `table` is not 0; `end` if there is none. */
export function skim(bytes: Uint8Array, table: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && table[bytes[at] ?? 0] === CLASS.plain) at += 1;
  return at;
}

/**
 * From inside a string: the index of its closing quote, or, where the bytes end before it, `-1 - n`
 * with n the index from which to go on once there are more. A doubled quote counts as the end of one
 * string and the beginning of the next.
 */
export function closingQuote(
  bytes: Uint8Array,
  table: Uint8Array,
  trail: Uint8Array | undefined,
  from: number,
  end: number,
): number {
  let at = from;
  for (;;) {
    while (at < end && table[bytes[at] ?? 0] === CLASS.plain) at += 1;
    if (at >= end) return -1 - end;
    const kind = table[bytes[at] ?? 0];
    if (kind === CLASS.quote) return at;
    if (at + 1 >= end) return -1 - at;
    // A backslash takes one byte with it, a lead byte only a byte that can follow it.
    const isPair = kind === CLASS.backslash || trail?.[bytes[at + 1] ?? 0] === 1;
    at += isPair ? 2 : 1;
  }
}

export function isSpaceByte(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

/** Whether `delimiter` stands at `at`; undefined where the bytes end before that is decided. */
export function startsWith(
  bytes: Uint8Array,
  delimiter: Uint8Array,
  at: number,
  end: number,
): boolean | undefined {
  for (let index = 0; index < delimiter.length; index += 1) {
    if (at + index >= end) return undefined;
    if (bytes[at + index] !== delimiter[index]) return false;
  }
  return true;
}

export type CommentStart = 'line' | 'block' | 'version' | 'none' | 'undecided';

/** What the `-` or `/` at `at` begins. `ended` says that no byte will come after `end`. */
export function commentAt(
  bytes: Uint8Array,
  at: number,
  end: number,
  ended: boolean,
): CommentStart {
  const first = bytes[at];
  if (at + 1 >= end) return ended ? 'none' : 'undecided';
  const second = bytes[at + 1];
  if (first === MINUS) {
    if (second !== MINUS) return 'none';
    if (at + 2 >= end) return ended ? 'line' : 'undecided';
    const third = bytes[at + 2] ?? 0;
    return third <= 0x20 || third === 0x7f ? 'line' : 'none';
  }
  if (second !== STAR) return 'none';
  if (at + 3 >= end && !ended) return 'undecided';
  if (at + 2 < end && bytes[at + 2] === BANG) return 'version';
  const isMariaDb = at + 3 < end && bytes[at + 2] === UPPER_M && bytes[at + 3] === BANG;
  return isMariaDb ? 'version' : 'block';
}

/**
 * Whether the version comment at `at` is the line with which mariadb-dump tells its client to
 * refuse system commands: version 999999, which no server has, then `\-`.
 */
export function isSandboxLine(bytes: Uint8Array, at: number, end: number): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(end - at, 16));
  return /^\/\*M?!999999\\-/.test(head.toString('latin1'));
}

/** Index after the line break that ends a comment; `-1 - n` to go on from n with more bytes. */
export function lineCommentEnd(bytes: Buffer, from: number, end: number): number {
  const newline = bytes.subarray(from, end).indexOf(NEWLINE);
  return newline === -1 ? -1 - end : from + newline + 1;
}

/** Index after the star and slash that end a comment; `-1 - n` to go on from n with more bytes. */
export function blockCommentEnd(bytes: Buffer, from: number, end: number): number {
  return endMarkIn(bytes, '*/', from, end);
}

/** Index after `mark`; `-1 - n`, with n before a possible beginning of it, where it has not come. */
export function endMarkIn(bytes: Buffer, mark: string, from: number, end: number): number {
  const found = bytes.subarray(from, end).indexOf(mark, 0, 'latin1');
  return found === -1 ? -1 - Math.max(from, end - mark.length + 1) : from + found + mark.length;
}

/** A backslash outside strings: `\g` and `\G` end a statement, `\N` is NULL, the rest is foreign. */
export function backslashMeaning(
  bytes: Uint8Array,
  at: number,
  end: number,
): 'end' | 'null' | 'command' | 'undecided' {
  if (bytes[at] !== BACKSLASH || at + 1 >= end) return 'undecided';
  const letter = String.fromCharCode(bytes[at + 1] ?? 0);
  if (letter === 'g' || letter === 'G') return 'end';
  return letter === 'N' ? 'null' : 'command';
}

/** Longest `$tag$` looked for. */
const DOLLAR_TAG_BYTES_MAX = 66;

export type DollarTag = { readonly tag: string } | 'undecided' | 'none';

/**
 * The `$tag$` at `at` with which MySQL 9 quotes the body of a routine or library in another language
 * (`AS $$ … $$`); `undecided` where the bytes end before it shows whether there is one.
 * Only after AS, for elsewhere (and in MariaDB) a dollar is a letter of a name.
 */
export function dollarTagAt(bytes: Buffer, at: number, end: number): DollarTag {
  let before = at - 1;
  while (before >= 0 && isSpaceByte(bytes[before])) before -= 1;
  const word = bytes.toString('latin1', Math.max(0, before - 2), before + 1);
  if (before === at - 1 || !/(^|[^\w$\x80-\xff])as$/i.test(word)) return 'none';
  const head = bytes.toString('latin1', at, Math.min(end, at + DOLLAR_TAG_BYTES_MAX));
  const tag = /^\$[\w\x80-\xff]*\$/.exec(head)?.[0];
  if (tag !== undefined) return { tag };
  const isCutOff = head.length < DOLLAR_TAG_BYTES_MAX && /^\$[\w\x80-\xff]*$/.test(head);
  return isCutOff ? 'undecided' : 'none';
}
