/** Takes the text of SHOW CREATE TABLE apart into its columns, keys, constraints and options. */
import { charsetOf, lexOptions } from './ddl-text.js';
import type { DdlOptions } from './ddl-text.js';
import { identifierOf, isSignificant, keywordOf, operatorOf, tokenize } from './tokenizer.js';
import type { Token } from './tokenizer.js';

export interface TableColumn {
  readonly name: string;
  readonly isAutoIncrement: boolean;
  /** Computed when read; a stored generated column is like any other to an index. */
  readonly isVirtual: boolean;
}

export type TableElementKind =
  | 'column'
  | 'primary'
  | 'unique'
  /** A plain index: what can be made as well after the rows. */
  | 'key'
  | 'foreign key'
  /** Fulltext, spatial and vector indexes, checks, periods, whatever is new. */
  | 'other';

export interface TableElement {
  readonly kind: TableElementKind;
  /** Byte range without the comma. */
  readonly start: number;
  readonly end: number;
  /** Set for columns. */
  readonly column?: TableColumn;
  /** The columns of a key; undefined where one is an expression or the text is not understood. */
  readonly keyColumns?: readonly string[] | undefined;
}

export interface TableParts {
  readonly elements: readonly TableElement[];
  /** Upper-case words after the closing parenthesis, string values left out. */
  readonly optionWords: readonly string[];
}

/** The parts, or undefined where `text` is not a CREATE TABLE with a list of columns. */
export function tableParts(text: Uint8Array, options: DdlOptions = {}): TableParts | undefined {
  const tokens = tokenize(text, lexOptions(options)).filter(
    ({ kind }) => kind !== 'space' && kind !== 'comment',
  );
  const words = tokens.slice(0, 3).map((token) => keywordOf(text, token));
  if (words[0] !== 'CREATE' || !words.includes('TABLE')) return undefined;
  const open = tokens.findIndex((token) => operatorOf(text, token) === '(');
  const groups = open === -1 ? undefined : elementTokens(text, tokens, open);
  if (groups === undefined) return undefined;
  return {
    elements: groups.elements.map((element) => elementOf(text, element, charsetOf(options))),
    optionWords: tokens.slice(groups.next).map((token) => keywordOf(text, token)),
  };
}

interface ElementTokens {
  readonly elements: readonly (readonly Token[])[];
  /** Index of the token after the closing parenthesis. */
  readonly next: number;
}

function elementTokens(
  text: Uint8Array,
  tokens: readonly Token[],
  open: number,
): ElementTokens | undefined {
  const elements: Token[][] = [[]];
  let depth = 1;
  for (let at = open + 1; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    const operator = operatorOf(text, token);
    if (operator === '(') depth += 1;
    if (operator === ')') depth -= 1;
    if (depth === 0) {
      return elements.some((element) => element.length === 0)
        ? undefined
        : { elements, next: at + 1 };
    }
    if (operator === ',' && depth === 1) elements.push([]);
    else elements.at(-1)?.push(token);
  }
  return undefined;
}

function elementOf(
  text: Uint8Array,
  withBorders: readonly Token[],
  charset: string | undefined,
): TableElement {
  const tokens = withBorders.filter(isSignificant);
  const start = withBorders[0]?.start ?? 0;
  const end = withBorders.at(-1)?.end ?? start;
  if (tokens[0]?.kind === 'quoted') {
    return { kind: 'column', start, end, column: columnOf(text, tokens, charset) };
  }
  const kind = constraintKind(text, tokens);
  const isKey = kind === 'primary' || kind === 'unique' || kind === 'key';
  return isKey
    ? { kind, start, end, keyColumns: keyColumns(text, tokens, charset) }
    : { kind, start, end };
}

function columnOf(
  text: Uint8Array,
  tokens: readonly Token[],
  charset: string | undefined,
): TableColumn {
  const words = tokens.map((token) => keywordOf(text, token));
  const isExpression = words.some(
    (word, at) => word === 'AS' && operatorOf(text, tokens[at + 1]) === '(',
  );
  return {
    name: identifierOf(text, tokens[0], charset) ?? '',
    isAutoIncrement: words.includes('AUTO_INCREMENT'),
    isVirtual: isExpression && !words.includes('STORED') && !words.includes('PERSISTENT'),
  };
}

function constraintKind(text: Uint8Array, tokens: readonly Token[]): TableElementKind {
  const isNamed = keywordOf(text, tokens[0]) === 'CONSTRAINT';
  const [first, second] = tokens.slice(isNamed ? 2 : 0).map((token) => keywordOf(text, token));
  if (first === 'PRIMARY' && second === 'KEY') return 'primary';
  if (first === 'UNIQUE' && second === 'KEY') return 'unique';
  if (first === 'FOREIGN' && second === 'KEY') return 'foreign key';
  return first === 'KEY' ? 'key' : 'other';
}

/** `` (`a`,`b`(10) DESC) ``: the names; undefined for an expression among them. */
function keyColumns(
  text: Uint8Array,
  tokens: readonly Token[],
  charset: string | undefined,
): string[] | undefined {
  const names: string[] = [];
  let depth = 0;
  for (const token of tokens) {
    const operator = operatorOf(text, token);
    if (operator === ')') depth -= 1;
    if (operator === ')' && depth === 0) return names.length > 0 ? names : undefined;
    // Deeper than the list itself only the length of a prefix is expected.
    if (depth === 2 && token.kind !== 'number') return undefined;
    if (depth === 1 && token.kind === 'quoted')
      names.push(identifierOf(text, token, charset) ?? '');
    if (operator === '(') depth += 1;
  }
  return undefined;
}
