/**
 * SHOW CREATE TABLE prints the members of ENUM and SET columns, and on MariaDB the defaults of text
 * columns, by way of utf8mb3: every character that it does not have, such as those beyond U+FFFF,
 * comes out as `?`. Here such places are found, and filled with what the server was then asked for.
 */
import { tableParts } from './ddl-table-parts.js';
import type { TableElement } from './ddl-table-parts.js';
import { applyEdits } from './ddl-text.js';
import type { Edit } from './ddl-text.js';
import { quoteString } from './quote.js';
import { keywordOf, operatorOf, significantTokens } from './tokenizer.js';
import type { Token } from './tokenizer.js';

/** Byte range of a literal. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/** A column with a literal that holds `?`: it may be one, or stand for what was lost. */
export interface DoubtfulColumn {
  readonly name: string;
  readonly type: 'enum' | 'set' | 'other';
  /** Literals by the number of the member, counted from 1. */
  readonly members: ReadonlyMap<number, Place>;
  readonly defaultValue?: Place;
}

/** A text as the server holds it. */
export interface TrueText {
  readonly characterSet: string;
  readonly bytes: Buffer;
  /** In Unicode; exact only where the character set is a part of Unicode. */
  readonly text: string;
}

/** What was found out of one column; what is not in here stays as printed. */
export interface TrueColumn {
  readonly members: ReadonlyMap<number, TrueText>;
  readonly defaultValue?: TrueText;
}

const QUESTION_MARK = 0x3f;

/** The columns of a CREATE TABLE whose members or default hold a `?`. */
export function doubtfulColumns(text: Uint8Array): DoubtfulColumn[] {
  if (!text.includes(QUESTION_MARK)) return [];
  const elements = tableParts(text)?.elements ?? [];
  return elements
    .map((element) => doubtfulColumn(text, element))
    .filter((column) => column.members.size > 0 || column.defaultValue !== undefined);
}

function doubtfulColumn(text: Uint8Array, element: TableElement): DoubtfulColumn {
  const name = element.column?.name ?? '';
  const none = { name, type: 'other', members: new Map<number, Place>() } as const;
  const view = text.subarray(element.start, element.end);
  if (element.kind !== 'column' || !view.includes(QUESTION_MARK)) return none;
  const tokens = significantTokens(view);
  const word = keywordOf(view, tokens[1]);
  const type = word === 'ENUM' ? 'enum' : word === 'SET' ? 'set' : 'other';
  const placeOf = ({ start, end }: Token): Place => ({
    start: element.start + start,
    end: element.start + end,
  });
  const isDoubtful = (token: Token): boolean =>
    token.kind === 'string' && view.subarray(token.start, token.end).includes(QUESTION_MARK);
  const members = (type === 'other' ? [] : memberTokens(view, tokens)).flatMap((token, at) =>
    isDoubtful(token) ? [[at + 1, placeOf(token)] as const] : [],
  );
  const value = defaultToken(view, tokens);
  return {
    name,
    type,
    members: new Map(members),
    ...(value !== undefined && isDoubtful(value) ? { defaultValue: placeOf(value) } : {}),
  };
}

/** The literals of `` `name` enum('…','…') ``. */
function memberTokens(view: Uint8Array, tokens: readonly Token[]): Token[] {
  const close = tokens.findIndex((token) => operatorOf(view, token) === ')');
  return tokens.slice(2, close).filter((token) => operatorOf(view, token) === '');
}

/** The literal after DEFAULT; an expression is in parentheses, or is no literal. */
function defaultToken(view: Uint8Array, tokens: readonly Token[]): Token | undefined {
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    const operator = operatorOf(view, token);
    if (operator === '(') depth += 1;
    if (operator === ')') depth -= 1;
    if (depth === 0 && keywordOf(view, token) === 'DEFAULT') return tokens[at + 1];
  }
  return undefined;
}

/** `text` with the literals of `columns`, which were found in it, as they truly are. */
export function withTrueLiterals(
  text: Uint8Array,
  columns: readonly DoubtfulColumn[],
  truth: ReadonlyMap<string, TrueColumn>,
): Buffer {
  const edits = columns.flatMap(({ name, members, defaultValue }): Edit[] => {
    const found = truth.get(name);
    return [
      ...[...members].flatMap(([number, place]) => editOf(place, found?.members.get(number))),
      ...(defaultValue === undefined ? [] : editOf(defaultValue, found?.defaultValue)),
    ];
  });
  return applyEdits(text, edits);
}

function editOf(place: Place, value: TrueText | undefined): Edit[] {
  return value === undefined ? [] : [{ ...place, replacement: Buffer.from(literalOf(value)) }];
}

/** Character sets whose every character has a code point of its own. */
const PARTS_OF_UNICODE = new Set(['utf16', 'utf16le', 'utf32', 'ucs2', 'latin1']);

/**
 * Quoted as the server quotes, where that is the same text; else the bytes: a hex literal takes the
 * column's character set.
 */
function literalOf({ characterSet, bytes, text }: TrueText): string {
  const isExact = PARTS_OF_UNICODE.has(characterSet) || bytes.equals(Buffer.from(text));
  if (!isExact) return `0x${bytes.toString('hex').toUpperCase()}`;
  return quoteString(text).replaceAll("\\'", "''");
}
