/** Reads, removes and replaces `DEFINER=account` in the definition of a view, routine or event. */
import { applyEdits, charsetOf, lexOptions } from './ddl-text.js';
import type { DdlOptions, Edit } from './ddl-text.js';
import { decodeText } from './tokenizer-charset.js';
import { identifierOf, isSignificant, keywordOf, operatorOf, tokenize } from './tokenizer.js';
import type { Token } from './tokenizer.js';
import { quoteIdentifier } from './quote.js';

export interface Definer {
  readonly user: string;
  /** Undefined for a role of MariaDB and for CURRENT_USER and CURRENT_ROLE. */
  readonly host: string | undefined;
}

interface DefinerClause extends Definer {
  readonly start: number;
  readonly end: number;
}

/** Tokens before the object's name: `CREATE OR REPLACE … DEFINER=… SQL SECURITY … VIEW`. */
const HEADER_TOKENS_MAX = 40;

/** The account after DEFINER=, or undefined where the definition names none. */
export function readDefiner(text: Uint8Array, options: DdlOptions = {}): Definer | undefined {
  const clause = findClause(text, options);
  return clause === undefined ? undefined : { user: clause.user, host: clause.host };
}

/** The definition without its DEFINER clause: whoever runs it becomes the definer. */
export function stripDefiner(text: Uint8Array, options: DdlOptions = {}): Buffer {
  return edited(text, findClause(text, options), (clause) => {
    // One space goes too, so that no double space stays; the break of a version comment does not.
    const end = text[clause.end] === 0x20 ? clause.end + 1 : clause.end;
    return { start: clause.start, end, replacement: Buffer.alloc(0) };
  });
}

/** The definition with another definer; unchanged where it names none. */
export function replaceDefiner(
  text: Uint8Array,
  definer: Definer,
  options: DdlOptions = {},
): Buffer {
  const host = definer.host === undefined ? '' : `@${quoteIdentifier(definer.host)}`;
  const replacement = Buffer.from(`DEFINER=${quoteIdentifier(definer.user)}${host}`);
  return edited(text, findClause(text, options), ({ start, end }) => ({ start, end, replacement }));
}

function edited(
  text: Uint8Array,
  clause: DefinerClause | undefined,
  edit: (clause: DefinerClause) => Edit,
): Buffer {
  return applyEdits(text, clause === undefined ? [] : [edit(clause)]);
}

function findClause(text: Uint8Array, options: DdlOptions): DefinerClause | undefined {
  const tokens = tokenize(text, lexOptions(options)).filter(isSignificant);
  const head = tokens.slice(0, HEADER_TOKENS_MAX);
  const at = head.findIndex(
    (token, index) =>
      keywordOf(text, token) === 'DEFINER' && operatorOf(text, tokens[index + 1]) === '=',
  );
  const [keyword, , user] = tokens.slice(at, at + 3);
  const isHeader = at > 0 && !head.slice(0, at).some((token) => !isHeaderToken(text, token));
  if (!isHeader || keyword === undefined || user === undefined) return undefined;
  return { start: keyword.start, ...account(text, tokens.slice(at + 2), charsetOf(options)) };
}

/** Nothing before DEFINER is a name, so that the clause of a body's inner statement is not taken. */
function isHeaderToken(text: Uint8Array, token: Token): boolean {
  return /^(CREATE|OR|REPLACE|ALTER|ALGORITHM|UNDEFINED|MERGE|TEMPTABLE|)$/.test(
    keywordOf(text, token),
  );
}

function account(
  text: Uint8Array,
  [user, host, closing]: readonly Token[],
  charset: string | undefined,
): Omit<DefinerClause, 'start'> {
  const name =
    user === undefined ? '' : (identifierOf(text, user, charset) ?? unquoted(text, user, charset));
  const end = user?.end ?? 0;
  if (operatorOf(text, host) === '(')
    return { user: name, host: undefined, end: closing?.end ?? end };
  if (host?.kind !== 'variable') return { user: name, host: undefined, end };
  const withoutAt = { ...host, start: host.start + 1 };
  return { user: name, host: unquoted(text, withoutAt, charset), end: host.end };
}

/** The text of a string, or of a host name with or without quotes. */
function unquoted(text: Uint8Array, { start, end }: Token, charset: string | undefined): string {
  const raw = decodeText(text.subarray(start, end), charset);
  const quote = raw.charAt(0);
  if (quote !== "'" && quote !== '"' && quote !== '`') return raw;
  return raw.slice(1, -1).replaceAll(quote + quote, quote);
}
