/**
 * Follows the session variables that decide how the next statements are to be read: sql_mode
 * (ANSI_QUOTES, NO_BACKSLASH_ESCAPES) and the client character set, through the forms that dumps
 * use: direct values, `SET NAMES`, and saving in and restoring from user variables.
 */
import { wideCharsetTables } from './tokenizer-charset.js';
import {
  keywordOf,
  latin1Text,
  lexOptionsOfSqlMode,
  operatorOf,
  significantTokens,
} from './tokenizer.js';
import type { LexOptions, Token } from './tokenizer.js';

/** User variables remembered at most, and the longest value; dumps keep about ten short ones. */
const VARIABLES_MAX = 256;
const VALUE_LENGTH_MAX = 4096;

/** A longer SET statement assigns data, not modes. */
const SET_BYTES_MAX = 64 * 1024;

/** Bits of a numeric sql_mode (`SET @@session.sql_mode=1436549152`). */
const ANSI_QUOTES_BIT = 1 << 2;
const NO_BACKSLASH_ESCAPES_BIT = 1 << 20;

const GLOBAL_SCOPES: ReadonlySet<string> = new Set(['GLOBAL', 'PERSIST', 'PERSIST_ONLY']);
const SESSION_SCOPES: ReadonlySet<string> = new Set(['SESSION', 'LOCAL']);

interface Value {
  /** Undefined where the expression is one that is not followed. */
  readonly text: string | undefined;
}

export class SplitterSession {
  readonly #initialSqlMode: string;
  readonly #initialCharset: string | undefined;
  #sqlMode: string;
  #charset: string | undefined;
  readonly #variables = new Map<string, string>();
  #options: LexOptions;

  constructor(sqlMode: string, charset: string | undefined) {
    this.#initialSqlMode = sqlMode;
    this.#initialCharset = charset;
    this.#sqlMode = sqlMode;
    this.#charset = charset;
    this.#options = lexOptionsOfSqlMode(sqlMode, charset);
  }

  /** How to read text from here on; a new object only after something changed. */
  get options(): LexOptions {
    return this.#options;
  }

  /** Takes note of a SET statement; true where {@link options} changed. */
  apply(statement: Uint8Array): boolean {
    if (statement.length > SET_BYTES_MAX) return false;
    const tokens = significantTokens(statement, this.#options);
    let isGlobal = false;
    for (const assignment of splitAtCommas(statement, tokens.slice(1))) {
      const scope = keywordOf(statement, assignment[0]);
      if (GLOBAL_SCOPES.has(scope)) isGlobal = true;
      else if (SESSION_SCOPES.has(scope)) isGlobal = false;
      const hasScope = GLOBAL_SCOPES.has(scope) || SESSION_SCOPES.has(scope);
      const rest = hasScope ? assignment.slice(1) : assignment;
      if (!isGlobal) this.#assign(statement, rest);
    }
    return this.#refresh();
  }

  /** The `charset` (`\C`) command of the mysql client; true where {@link options} changed. */
  setCharset(charset: string): boolean {
    this.#charset = charset;
    return this.#refresh();
  }

  #refresh(): boolean {
    const next = lexOptionsOfSqlMode(this.#sqlMode, this.#charset);
    const changed =
      next.ansiQuotes !== this.#options.ansiQuotes ||
      next.noBackslashEscapes !== this.#options.noBackslashEscapes ||
      next.charset !== this.#options.charset;
    if (changed) this.#options = next;
    return changed;
  }

  #assign(text: Uint8Array, tokens: readonly Token[]): void {
    const first = keywordOf(text, tokens[0]);
    const second = keywordOf(text, tokens[1]);
    if (first === 'NAMES' || first === 'CHARSET') {
      this.#assignCharset(this.#evaluate(text, tokens.slice(1, 2)));
    } else if ((first === 'CHARACTER' || first === 'CHAR') && second === 'SET') {
      this.#assignCharset(this.#evaluate(text, tokens.slice(2, 3)));
    } else {
      this.#assignVariable(text, tokens);
    }
  }

  #assignVariable(text: Uint8Array, tokens: readonly Token[]): void {
    const [target] = tokens;
    if (target === undefined) return;
    const valueAt = operatorOf(text, tokens[1]) === ':' ? 3 : 2;
    if (operatorOf(text, tokens[valueAt - 1]) !== '=') return;
    const value = this.#evaluate(text, tokens.slice(valueAt));
    const name = systemVariableName(text, target);
    if (name === 'sql_mode') this.#assignSqlMode(value);
    else if (name === 'character_set_client') this.#assignCharset(value);
    else if (name === undefined) this.#remember(latin1Text(text, target).toLowerCase(), value);
  }

  #assignSqlMode({ text }: Value): void {
    if (text === undefined) return;
    this.#sqlMode = text === DEFAULT ? this.#initialSqlMode : modeNames(text);
  }

  #assignCharset({ text }: Value): void {
    if (text === undefined) return;
    const charset = text === DEFAULT ? this.#initialCharset : text.toLowerCase();
    this.#charset = wideCharsetTables(charset)?.name ?? charset;
  }

  #remember(variable: string, { text }: Value): void {
    this.#variables.delete(variable);
    if (text === undefined || text.length > VALUE_LENGTH_MAX) return;
    if (this.#variables.size < VARIABLES_MAX) this.#variables.set(variable, text);
  }

  /** The value of an expression where it is one of the few that dumps write. */
  #evaluate(text: Uint8Array, tokens: readonly Token[]): Value {
    const [first] = tokens;
    if (first === undefined) return { text: undefined };
    if (tokens.length === 1) return { text: this.#evaluateToken(text, first) };
    const name = keywordOf(text, first);
    const isCall = operatorOf(text, tokens[1]) === '(' && operatorOf(text, tokens.at(-1)) === ')';
    if (!isCall) return { text: undefined };
    const values = splitAtCommas(text, tokens.slice(2, -1)).map(
      (argument) => this.#evaluate(text, argument).text,
    );
    return { text: callText(name, values) };
  }

  #evaluateToken(text: Uint8Array, token: Token): string | undefined {
    const raw = latin1Text(text, token);
    switch (token.kind) {
      case 'string':
      case 'quoted':
        return unquote(raw);
      case 'number':
      case 'word':
        return raw.toUpperCase() === DEFAULT ? DEFAULT : raw;
      case 'variable':
        return this.#evaluateVariable(text, token, raw);
      default:
        return undefined;
    }
  }

  #evaluateVariable(text: Uint8Array, token: Token, raw: string): string | undefined {
    const name = systemVariableName(text, token);
    if (name === undefined) return this.#variables.get(raw.toLowerCase());
    if (raw.toLowerCase().startsWith('@@global.')) return undefined;
    if (name === 'sql_mode') return this.#sqlMode;
    if (name === 'character_set_client') return this.#charset ?? DEFAULT;
    return undefined;
  }
}

const DEFAULT = 'DEFAULT';

function callText(name: string, values: readonly (string | undefined)[]): string | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length !== values.length) return undefined;
  const [first = '', second = '', third = ''] = known;
  if (name === 'CONCAT') return known.join('');
  if (name === 'CONCAT_WS') return known.slice(1).join(first);
  if (name === 'REPLACE') return second === '' ? first : first.replaceAll(second, third);
  return undefined;
}

/** Lower-case name of the session variable that a token of `SET` means; undefined for `@user`. */
function systemVariableName(text: Uint8Array, token: Token): string | undefined {
  const raw = latin1Text(text, token).replaceAll('`', '').toLowerCase();
  if (token.kind === 'word' || token.kind === 'quoted') return raw;
  if (token.kind !== 'variable' || !raw.startsWith('@@')) return undefined;
  return raw.replace(/^@@(session\.|local\.)?/, '');
}

function unquote(raw: string): string {
  const quote = raw.charAt(0);
  return raw.slice(1, -1).replaceAll(quote + quote, quote);
}

function modeNames(value: string): string {
  if (!/^\d+$/.test(value)) return value;
  const bits = Number(BigInt(value) & 0x3fff_ffffn);
  const names: string[] = [];
  if ((bits & ANSI_QUOTES_BIT) !== 0) names.push('ANSI_QUOTES');
  if ((bits & NO_BACKSLASH_ESCAPES_BIT) !== 0) names.push('NO_BACKSLASH_ESCAPES');
  return names.join(',');
}

/** Splits tokens at the commas outside parentheses. */
function splitAtCommas(text: Uint8Array, tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    const operator = operatorOf(text, token);
    if (operator === '(') depth += 1;
    if (operator === ')') depth -= 1;
    if (operator === ',' && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
