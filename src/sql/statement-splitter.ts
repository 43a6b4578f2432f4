/**
 * Splits a stream of SQL, as any dump tool writes it, into statements the way the mysql client does
 * with `--binary-mode`: DELIMITER, strings, comments and version comments. Sans-I/O: bytes go in by
 * `push`, statements come out; how the bytes were cut into chunks makes no difference.
 *
 * Only one statement is held in memory. Comments between statements are dropped as they arrive.
 */
import { ReshelveError } from '../errors.js';
import { isClientCommand, statementKind } from './statement-splitter-kind.js';
import { commentAt, isSandboxLine, isSpaceByte, startsWith } from './statement-splitter-scan.js';
import { SplitterSession } from './statement-splitter-session.js';
import { CLASS } from './statement-splitter-tables.js';
import { TextScanner } from './statement-splitter-text.js';
import { SplitterWindow } from './statement-splitter-window.js';
import type { LexOptions } from './tokenizer.js';

export interface SplitStatement {
  /** The statement without its delimiter and without space or comments before it; owned by you. */
  readonly text: Buffer;
  /** Byte offset of `text` in the input. */
  readonly startOffset: number;
  /** Byte offset after the delimiter. */
  readonly endOffset: number;
  /** 1-based line on which `text` begins. */
  readonly line: number;
  /** See {@link statementKind}. */
  readonly kind: string;
  /** How `text` is to be read: the session's modes in front of it. */
  readonly lex: LexOptions;
  /** A command of the mysql client in the middle of the statement (`\c`), which SQL has not. */
  readonly clientCommand?: string;
}

export type UnterminatedKind = 'statement' | 'string' | 'identifier' | 'comment';

export interface SplitEnd {
  /** Statements that only the end of the input completed. */
  readonly last: readonly SplitStatement[];
  /** Set where the input ends inside something: the dump is cut off, or lacks its last delimiter. */
  readonly unterminated?: {
    readonly what: UnterminatedKind;
    readonly line: number;
    readonly startOffset: number;
    /** What there is of the last statement; none where the input ends in a comment by itself. */
    readonly statement?: SplitStatement;
  };
  /** Bytes received in all. */
  readonly bytes: number;
  readonly statements: number;
  /** The input began with mariadb-dump's line that puts clients into sandbox mode. */
  readonly sandboxed: boolean;
}

export interface SplitterOptions {
  /** sql_mode of the session into which the dump would be loaded. Default: none. */
  readonly sqlMode?: string;
  /** character_set_client of that session. Default: one without ambiguous bytes. */
  readonly charset?: string;
  /** Default `;`. mydumper's files end statements with `;` and a line break: pass `;\n`. */
  readonly delimiter?: string;
  /** Longest statement accepted; a longer one throws DUMP_INCOMPLETE. Default 1 GiB. */
  readonly statementBytesMax?: number;
}

/** The server's own limit for a packet, and so for a statement. */
export const STATEMENT_BYTES_MAX = 1024 * 1024 * 1024;

/** Bytes at the start of a statement that suffice to tell a comment, the sandbox line or a word. */
const STATEMENT_HEAD_BYTES = 32;

/** A longer line is no command of the mysql client. */
const COMMAND_LINE_BYTES_MAX = 4096;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export class StatementSplitter {
  readonly #window = new SplitterWindow();
  readonly #session: SplitterSession;
  readonly #scanner: TextScanner;
  readonly #limit: number;
  /** Between statements nothing is kept. */
  #state: 'between' | 'comment' | 'statement' = 'between';
  #ended = false;
  #mayHaveByteOrderMark = true;
  #sandboxed = false;
  /** Where the comment by itself that is being skipped begins. */
  #comment = { line: 1, startOffset: 0 };
  #statements = 0;
  #output: SplitStatement[] = [];

  constructor(options: SplitterOptions = {}) {
    const session = new SplitterSession(options.sqlMode ?? '', options.charset);
    this.#session = session;
    this.#scanner = new TextScanner(Buffer.from(options.delimiter ?? ';'), () => session.options);
    this.#limit = options.statementBytesMax ?? STATEMENT_BYTES_MAX;
  }

  /**
   * Takes the next bytes (copied; `chunk` may be reused) and returns the statements they complete.
   * Throws ReshelveError DUMP_INCOMPLETE for a statement above the limit or a bad DELIMITER line.
   */
  push(chunk: Uint8Array): SplitStatement[] {
    this.#scanner.position -= this.#window.append(chunk);
    return this.#run();
  }

  /** To be called once after the last chunk. */
  finish(): SplitEnd {
    this.#ended = true;
    const last = this.#run();
    const unterminated = this.#unterminated();
    return {
      last,
      ...(unterminated === undefined ? {} : { unterminated }),
      bytes: this.#window.offsetOf(this.#window.end),
      statements: this.#statements,
      sandboxed: this.#sandboxed,
    };
  }

  #run(): SplitStatement[] {
    this.#output = [];
    while (this.#step()) {
      // Each step moves the scanner on or changes the state.
    }
    if (this.#state !== 'statement') this.#window.releaseTo(this.#scanner.position);
    if (this.#window.end - this.#window.start > this.#limit) this.#failTooLong();
    return this.#output;
  }

  /** Advances as far as one state reaches; false where more input is needed. */
  #step(): boolean {
    const { bytes, end } = this.#window;
    if (this.#state === 'between') return this.#scanBetween();
    if (this.#state === 'comment') {
      const isOver = this.#scanner.scanComment(bytes, end);
      if (isOver) this.#state = 'between';
      return isOver;
    }
    const isOver = this.#scanner.scanStatement(bytes, end, this.#ended);
    if (isOver) this.#emit(this.#scanner.position, this.#scanner.delimiterBytes);
    return isOver;
  }

  /** Skips what stands between statements and decides what begins next. */
  #scanBetween(): boolean {
    const { bytes, end } = this.#window;
    let at = this.#scanner.position;
    while (at < end && isSpaceByte(bytes[at])) at += 1;
    this.#scanner.position = at;
    if (at === end || (end - at < STATEMENT_HEAD_BYTES && !this.#ended)) return false;
    if (this.#skip(BYTE_ORDER_MARK, this.#mayHaveByteOrderMark)) return true;
    if (this.#skip(this.#scanner.delimiter, true) || this.#enterComment()) return true;
    this.#window.releaseTo(at);
    const line = this.#clientLine();
    if (line === 'undecided') return false;
    if (line === 'none') {
      this.#scanner.begin('text');
      this.#state = 'statement';
    }
    return true;
  }

  #skip(expected: Buffer, isAllowed: boolean): boolean {
    this.#mayHaveByteOrderMark = false;
    const { bytes, end } = this.#window;
    const { position } = this.#scanner;
    if (!isAllowed || startsWith(bytes, expected, position, end) !== true) return false;
    this.#scanner.position += expected.length;
    return true;
  }

  /** Enters a comment that belongs to no statement. */
  #enterComment(): boolean {
    const { bytes, end } = this.#window;
    const at = this.#scanner.position;
    const kind = this.#scanner.classOf(bytes[at]);
    const isHash = kind === CLASS.hash;
    const mayBegin = kind === CLASS.dash || kind === CLASS.slash;
    const comment = mayBegin ? commentAt(bytes, at, end, this.#ended) : 'none';
    const isSandbox = comment === 'version' && isSandboxLine(bytes, at, end);
    if (!isHash && comment !== 'line' && comment !== 'block' && !isSandbox) return false;
    if (isSandbox) this.#sandboxed = true;
    this.#window.releaseTo(at);
    this.#comment = { line: this.#window.line, startOffset: this.#window.offsetOf(at) };
    this.#scanner.begin(isHash || comment === 'line' ? 'line-comment' : 'block-comment');
    this.#scanner.position += isHash ? 1 : 2;
    this.#state = 'comment';
    return true;
  }

  /** Handles a line that the mysql client would take for itself, or `USE db` without delimiter. */
  #clientLine(): 'taken' | 'none' | 'undecided' {
    const { bytes, start, end } = this.#window;
    const head = bytes.toString('latin1', start, Math.min(end, start + STATEMENT_HEAD_BYTES));
    const word = (/^[a-z]+(?![\w$])/i.exec(head)?.[0] ?? '').toUpperCase();
    if (word !== 'USE' && !isClientCommand(word)) return 'none';
    const rest = bytes.subarray(start, Math.min(end, start + COMMAND_LINE_BYTES_MAX));
    const newline = rest.indexOf(NEWLINE);
    if (newline === -1 && !this.#ended && rest.length < COMMAND_LINE_BYTES_MAX) return 'undecided';
    const lineEnd = newline === -1 ? start + rest.length : start + newline;
    const line = bytes.subarray(start, lineEnd);
    if (word === 'DELIMITER') {
      this.#scanner.configure(this.#delimiterOf(line));
      this.#scanner.position = lineEnd;
      return 'taken';
    }
    if (!this.#isCommandLine(word, line)) return 'none';
    this.#scanner.begin('text');
    this.#emit(lineEnd, 0);
    return 'taken';
  }

  /** A line with a delimiter in it is a statement for the client too. */
  #isCommandLine(word: string, line: Buffer): boolean {
    if (line.length > COMMAND_LINE_BYTES_MAX || line.includes(this.#scanner.delimiter))
      return false;
    const text = line.toString('latin1');
    return !/\\g/i.test(text) && (word !== 'USE' || /^\w+\s+\S/.test(text));
  }

  #delimiterOf(line: Buffer): Buffer {
    const argument = line.toString('latin1').slice('DELIMITER'.length).trim();
    const quoted = /^(['"`])(.+?)\1/.exec(argument)?.[2];
    const delimiter = quoted ?? /^\S*/.exec(argument)?.[0] ?? '';
    if (delimiter === '' || delimiter.includes('\\')) {
      const found = delimiter === '' ? 'none' : 'one with a backslash';
      throw new ReshelveError(
        'DUMP_INCOMPLETE',
        `line ${this.#window.line}: expected a delimiter after DELIMITER but found ${found}`,
      );
    }
    return Buffer.from(delimiter, 'latin1');
  }

  /** Gives out the statement that ends before `at`, where a delimiter of so many bytes stands. */
  #emit(at: number, delimiterBytes: number): void {
    const statement = this.#statementUntil(at, delimiterBytes);
    this.#statements += 1;
    this.#output.push(statement);
    this.#scanner.position = at + delimiterBytes;
    this.#window.releaseTo(this.#scanner.position);
    this.#state = 'between';
    if (this.#followSession(statement)) this.#scanner.configure();
  }

  #statementUntil(at: number, delimiterBytes: number): SplitStatement {
    const { bytes, start, line } = this.#window;
    let textEnd = at;
    while (textEnd > start && isSpaceByte(bytes[textEnd - 1])) textEnd -= 1;
    const text = Buffer.from(bytes.subarray(start, textEnd));
    const { clientCommand } = this.#scanner;
    return {
      text,
      startOffset: this.#window.offsetOf(start),
      endOffset: this.#window.offsetOf(at + delimiterBytes),
      line,
      kind: statementKind(text, this.#session.options),
      lex: this.#session.options,
      ...(clientCommand === undefined ? {} : { clientCommand }),
    };
  }

  #followSession({ kind, text }: SplitStatement): boolean {
    if (kind === 'SET') return this.#session.apply(text);
    if (kind !== 'CLIENT CHARSET' && kind !== 'CLIENT \\C') return false;
    const name = /(?:charset|\\C)\s+(\w+)/i.exec(text.toString('latin1'))?.[1];
    return name !== undefined && this.#session.setCharset(name.toLowerCase());
  }

  #unterminated(): SplitEnd['unterminated'] {
    if (this.#state === 'between') return undefined;
    if (this.#state === 'comment') {
      // A last line without its line break is whole all the same.
      if (this.#scanner.state === 'line-comment') return undefined;
      return { what: 'comment', ...this.#comment };
    }
    const statement = this.#statementUntil(this.#window.end, 0);
    const { line, startOffset } = statement;
    return { what: this.#scanner.openThing, line, startOffset, statement };
  }

  #failTooLong(): never {
    throw new ReshelveError(
      'DUMP_INCOMPLETE',
      `expected the statement that begins on line ${this.#window.line} to end within ` +
        `${this.#limit} bytes but found no end (a quote before it may never be closed)`,
    );
  }
}
