/** Names what a statement is from its first tokens, so that a loader can decide without parsing it. */
import { Tokenizer, keywordOf, operatorOf } from './tokenizer.js';
import type { LexOptions, Token } from './tokenizer.js';

/** Tokens to look at before giving up: CREATE with every option before the object fits easily. */
const KIND_TOKENS_MAX = 64;

/** Names that the mysql client takes for itself at the start of a statement. */
const CLIENT_COMMANDS: ReadonlySet<string> = new Set([
  'CHARSET',
  'CLEAR',
  'CONNECT',
  'DELIMITER',
  'EDIT',
  'EGO',
  'EXIT',
  'GO',
  'NOPAGER',
  'NOTEE',
  'NOWARNING',
  'PAGER',
  'PRINT',
  'PROMPT',
  'QUIT',
  'REHASH',
  'RESETCONNECTION',
  'SOURCE',
  'STATUS',
  'SYSTEM',
  'TEE',
  'WARNINGS',
]);

/** True for a word that begins a command of the mysql client (upper case) and no SQL statement. */
export function isClientCommand(word: string): boolean {
  return CLIENT_COMMANDS.has(word);
}

/** Object words after CREATE, ALTER and DROP, with the name used in kinds. */
const OBJECTS: ReadonlyMap<string, string> = new Map([
  ['DATABASE', 'DATABASE'],
  ['SCHEMA', 'DATABASE'],
  ['TABLE', 'TABLE'],
  ['TABLES', 'TABLE'],
  ['VIEW', 'VIEW'],
  ['TRIGGER', 'TRIGGER'],
  ['PROCEDURE', 'PROCEDURE'],
  ['FUNCTION', 'FUNCTION'],
  ['EVENT', 'EVENT'],
  ['INDEX', 'INDEX'],
  ['SEQUENCE', 'SEQUENCE'],
  ['PACKAGE', 'PACKAGE'],
  ['LIBRARY', 'LIBRARY'],
  ['USER', 'USER'],
  ['ROLE', 'ROLE'],
  ['SERVER', 'SERVER'],
  ['TABLESPACE', 'TABLESPACE'],
  ['LOGFILE', 'LOGFILE'],
  ['INSTANCE', 'INSTANCE'],
  ['RESOURCE', 'RESOURCE GROUP'],
  ['REFERENCE', 'SPATIAL REFERENCE SYSTEM'],
]);

/** First words whose second word says what the statement does. */
const TWO_WORDS: ReadonlySet<string> = new Set([
  'CHANGE',
  'FLUSH',
  'IMPORT',
  'INSTALL',
  'LOAD',
  'LOCK',
  'PURGE',
  'RENAME',
  'RESET',
  'START',
  'STOP',
  'UNINSTALL',
  'UNLOCK',
  'XA',
]);

/** Second words after SET that make it something else than an assignment of variables. */
const SET_FORMS: ReadonlySet<string> = new Set([
  'DEFAULT',
  'PASSWORD',
  'RESOURCE',
  'ROLE',
  'STATEMENT',
  'TRANSACTION',
]);

class Words {
  readonly #text: Uint8Array;
  readonly #tokenizer: Tokenizer;
  #left = KIND_TOKENS_MAX;
  #current: Token | undefined;

  constructor(text: Uint8Array, options: LexOptions) {
    this.#text = text;
    this.#tokenizer = new Tokenizer(text, options);
  }

  /** The next token as an upper-case word or a punctuation mark; '' for any other token. */
  next(): string | undefined {
    this.#left -= 1;
    this.#current = this.#left < 0 ? undefined : this.#tokenizer.nextSignificant();
    if (this.#current === undefined) return undefined;
    return keywordOf(this.#text, this.#current) || operatorOf(this.#text, this.#current);
  }

  get isVariable(): boolean {
    return this.#current?.kind === 'variable';
  }

  get following(): string {
    const start = this.#current?.end ?? 0;
    return String.fromCharCode(this.#text[start] ?? 0);
  }
}

/**
 * The kind of a statement: its first keywords in upper case, such as `INSERT`, `CREATE TABLE`,
 * `DROP VIEW`, `USE`, `SET`, `LOCK TABLES`, `LOAD DATA`; options between CREATE and the object's
 * word are left out. `CLIENT …` names a command of the mysql client (`CLIENT SOURCE`, `CLIENT \!`).
 * Empty for text without any token. Keywords in version comments count like any others.
 */
export function statementKind(text: Uint8Array, options: LexOptions = {}): string {
  const words = new Words(text, options);
  const first = words.next();
  if (first === undefined) return '';
  if (first === '\\') return `CLIENT \\${words.following}`;
  if (CLIENT_COMMANDS.has(first)) return `CLIENT ${first}`;
  if (first === 'CREATE' || first === 'ALTER' || first === 'DROP') {
    const object = objectAfter(words);
    return object === undefined ? first : `${first} ${object}`;
  }
  if (first === 'TRUNCATE') return 'TRUNCATE TABLE';
  const second = first === '(' ? '' : (words.next() ?? '');
  if (first === 'LOCK' && second === 'TABLE') return 'LOCK TABLES';
  if (first === 'SET') return SET_FORMS.has(second) && !words.isVariable ? `SET ${second}` : 'SET';
  return TWO_WORDS.has(first) && /^[A-Z]/.test(second) ? `${first} ${second}` : first;
}

function objectAfter(words: Words): string | undefined {
  let word = words.next();
  while (word !== undefined) {
    if (word === 'DEFINER') {
      // SQL SECURITY DEFINER, or DEFINER=account: an account called `view` is not the object.
      word = words.next();
      if (word === '=') word = wordAfterAccount(words);
      continue;
    }
    const object = OBJECTS.get(word);
    if (object === 'PACKAGE') return words.next() === 'BODY' ? 'PACKAGE BODY' : 'PACKAGE';
    if (object !== undefined) return object;
    word = words.next();
  }
  return undefined;
}

function wordAfterAccount(words: Words): string | undefined {
  words.next();
  const word = words.next();
  return words.isVariable ? words.next() : word;
}
