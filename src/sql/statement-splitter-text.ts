/**
 * Finds where a statement ends: the lexical state of the splitter between the first byte of a
 * statement and its delimiter, kept from chunk to chunk.
 */
import {
  backslashMeaning,
  blockCommentEnd,
  closingQuote,
  commentAt,
  dollarTagAt,
  endMarkIn,
  lineCommentEnd,
  skim,
  startsWith,
} from './statement-splitter-scan.js';
import { CLASS, byteTables } from './statement-splitter-tables.js';
import type { ByteTables } from './statement-splitter-tables.js';
import { wideCharsetTables } from './tokenizer-charset.js';
import type { WideCharsetTables } from './tokenizer-charset.js';
import type { LexOptions } from './tokenizer.js';

export type TextState = 'text' | 'quoted' | 'dollar-quoted' | 'line-comment' | 'block-comment';

/** `end`: a delimiter stands at `position`. `more`: the bytes end first. `switched`: look again. */
type Outcome = 'end' | 'more' | 'switched';

const SLASH = 0x2f;
const BACKTICK = 0x60;
const DOUBLE_QUOTE = 0x22;
const NO_STOPS = new Uint8Array(256);

export class TextScanner {
  /** Index up to which the text is understood; after a delimiter was found, the index of it. */
  position = 0;
  /** Bytes of the delimiter found last. */
  delimiterBytes = 0;
  /** First command of the mysql client (`\c`) seen since {@link begin}. */
  clientCommand: string | undefined;
  readonly #options: () => LexOptions;
  #state: TextState = 'text';
  #quote = 0;
  #dollarTag = '';
  /** Version comments open here: only inside one do star and slash close anything. */
  #depth = 0;
  #delimiter: Buffer;
  #tables: ByteTables;
  #wide: WideCharsetTables | undefined;

  constructor(delimiter: Buffer, options: () => LexOptions) {
    this.#options = options;
    this.#delimiter = delimiter;
    this.#wide = wideCharsetTables(options().charset);
    this.#tables = this.#makeTables();
  }

  get delimiter(): Buffer {
    return this.#delimiter;
  }

  get state(): TextState {
    return this.#state;
  }

  /** What is open at the end of the input. */
  get openThing(): 'statement' | 'string' | 'identifier' | 'comment' {
    if (this.#state === 'block-comment') return 'comment';
    if (this.#state === 'dollar-quoted') return 'string';
    if (this.#state !== 'quoted') return 'statement';
    const isAnsi = this.#quote === DOUBLE_QUOTE && this.#options().ansiQuotes === true;
    return this.#quote === BACKTICK || isAnsi ? 'identifier' : 'string';
  }

  /** To be called after the options changed, or with a new delimiter. */
  configure(delimiter: Buffer = this.#delimiter): void {
    this.#delimiter = delimiter;
    this.#wide = wideCharsetTables(this.#options().charset);
    this.#tables = this.#makeTables();
  }

  begin(state: TextState): void {
    this.#state = state;
    this.clientCommand = undefined;
    this.#depth = 0;
  }

  /** {@link CLASS} of a byte at the start of a statement. */
  classOf(byte: number | undefined): number {
    return this.#tables.textWithoutDelimiter[byte ?? 0] ?? CLASS.plain;
  }

  /** Goes on from `position`; true at a delimiter, false where `end` comes first. */
  scanStatement(bytes: Buffer, end: number, ended: boolean): boolean {
    for (;;) {
      const outcome = this.#scan(bytes, end, ended);
      if (outcome !== 'switched') return outcome === 'end';
    }
  }

  /** Goes on inside a comment by itself; true after its end. */
  scanComment(bytes: Buffer, end: number): boolean {
    return this.#scanComment(bytes, end) === 'switched';
  }

  #scan(bytes: Buffer, end: number, ended: boolean): Outcome {
    if (this.#state === 'text') return this.#scanText(bytes, end, ended);
    if (this.#state === 'quoted') return this.#scanQuoted(bytes, end);
    if (this.#state === 'dollar-quoted') return this.#scanDollarQuoted(bytes, end);
    return this.#scanComment(bytes, end);
  }

  #scanText(bytes: Buffer, end: number, ended: boolean): Outcome {
    const { text, textWithoutDelimiter } = this.#tables;
    for (;;) {
      const at = skim(bytes, text, this.position, end);
      this.position = at;
      if (at >= end) return 'more';
      const byte = bytes[at] ?? 0;
      if (text[byte] === CLASS.delimiter) {
        const isDelimiter = startsWith(bytes, this.#delimiter, at, end);
        if (isDelimiter === undefined && !ended) return 'more';
        if (isDelimiter === true) return this.#found(this.#delimiter.length);
      }
      const kind = textWithoutDelimiter[byte] ?? CLASS.plain;
      const outcome = this.#scanByte(kind, bytes, end, ended);
      if (outcome !== 'text') return outcome;
    }
  }

  /** One byte that may mean something; `text` to go on from the new position. */
  #scanByte(kind: number, bytes: Buffer, end: number, ended: boolean): Outcome | 'text' {
    switch (kind) {
      case CLASS.plain:
        this.position += 1;
        return 'text';
      case CLASS.quote: {
        this.#quote = bytes[this.position] ?? 0;
        this.position += 1;
        this.#state = 'quoted';
        return this.#scanQuoted(bytes, end) === 'more' ? 'more' : 'text';
      }
      case CLASS.dollar:
        return this.#scanDollar(bytes, end, ended);
      case CLASS.star:
        return this.#scanStar(bytes, end, ended);
      case CLASS.hash:
        return this.#enterComment('line-comment', 1);
      case CLASS.backslash:
        return this.#scanBackslash(bytes, end, ended);
      case CLASS.lead:
        if (this.position + 1 >= end && !ended) return 'more';
        this.position += this.#wide?.trail[bytes[this.position + 1] ?? 0] === 1 ? 2 : 1;
        return 'text';
      default:
        return this.#scanCommentStart(bytes, end, ended);
    }
  }

  #scanQuoted(bytes: Buffer, end: number): Outcome {
    const stops = this.#tables.inQuotes[this.#quote] ?? NO_STOPS;
    const close = closingQuote(bytes, stops, this.#wide?.trail, this.position, end);
    this.position = close < 0 ? -1 - close : close + 1;
    if (close < 0) return 'more';
    this.#state = 'text';
    return 'switched';
  }

  #scanDollar(bytes: Buffer, end: number, ended: boolean): Outcome | 'text' {
    const found = dollarTagAt(bytes, this.position, end);
    if (found === 'undecided' && !ended) return 'more';
    if (found === 'undecided' || found === 'none') {
      this.position += 1;
      return 'text';
    }
    this.#dollarTag = found.tag;
    this.#state = 'dollar-quoted';
    this.position += found.tag.length;
    return 'switched';
  }

  #scanDollarQuoted(bytes: Buffer, end: number): Outcome {
    const after = endMarkIn(bytes, this.#dollarTag, this.position, end);
    this.position = after < 0 ? -1 - after : after;
    if (after < 0) return 'more';
    this.#state = 'text';
    return 'switched';
  }

  #scanBackslash(bytes: Buffer, end: number, ended: boolean): Outcome | 'text' {
    const meaning = backslashMeaning(bytes, this.position, end);
    if (meaning === 'undecided' && !ended) return 'more';
    if (meaning === 'end') return this.#found(2);
    if (meaning === 'command') {
      const letter = String.fromCharCode(bytes[this.position + 1] ?? 0);
      this.clientCommand ??= `\\${letter}`;
    }
    this.position += meaning === 'null' ? 2 : 1;
    return 'text';
  }

  #scanStar(bytes: Buffer, end: number, ended: boolean): Outcome | 'text' {
    if (this.#depth > 0 && this.position + 1 >= end && !ended) return 'more';
    const closes = this.#depth > 0 && bytes[this.position + 1] === SLASH && this.position + 1 < end;
    if (closes) this.#depth -= 1;
    this.position += closes ? 2 : 1;
    return 'text';
  }

  #scanCommentStart(bytes: Buffer, end: number, ended: boolean): Outcome | 'text' {
    switch (commentAt(bytes, this.position, end, ended)) {
      case 'undecided':
        return 'more';
      case 'line':
        return this.#enterComment('line-comment', 2);
      case 'block':
        return this.#enterComment('block-comment', 2);
      case 'version':
        this.#depth += 1;
        this.position += 3;
        return 'text';
      case 'none':
        this.position += 1;
        return 'text';
    }
  }

  #enterComment(state: 'line-comment' | 'block-comment', skipped: number): Outcome {
    this.#state = state;
    this.position += skipped;
    return 'switched';
  }

  #scanComment(bytes: Buffer, end: number): Outcome {
    const endOf = this.#state === 'line-comment' ? lineCommentEnd : blockCommentEnd;
    const found = endOf(bytes, this.position, end);
    this.position = found < 0 ? -1 - found : found;
    if (found < 0) return 'more';
    this.#state = 'text';
    return 'switched';
  }

  #found(delimiterBytes: number): Outcome {
    this.delimiterBytes = delimiterBytes;
    return 'end';
  }

  #makeTables(): ByteTables {
    const { ansiQuotes = false, noBackslashEscapes = false } = this.#options();
    return byteTables({
      delimiter: this.#delimiter,
      ansiQuotes,
      backslashEscapes: !noBackslashEscapes,
      wide: this.#wide,
    });
  }
}
