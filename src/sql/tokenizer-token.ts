/** What a token is, how a text is to be read, and what a token's bytes stand for. */
import { decodeText } from './tokenizer-charset.js';

export type TokenKind =
  | 'space'
  /** `-- …`, `# …` (without the line break) or a plain comment with its end. */
  | 'comment'
  /** `/*!`, `/*!50003` or `/*M!100100`. */
  | 'comment-open'
  | 'comment-close'
  /** A keyword or an identifier without quotes. */
  | 'word'
  /** An identifier in backticks, or in double quotes under ANSI_QUOTES. */
  | 'quoted'
  /** In single quotes, in double quotes without ANSI_QUOTES, or `AS $$ … $$` (MySQL 9). */
  | 'string'
  | 'number'
  /** `@name`, `` @`name` ``, `@'host'`, `@@session.name`; a host name after `user` counts as one. */
  | 'variable'
  /** One byte of punctuation. */
  | 'operator';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** False where the text ends inside a string, quoted identifier or comment. */
  readonly terminated: boolean;
}

export interface LexOptions {
  /** sql_mode ANSI_QUOTES: `"…"` is an identifier. Default false. */
  readonly ansiQuotes?: boolean;
  /** sql_mode NO_BACKSLASH_ESCAPES: a backslash in a string is an ordinary byte. Default false. */
  readonly noBackslashEscapes?: boolean;
  /** MySQL's name of the client character set; matters for sjis, cp932, gbk, big5 and gb18030. */
  readonly charset?: string;
}

/** ANSI_QUOTES itself and the combinations that contain it (most of them gone from MySQL 8). */
const MODES_WITH_ANSI_QUOTES: ReadonlySet<string> = new Set([
  'ANSI_QUOTES',
  'ANSI',
  'DB2',
  'MAXDB',
  'MSSQL',
  'ORACLE',
  'POSTGRESQL',
]);

/** What of an sql_mode (names joined by commas, as the server prints it) changes the tokens. */
export function lexOptionsOfSqlMode(sqlMode: string, charset?: string): LexOptions {
  const modes = sqlMode
    .toUpperCase()
    .split(',')
    .map((mode) => mode.trim());
  return {
    ansiQuotes: modes.some((mode) => MODES_WITH_ANSI_QUOTES.has(mode)),
    noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    ...(charset === undefined ? {} : { charset }),
  };
}

export function isSignificant(candidate: Token): boolean {
  const { kind } = candidate;
  return (
    kind !== 'space' && kind !== 'comment' && kind !== 'comment-open' && kind !== 'comment-close'
  );
}

/** The upper-case keyword that a `word` token spells; empty for every other token. */
export function keywordOf(text: Uint8Array, candidate: Token | undefined): string {
  if (candidate?.kind !== 'word') return '';
  return latin1Text(text, candidate).toUpperCase();
}

/** The byte of an `operator` token as a character; empty for every other token. */
export function operatorOf(text: Uint8Array, candidate: Token | undefined): string {
  return candidate?.kind === 'operator' ? latin1Text(text, candidate) : '';
}

/** The token's bytes as latin1 text: right for ASCII, and one character a byte for the rest. */
export function latin1Text(text: Uint8Array, { start, end }: Token): string {
  return Buffer.from(text.buffer, text.byteOffset + start, end - start).toString('latin1');
}

/** The name that a `word` or `quoted` token stands for; undefined for every other token. */
export function identifierOf(
  text: Uint8Array,
  candidate: Token | undefined,
  charset?: string,
): string | undefined {
  if (candidate === undefined) return undefined;
  const { kind, start, end, terminated } = candidate;
  if (kind === 'word') return decodeText(text.subarray(start, end), charset);
  if (kind !== 'quoted') return undefined;
  const inner = decodeText(text.subarray(start + 1, terminated ? end - 1 : end), charset);
  const quote = text[start] === 0x60 ? '`' : '"';
  return inner.replaceAll(quote + quote, quote);
}
