/**
 * A definition may name its own database (`corpus`.`t`); a copy under another name must then name
 * itself or nothing. This takes such qualifiers out of a definition, and leaves the name alone
 * where it is a string, a comment or an alias.
 */

export interface DefinitionText {
  readonly text: string;
  /** Whether `\'` inside a string is an escaped quote: not under NO_BACKSLASH_ESCAPES. */
  readonly backslashEscapes: boolean;
}

/** Lexical pieces: strings, comments, names and words; everything else is one character each. */
const PIECES = {
  escaping: pieces(String.raw`'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"`),
  plain: pieces(`'(?:[^']|'')*'|"(?:[^"]|"")*"`),
};

function pieces(strings: string): RegExp {
  const comments = String.raw`/\*(?!M?!)[\s\S]*?\*/|--(?=\s)[^\n]*|#[^\n]*`;
  const names = '`(?:[^`]|``)*`|[\\w$\\u0080-\\uffff]+';
  return new RegExp(`${strings}|${comments}|${names}|[\\s\\S]`, 'gu');
}

/** The definition without the qualifier `database.` wherever it names an object or a column. */
export function withoutOwnName(definition: DefinitionText, database: string): string {
  const pattern = definition.backslashEscapes ? PIECES.escaping : PIECES.plain;
  const tokens = definition.text.match(pattern) ?? [];
  const names = ownNames(database);
  const isAliasToo = tokens.some(
    (token, index) => token === names.backticked && nextVisible(tokens, index) !== '.',
  );
  const kept: string[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? '';
    const qualifies =
      names.all.has(token) && tokens[index + 1] === '.' && tokens[index - 1] !== '.';
    if (qualifies && (!isAliasToo || isCallOrTable(tokens, index))) index += 1;
    else kept.push(token);
  }
  return kept.join('');
}

function ownNames(database: string): { backticked: string; all: ReadonlySet<string> } {
  const backticked = '`' + database.replaceAll('`', '``') + '`';
  const doubleQuoted = '"' + database.replaceAll('"', '""') + '"';
  return { backticked, all: new Set([backticked, doubleQuoted, database]) };
}

/** Where an alias has the database's name, only a call or a name after FROM or JOIN is qualified. */
function isCallOrTable(tokens: readonly string[], index: number): boolean {
  if (tokens[index + 3] === '(') return true;
  for (let before = index - 1; before >= 0; before -= 1) {
    const token = tokens[before] ?? '';
    if (token.trim() === '' || token === '(') continue;
    return /^(?:from|join)$/iu.test(token);
  }
  return false;
}

function nextVisible(tokens: readonly string[], index: number): string {
  for (let after = index + 1; after < tokens.length; after += 1) {
    const token = tokens[after] ?? '';
    if (token.trim() !== '') return token;
  }
  return '';
}
