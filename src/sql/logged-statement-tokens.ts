/** Steps through the tokens of a logged statement: keywords, and names with where they stand. */
import { charsetOf, lexOptions } from './ddl-text.js';
import type { DdlOptions } from './ddl-text.js';
import { identifierOf, keywordOf, operatorOf, significantTokens } from './tokenizer.js';
import type { Token } from './tokenizer.js';

export interface TargetName {
  /** Undefined where the name is not qualified. */
  readonly database: string | undefined;
  readonly name: string;
  /** Of the whole name, qualifier included, and of its last part. */
  readonly start: number;
  readonly nameStart: number;
  readonly end: number;
}

/** Words between CREATE, ALTER or DROP and the kind of object. */
const MODIFIERS: ReadonlySet<string> = new Set([
  'AGGREGATE',
  'DUALITY',
  'FULLTEXT',
  'IGNORE',
  'INVOKER',
  'JSON',
  'MERGE',
  'OFFLINE',
  'ONLINE',
  'OR',
  'RELATIONAL',
  'REPLACE',
  'SPATIAL',
  'SQL',
  'SECURITY',
  'TEMPTABLE',
  'UNDEFINED',
  'UNIQUE',
  'VECTOR',
]);

export function readTokens(text: Buffer, options: DdlOptions): StatementTokens {
  const tokens = significantTokens(text, lexOptions(options));
  return new StatementTokens(text, withoutSetStatement(text, tokens), charsetOf(options));
}

/** MariaDB: `SET STATEMENT variable=value, … FOR statement`. */
function withoutSetStatement(text: Buffer, tokens: Token[]): Token[] {
  const isWrapped =
    keywordOf(text, tokens[0]) === 'SET' && keywordOf(text, tokens[1]) === 'STATEMENT';
  if (!isWrapped) return tokens;
  const start = tokens.findIndex((token) => keywordOf(text, token) === 'FOR');
  return start < 0 ? tokens : tokens.slice(start + 1);
}

export class StatementTokens {
  readonly #text: Buffer;
  readonly #tokens: readonly Token[];
  readonly #charset: string | undefined;
  #at = 0;

  constructor(text: Buffer, tokens: readonly Token[], charset: string | undefined) {
    this.#text = text;
    this.#tokens = tokens;
    this.#charset = charset;
  }

  #word(at: number): string {
    return keywordOf(this.#text, this.#tokens[at]);
  }

  #operator(at: number): string {
    return operatorOf(this.#text, this.#tokens[at]);
  }

  /** The present keyword, taken; empty where there is none. Opening parentheses are passed over. */
  takeWord(): string {
    while (this.#operator(this.#at) === '(') this.#at += 1;
    const word = this.#word(this.#at);
    if (word !== '') this.#at += 1;
    return word;
  }

  /** Passes over any of `words`, as often as they come. */
  skipWords(...words: readonly string[]): void {
    while (words.includes(this.#word(this.#at))) this.#at += 1;
  }

  /** Whether any of `words` comes right here; it is not taken. */
  isAt(...words: readonly string[]): boolean {
    return words.includes(this.#word(this.#at));
  }

  takeComma(): boolean {
    if (this.#operator(this.#at) !== ',') return false;
    this.#at += 1;
    return true;
  }

  /** What CREATE, ALTER or DROP is about: `TABLE`, `VIEW` … */
  takeKind(): { readonly kind: string; readonly isTemporary: boolean } {
    let isTemporary = false;
    for (;;) {
      const word = this.#word(this.#at);
      if (word === 'DEFINER' || word === 'ALGORITHM') this.#passAssignment();
      else if (word === 'TEMPORARY') {
        isTemporary = true;
        this.#at += 1;
      } else if (word === 'SPATIAL' && this.#word(this.#at + 1) === 'REFERENCE') {
        return { kind: word, isTemporary };
      } else if (MODIFIERS.has(word)) this.#at += 1;
      else {
        this.#at += 1;
        return { kind: word, isTemporary };
      }
    }
  }

  /** `ALGORITHM = word`; `DEFINER = account`, which may be `user@host`, a role or CURRENT_USER(). */
  #passAssignment(): void {
    if (this.#operator(this.#at + 1) !== '=') {
      this.#at += 1; // SQL SECURITY DEFINER
      return;
    }
    this.#at += 3;
    if (this.#tokens[this.#at]?.kind === 'variable') this.#at += 1;
    if (this.#operator(this.#at) === '(') this.#at += 2;
  }

  takeName(): TargetName | undefined {
    const found = this.#nameAt(this.#at);
    if (found === undefined) return undefined;
    this.#at = found.next;
    return found.name;
  }

  #nameAt(at: number): { readonly name: TargetName; readonly next: number } | undefined {
    const first = this.#tokens[at];
    const name = identifierOf(this.#text, first, this.#charset);
    if (first === undefined || name === undefined) return undefined;
    const { start } = first;
    const second = this.#tokens[at + 2];
    const inner = identifierOf(this.#text, second, this.#charset);
    if (this.#operator(at + 1) !== '.' || second === undefined || inner === undefined) {
      const plain = { database: undefined, name, start, nameStart: start, end: first.end };
      return { name: plain, next: at + 1 };
    }
    const { end, start: nameStart } = second;
    return { name: { database: name, name: inner, start, nameStart, end }, next: at + 3 };
  }

  /** Whether `words` follow each other anywhere in the rest. */
  hasWords(...words: readonly string[]): boolean {
    return this.#find(words) >= 0;
  }

  /** The name behind `words`, wherever they follow each other in the rest. */
  nameAfter(...words: readonly string[]): TargetName | undefined {
    const at = this.#find(words);
    return at < 0 ? undefined : this.#nameAt(at + words.length)?.name;
  }

  #find(words: readonly string[]): number {
    for (let at = this.#at; at < this.#tokens.length; at += 1) {
      if (words.every((word, offset) => this.#word(at + offset) === word)) return at;
    }
    return -1;
  }

  /** ALTER TABLE … RENAME [TO | AS | =] name, but not RENAME COLUMN, INDEX or KEY. */
  findRenameTarget(): TargetName | undefined {
    for (let at = this.#at; at < this.#tokens.length; at += 1) {
      if (this.#word(at) !== 'RENAME' || this.#operator(at - 1) === '.') continue;
      let next = at + 1;
      if (['COLUMN', 'INDEX', 'KEY'].includes(this.#word(next))) continue;
      if (['TO', 'AS'].includes(this.#word(next)) || this.#operator(next) === '=') next += 1;
      return this.#nameAt(next)?.name;
    }
    return undefined;
  }

  /** CREATE TABLE name LIKE other, or (LIKE other). */
  findCreateLike(): TargetName | undefined {
    const at = this.#operator(this.#at) === '(' ? this.#at + 1 : this.#at;
    return this.#word(at) === 'LIKE' ? this.#nameAt(at + 1)?.name : undefined;
  }
}
