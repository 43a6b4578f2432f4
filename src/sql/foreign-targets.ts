/** Which objects of which database a statement would make, change or drop. */
import { hasDatabase } from './ddl-qualifiers.js';
import { namesOfTokens } from './ddl-names.js';
import type { SqlName } from './ddl-names.js';
import type { SplitStatement } from './statement-splitter.js';
import { Tokenizer, identifierOf, keywordOf } from './tokenizer.js';
import type { Token } from './tokenizer.js';

/** Tokens of a data statement that hold its table: `INSERT LOW_PRIORITY IGNORE INTO db . t (…`. */
const HEAD_TOKENS_MAX = 24;

/** A definition longer than this is not searched through; servers store bodies up to 64 KiB. */
const DEFINITION_TOKENS_MAX = 2_000_000;

/** The first significant tokens of a statement, no more than `limit`. */
export function firstTokens({ text, lex }: SplitStatement, limit: number): Token[] {
  const tokenizer = new Tokenizer(text, lex);
  const tokens: Token[] = [];
  while (tokens.length < limit) {
    const token = tokenizer.nextSignificant();
    if (token === undefined) break;
    tokens.push(token);
  }
  return tokens;
}

/** The token with the name in USE, CREATE, ALTER and DROP DATABASE. */
export function databaseToken(statement: SplitStatement): Token | undefined {
  const { text } = statement;
  const tokens = firstTokens(statement, HEAD_TOKENS_MAX);
  const object = tokens.findIndex((token) =>
    ['USE', 'DATABASE', 'SCHEMA'].includes(keywordOf(text, token)),
  );
  const rest = tokens.slice(object + 1);
  // IF NOT EXISTS; `ALTER DATABASE CHARACTER SET …` names none and means the current one.
  const name = rest.find((token) => !['IF', 'NOT', 'EXISTS'].includes(keywordOf(text, token)));
  const isOption = /^(CHARACTER|CHARSET|COLLATE|DEFAULT|ENCRYPTION|READ)$/.test(
    keywordOf(text, name),
  );
  return isOption ? undefined : name;
}

/** The database that USE, CREATE, ALTER or DROP DATABASE names. */
export function databaseNamed(statement: SplitStatement): string | undefined {
  return identifierOf(statement.text, databaseToken(statement), statement.lex.charset);
}

const DATA_KINDS: ReadonlySet<string> = new Set(['INSERT', 'REPLACE']);

/** Kinds that change every table they name. */
const CHANGES_ALL = /^(DROP|RENAME|TRUNCATE|UPDATE|DELETE)\b/;

/** The names in the statement; of INSERT and REPLACE only those before the rows. */
export function statementNames(statement: SplitStatement): SqlName[] {
  const { kind, lex, text } = statement;
  const limit = DATA_KINDS.has(kind) ? HEAD_TOKENS_MAX : DEFINITION_TOKENS_MAX;
  return namesOfTokens(text, firstTokens(statement, limit), lex.charset);
}

/**
 * Those of `names` that the statement makes, changes or drops: the first of a definition (and the
 * table of a trigger), the table of an INSERT, all of DROP, RENAME, TRUNCATE, UPDATE and DELETE.
 */
export function targetNames(kind: string, names: readonly SqlName[]): SqlName[] {
  const objects = names.filter(({ role }) => role !== 'column');
  if (CHANGES_ALL.test(kind)) return objects;
  return objects.slice(0, kind === 'CREATE TRIGGER' || kind === 'CREATE INDEX' ? 2 : 1);
}

/** The database in front of a name, or undefined where there is none. */
export function qualifierOf(name: SqlName): string | undefined {
  return hasDatabase(name) ? name.parts[0]?.name : undefined;
}
