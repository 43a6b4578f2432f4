/**
 * A tokenizer for MySQL and MariaDB SQL over bytes. It never decodes the text, so it works for
 * statements in any client character set and with binary data inside; offsets are byte offsets.
 *
 * Every byte belongs to exactly one token, in order: the tokens' ranges join to the whole text.
 * Version comments (`/*!50003 … *\/`, `/*M!100100 … *\/`) are entered: their contents are tokens like
 * any others between `comment-open` and `comment-close`. Optimizer hints (`/*+ … *\/`) count as plain
 * comments: they cannot name a database, and the server passes over whatever else stands in them.
 */
import {
  AT,
  BACKSLASH,
  BACKTICK,
  BANG,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  HASH,
  MINUS,
  NEWLINE,
  NUL,
  PLUS,
  QUOTE,
  SLASH,
  STAR,
  UPPER_M,
  isDigit,
  isHexDigit,
  isSpace,
  isWord,
} from './tokenizer-bytes.js';
import { wideCharacterLength, wideCharsetTables } from './tokenizer-charset.js';
import type { WideCharsetTables } from './tokenizer-charset.js';
import { isSignificant, keywordOf } from './tokenizer-token.js';
import type { LexOptions, Token, TokenKind } from './tokenizer-token.js';

export {
  identifierOf,
  isSignificant,
  keywordOf,
  latin1Text,
  lexOptionsOfSqlMode,
  operatorOf,
} from './tokenizer-token.js';
export type { LexOptions, Token, TokenKind } from './tokenizer-token.js';

/** Reads one token after the other; see {@link tokenize} for all of a text at once. */
export class Tokenizer {
  readonly #text: Uint8Array;
  readonly #ansiQuotes: boolean;
  readonly #backslashEscapes: boolean;
  readonly #wide: WideCharsetTables | undefined;
  #position = 0;
  /** How many version comments are open here. */
  #depth = 0;
  /** The previous token ended an identifier: a dot that follows it directly is a separator. */
  #afterIdentifier = false;
  #afterDot = false;
  /** The last significant token is AS: `$tag$` would begin a body in another language. */
  #afterAs = false;

  /** `text` is read in place and must not change while tokens are taken. */
  constructor(text: Uint8Array, options: LexOptions = {}) {
    this.#text = text;
    this.#ansiQuotes = options.ansiQuotes ?? false;
    this.#backslashEscapes = !(options.noBackslashEscapes ?? false);
    this.#wide = wideCharsetTables(options.charset);
  }

  next(): Token | undefined {
    const start = this.#position;
    if (start >= this.#text.length) return undefined;
    const token = this.#read(start, this.#byte(start));
    this.#position = token.end;
    this.#afterIdentifier = token.kind === 'word' || token.kind === 'quoted';
    this.#afterDot = token.kind === 'operator' && this.#byte(start) === DOT;
    if (isSignificant(token)) this.#afterAs = keywordOf(this.#text, token) === 'AS';
    return token;
  }

  /** The next token that is neither space nor comment nor the border of a version comment. */
  nextSignificant(): Token | undefined {
    for (let token = this.next(); token !== undefined; token = this.next()) {
      if (isSignificant(token)) return token;
    }
    return undefined;
  }

  /** The byte at `at`, or NUL past the end (no decision below depends on a real NUL). */
  #byte(at: number): number {
    return this.#text[at] ?? NUL;
  }

  #read(start: number, byte: number): Token {
    if (isSpace(byte)) return this.#run('space', start, isSpace);
    if (byte === QUOTE) return this.#quoted('string', start, QUOTE);
    if (byte === BACKTICK) return this.#quoted('quoted', start, BACKTICK);
    if (byte === DOUBLE_QUOTE) {
      return this.#quoted(this.#ansiQuotes ? 'quoted' : 'string', start, DOUBLE_QUOTE);
    }
    if (byte === AT) return this.#variable(start);
    if (byte === HASH || this.#isDashComment(start)) return this.#lineComment(start);
    if (byte === SLASH && this.#byte(start + 1) === STAR) return this.#blockComment(start);
    if (byte === STAR && this.#depth > 0 && this.#byte(start + 1) === SLASH) {
      this.#depth -= 1;
      return token('comment-close', start, start + 2);
    }
    if (byte === DOLLAR && this.#afterAs) {
      const quoted = this.#dollarQuoted(start);
      if (quoted !== undefined) return quoted;
    }
    if (isDigit(byte) && !this.#afterDot) return this.#number(start);
    if (isWord(byte)) return token('word', start, this.#wordEnd(start));
    if (byte === DOT && isDigit(this.#byte(start + 1)) && !this.#afterIdentifier) {
      return this.#number(start);
    }
    return token('operator', start, start + 1);
  }

  #run(kind: TokenKind, start: number, matches: (byte: number) => boolean): Token {
    let end = start + 1;
    while (end < this.#text.length && matches(this.#byte(end))) end += 1;
    return token(kind, start, end);
  }

  #characterLength(at: number): number {
    return this.#wide === undefined ? 1 : wideCharacterLength(this.#wide, this.#text, at);
  }

  #wordEnd(start: number): number {
    let end = start;
    while (end < this.#text.length && isWord(this.#byte(end))) end += this.#characterLength(end);
    return Math.min(end, this.#text.length);
  }

  /** `quote` doubled stands for itself; backslashes escape in strings only, never in identifiers. */
  #quoted(kind: 'string' | 'quoted', start: number, quote: number): Token {
    const end = this.#quotedEnd(start, quote, kind === 'string' && this.#backslashEscapes);
    return end === undefined
      ? token(kind, start, this.#text.length, false)
      : token(kind, start, end);
  }

  #quotedEnd(start: number, quote: number, escapes: boolean): number | undefined {
    let at = start + 1;
    while (at < this.#text.length) {
      const byte = this.#byte(at);
      if (byte === quote) {
        if (this.#byte(at + 1) !== quote) return at + 1;
        at += 2;
      } else if (byte === BACKSLASH && escapes) {
        at += 2; // one byte after it, whatever the character set: the server reads it so
      } else {
        at += this.#characterLength(at);
      }
    }
    return undefined;
  }

  /** `--` begins a comment only before white space, a control character or the end. */
  #isDashComment(start: number): boolean {
    if (this.#byte(start) !== MINUS || this.#byte(start + 1) !== MINUS) return false;
    const after = this.#byte(start + 2);
    return after <= 0x20 || after === 0x7f;
  }

  /** `$$ … $$` or `$tag$ … $tag$`: the body of a routine or library in another language. */
  #dollarQuoted(start: number): Token | undefined {
    let tagEnd = start + 1;
    while (isWord(this.#byte(tagEnd)) && this.#byte(tagEnd) !== DOLLAR) tagEnd += 1;
    if (this.#byte(tagEnd) !== DOLLAR) return undefined;
    const { buffer, byteOffset, length } = this.#text;
    const text = Buffer.from(buffer, byteOffset, length);
    const tag = text.subarray(start, tagEnd + 1);
    const close = text.indexOf(tag, tagEnd + 1);
    return close === -1
      ? token('string', start, length, false)
      : token('string', start, close + tag.length);
  }

  #lineComment(start: number): Token {
    const newline = this.#text.indexOf(NEWLINE, start);
    return token('comment', start, newline === -1 ? this.#text.length : newline);
  }

  #blockComment(start: number): Token {
    const third = this.#byte(start + 2);
    const isMariaDb = third === UPPER_M && this.#byte(start + 3) === BANG;
    if (third !== BANG && !isMariaDb) return this.#plainComment(start);
    this.#depth += 1;
    let end = start + (isMariaDb ? 4 : 3);
    const digitsEnd = end + 6;
    while (end < digitsEnd && isDigit(this.#byte(end))) end += 1;
    return token('comment-open', start, end);
  }

  #plainComment(start: number): Token {
    let star = this.#text.indexOf(STAR, start + 2);
    while (star !== -1 && this.#byte(star + 1) !== SLASH) star = this.#text.indexOf(STAR, star + 1);
    return star === -1
      ? token('comment', start, this.#text.length, false)
      : token('comment', start, star + 2);
  }

  /** A user variable's name may hold dots (`@a.b` is one name), and so may a host's. */
  #variable(start: number): Token {
    if (this.#byte(start + 1) === AT) return this.#systemVariable(start);
    const quote = this.#byte(start + 1);
    if (quote === QUOTE || quote === BACKTICK || quote === DOUBLE_QUOTE) {
      const isIdentifier = quote === BACKTICK || (quote === DOUBLE_QUOTE && this.#ansiQuotes);
      const end = this.#quotedEnd(start + 1, quote, !isIdentifier && this.#backslashEscapes);
      return end === undefined
        ? token('variable', start, this.#text.length, false)
        : token('variable', start, end);
    }
    let end = start + 1;
    while (isWord(this.#byte(end)) || this.#byte(end) === DOT) end += this.#characterLength(end);
    return token('variable', start, Math.min(end, this.#text.length));
  }

  #systemVariable(start: number): Token {
    let end = start + 2;
    for (;;) {
      const partStart = end;
      if (this.#byte(end) === BACKTICK) {
        const quotedEnd = this.#quotedEnd(end, BACKTICK, false);
        if (quotedEnd === undefined) return token('variable', start, this.#text.length, false);
        end = quotedEnd;
      } else {
        end = this.#wordEnd(end);
      }
      if (end === partStart || this.#byte(end) !== DOT) return token('variable', start, end);
      end += 1;
    }
  }

  /** Digits that run on into letters are an identifier (`1st`), except in `0x1F`, `0b1` and `1e5`. */
  #number(start: number): Token {
    const prefixed = this.#prefixedNumberEnd(start);
    if (prefixed !== undefined) return token('number', start, prefixed);
    let end = start;
    while (isDigit(this.#byte(end))) end += 1;
    const isFraction = this.#byte(end) === DOT;
    if (isFraction) {
      end += 1;
      while (isDigit(this.#byte(end))) end += 1;
    }
    const exponentEnd = this.#exponentEnd(end);
    if (exponentEnd !== undefined) return token('number', start, exponentEnd);
    if (!isFraction && isWord(this.#byte(end)) && end < this.#text.length) {
      return token('word', start, this.#wordEnd(start));
    }
    return token('number', start, end);
  }

  #prefixedNumberEnd(start: number): number | undefined {
    if (this.#byte(start) !== 0x30) return undefined;
    const letter = this.#byte(start + 1);
    if (letter !== 0x78 && letter !== 0x62) return undefined; // x, b
    let end = start + 2;
    while (letter === 0x78 ? isHexDigit(this.#byte(end)) : (this.#byte(end) & 0xfe) === 0x30) {
      end += 1;
    }
    return end > start + 2 && !isWord(this.#byte(end)) ? end : undefined;
  }

  #exponentEnd(at: number): number | undefined {
    if ((this.#byte(at) | 0x20) !== 0x65) return undefined; // e
    const sign = this.#byte(at + 1);
    let end = at + (sign === PLUS || sign === MINUS ? 2 : 1);
    if (!isDigit(this.#byte(end))) return undefined;
    while (isDigit(this.#byte(end))) end += 1;
    return isWord(this.#byte(end)) && sign !== PLUS && sign !== MINUS ? undefined : end;
  }
}

function token(kind: TokenKind, start: number, end: number, terminated = true): Token {
  return { kind, start, end, terminated };
}

/** All tokens of `text`, space and comments included. For definitions, not for data. */
export function tokenize(text: Uint8Array, options: LexOptions = {}): Token[] {
  const tokenizer = new Tokenizer(text, options);
  const tokens: Token[] = [];
  for (let next = tokenizer.next(); next !== undefined; next = tokenizer.next()) tokens.push(next);
  return tokens;
}

/** The tokens of `text` without space, comments and the borders of version comments. */
export function significantTokens(text: Uint8Array, options: LexOptions = {}): Token[] {
  return tokenize(text, options).filter(isSignificant);
}
