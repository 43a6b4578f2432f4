/**
 * Finds the names in a statement and tells which of them stand for tables, views and routines and
 * which for columns. That decides whether `LibraryDB.x` means object `x` of database `LibraryDB` or
 * column `x` of a table (or alias) that happens to be called `LibraryDB`.
 *
 * No grammar: a walk over the tokens with a small state per parenthesis, which knows after which
 * keywords and commas a table must follow. It is for definitions that a server has accepted.
 */
import {
  BEGINS_STATEMENT,
  DEFINES,
  ENDS_TABLES,
  RELATION_WORDS,
  ROUTINE_WORDS,
  SEQUENCE_FUNCTIONS,
  TABLE_MODIFIERS,
  TRIGGER_EVENTS,
} from './ddl-name-words.js';
import { expectTables, newFrame } from './ddl-name-types.js';
import type { Frame, NamePart, NameRole, SqlName } from './ddl-name-types.js';
import { charsetOf, lexOptions } from './ddl-text.js';
import type { DdlOptions } from './ddl-text.js';
import { identifierOf, keywordOf, operatorOf, significantTokens } from './tokenizer.js';
import type { Token } from './tokenizer.js';

export type { NamePart, NameRole, SqlName } from './ddl-name-types.js';

/** All names of `text` that are qualified or stand for a table or routine, in order. */
export function sqlNames(text: Uint8Array, options: DdlOptions = {}): SqlName[] {
  const tokens = significantTokens(text, lexOptions(options));
  return namesOfTokens(text, tokens, charsetOf(options));
}

/** {@link sqlNames} for the first significant tokens of a text. */
export function namesOfTokens(
  text: Uint8Array,
  tokens: readonly Token[],
  charset?: string,
): SqlName[] {
  return new NameWalk(text, tokens, charset).names();
}

class NameWalk {
  readonly #text: Uint8Array;
  readonly #charset: string | undefined;
  readonly #tokens: readonly Token[];
  readonly #found: SqlName[] = [];
  readonly #frames: Frame[] = [newFrame(false)];
  #at = 0;
  /** The statement began with CREATE, ALTER or DROP and its object has not come yet. */
  #defines = false;
  #routineNext = false;
  #createsTable = false;
  #definesIndex = false;
  /** Token index after the last table name. */
  #afterRelation = -1;

  constructor(text: Uint8Array, tokens: readonly Token[], charset: string | undefined) {
    this.#text = text;
    this.#charset = charset;
    this.#tokens = tokens;
  }

  names(): SqlName[] {
    while (this.#at < this.#tokens.length) {
      const operator = operatorOf(this.#text, this.#tokens[this.#at]);
      if (operator !== '') this.#takeOperator(operator);
      else if (!this.#takeKeyword()) this.#takeName();
    }
    return this.#found;
  }

  get #frame(): Frame {
    // The outermost frame is never removed.
    return this.#frames.at(-1) ?? newFrame(false);
  }

  #keyword(at: number): string {
    return keywordOf(this.#text, this.#tokens[at]);
  }

  #operator(at: number): string {
    return operatorOf(this.#text, this.#tokens[at]);
  }

  #takeOperator(operator: string): void {
    const frame = this.#frame;
    this.#at += 1;
    if (operator === '(') {
      const isSequence = SEQUENCE_FUNCTIONS.has(this.#keyword(this.#at - 2));
      const inner = newFrame(frame.tableNext);
      if (isSequence) inner.tableNext = true;
      this.#frames.push(inner);
      frame.tableNext = false;
    } else if (operator === ')') {
      if (this.#frames.length > 1) this.#frames.pop();
    } else if (operator === ',') {
      frame.tableNext = frame.inTableList;
    } else if (operator === ';') {
      this.#beginStatement();
    }
  }

  #beginStatement(): void {
    this.#frames.length = 0;
    this.#frames.push(newFrame(false));
    this.#defines = false;
    this.#routineNext = false;
    this.#createsTable = false;
    this.#definesIndex = false;
  }

  /** Handles the token as a keyword; false where it is a name (or a literal). */
  #takeKeyword(): boolean {
    const word = this.#keyword(this.#at);
    if (word === '' || this.#operator(this.#at + 1) === '.') return false;
    const frame = this.#frame;
    const isTaken =
      this.#takeDefinition(word, frame) ||
      this.#takeTableStart(word, frame) ||
      this.#takeTableEnd(word, frame) ||
      (frame.tableNext && TABLE_MODIFIERS.has(word));
    if (isTaken) this.#at += 1;
    return isTaken;
  }

  #takeDefinition(word: string, frame: Frame): boolean {
    if (DEFINES.has(word)) {
      this.#defines = true;
      this.#createsTable = false;
      return true;
    }
    if (word === 'DEFINER' && this.#operator(this.#at + 1) === '=') {
      this.#at += 2; // the account, which may be called like a keyword
      return true;
    }
    if (word === 'INDEX' && this.#defines) {
      this.#definesIndex = true;
      return true;
    }
    if (word === 'CALL' || (this.#defines && ROUTINE_WORDS.has(word))) {
      this.#defines = word === 'PACKAGE';
      this.#routineNext = true;
      return true;
    }
    if (this.#defines && RELATION_WORDS.has(word)) {
      this.#defines = false;
      frame.tableNext = true;
      return true;
    }
    return this.#routineNext && TABLE_MODIFIERS.has(word);
  }

  #takeTableStart(word: string, frame: Frame): boolean {
    const before = this.#keyword(this.#at - 1);
    const after = this.#at + 1;
    switch (word) {
      case 'SELECT':
        Object.assign(frame, { tableNext: false, inTableList: false, hasSelect: true });
        return true;
      case 'FROM':
        return expectTables(frame, frame.hasSelect || this.#frames.length === 1);
      case 'JOIN':
      case 'STRAIGHT_JOIN':
        frame.tableNext = frame.inTableList;
        return true;
      case 'TABLE':
      case 'TABLES':
        this.#createsTable = this.#defines;
        this.#defines = false;
        return expectTables(frame, true);
      case 'REFERENCES':
      case 'TO':
        frame.tableNext = true;
        return true;
      case 'INSERT':
      case 'REPLACE':
        frame.tableNext = before !== 'OR' && this.#operator(after) !== '(';
        return true;
      case 'INTO':
        return this.#takeInto(frame);
      case 'UPDATE':
      case 'DELETE':
        return this.#takeUpdateOrDelete(before, frame);
      case 'TRUNCATE':
        frame.tableNext = this.#operator(after) !== '(';
        return true;
      case 'ON':
        frame.tableNext = this.#definesIndex || TRIGGER_EVENTS.has(before);
        return true;
      case 'FOR':
        frame.tableNext = before === 'VALUE' && this.#isSequenceValue();
        return true;
      case 'OF':
        frame.tableNext = before === 'TYPE' && this.#keyword(this.#at - 2) === 'ROW';
        return true;
      case 'LIKE':
        frame.tableNext = this.#isCreateLike();
        return true;
      default:
        return false;
    }
  }

  /** `INSERT INTO t`, but not `SELECT … INTO variable`, after which no tables follow either. */
  #takeInto(frame: Frame): boolean {
    if (frame.tableNext) return true;
    frame.inTableList = false;
    return true;
  }

  #takeUpdateOrDelete(before: string, frame: Frame): boolean {
    const isClause = before === 'ON' || before === 'KEY' || before === 'FOR';
    const isTriggerEvent = this.#keyword(this.#at + 1) === 'ON';
    return expectTables(frame, !isClause && !isTriggerEvent);
  }

  #takeTableEnd(word: string, frame: Frame): boolean {
    if (ENDS_TABLES.has(word)) {
      // `USE INDEX FOR ORDER BY (i)` belongs to its table.
      const isHint = this.#keyword(this.#at - 1) === 'FOR';
      if (!isHint) Object.assign(frame, { tableNext: false, inTableList: false });
      if (word === 'UNION' && this.#operator(this.#at + 1) === '=') {
        this.#at += 1; // the tables of a MERGE table: UNION=(`a`,`b`)
        frame.tableNext = true;
      }
      return true;
    }
    if (!BEGINS_STATEMENT.has(word) || frame.hasSelect || this.#frames.length > 1) return false;
    this.#beginStatement();
    return true;
  }

  /** NEXT VALUE FOR s, PREVIOUS VALUE FOR s. */
  #isSequenceValue(): boolean {
    const word = this.#keyword(this.#at - 2);
    return word === 'NEXT' || word === 'PREVIOUS';
  }

  /** CREATE TABLE a LIKE b, CREATE TABLE a (LIKE b). */
  #isCreateLike(): boolean {
    if (!this.#createsTable) return false;
    const isInside = this.#operator(this.#at - 1) === '(';
    return this.#afterRelation === (isInside ? this.#at - 1 : this.#at);
  }

  #takeName(): void {
    const parts = this.#nameParts();
    if (parts.length === 0) {
      this.#at += 1;
      return;
    }
    const frame = this.#frame;
    const role = this.#roleOf(parts, frame);
    this.#routineNext = false;
    if (role === 'relation') this.#afterRelation = this.#at;
    frame.tableNext = false;
    if (role !== 'column' || parts.length > 1) this.#found.push({ parts, role });
  }

  #nameParts(): NamePart[] {
    const first = this.#part(this.#at);
    if (first === undefined) return [];
    const parts = [first];
    this.#at += 1;
    while (this.#operator(this.#at) === '.') {
      const next = this.#part(this.#at + 1);
      if (next === undefined) break;
      parts.push(next);
      this.#at += 2;
    }
    return parts;
  }

  #part(at: number): NamePart | undefined {
    const token = this.#tokens[at];
    if (token === undefined) return undefined;
    const isStar = this.#operator(at) === '*';
    const name = isStar ? '*' : identifierOf(this.#text, token, this.#charset);
    if (name === undefined) return undefined;
    return { start: token.start, end: token.end, name, isQuoted: token.kind === 'quoted' };
  }

  #roleOf(parts: readonly NamePart[], frame: Frame): NameRole {
    if (this.#routineNext) return 'routine';
    const isStar = parts.at(-1)?.name === '*';
    if (frame.tableNext && !isStar) return 'relation';
    if (this.#operator(this.#at) === '(' && parts.length > 1) return 'function';
    // MariaDB: a variable declared as `db.t%ROWTYPE`.
    const isRowType = this.#operator(this.#at) === '%' && this.#keyword(this.#at + 1) === 'ROWTYPE';
    return isRowType ? 'relation' : 'column';
  }
}
