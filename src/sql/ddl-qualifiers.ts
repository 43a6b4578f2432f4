/** Removes, renames and counts the database's name in front of the names in a definition. */
import { sqlNames } from './ddl-names.js';
import type { SqlName } from './ddl-names.js';
import { isNativeFunction } from './ddl-native-functions.js';
import { applyEdits, charsetOf, isSameName, lexOptions, quotedNameBytes } from './ddl-text.js';
import type { DdlOptions, Edit } from './ddl-text.js';
import { keywordOf, significantTokens } from './tokenizer.js';

/**
 * Whether a name's first part is a database: in front of a table or routine, or where three parts
 * leave no other meaning. `LibraryDB.id` in an expression is a column of a table or alias.
 */
export function hasDatabase({ parts, role }: SqlName): boolean {
  if (parts.length >= 3) return true;
  return parts.length === 2 && role !== 'column' && parts[1]?.name !== '*';
}

function namesIn(text: Uint8Array, database: string, options: DdlOptions): SqlName[] {
  return sqlNames(text, options).filter(
    (name) => hasDatabase(name) && isSameName(name.parts[0]?.name ?? '', database, options),
  );
}

/**
 * Removes `database` and its dot in front of tables, views and routines, and in front of columns
 * named in three parts. Strings and comments stay untouched (version comments are text). A name that
 * stood without quotes gets them, for after a dot even a reserved word needs none.
 *
 * A stored function that is called like one of the server's keeps its database, for without it the
 * other is meant; {@link findDatabaseReferences} of the result counts these.
 */
export function stripDatabaseQualifiers(
  text: Uint8Array,
  database: string,
  options: DdlOptions = {},
): Buffer {
  const names = namesIn(text, database, options).filter((name) => !needsDatabase(name));
  return applyEdits(text, names.flatMap(stripEdits));
}

function needsDatabase({ parts, role }: SqlName): boolean {
  return role === 'function' && isNativeFunction(parts[1]?.name ?? '');
}

const BACKTICK = Buffer.from('`');
const NOTHING = Buffer.alloc(0);

/** The edits that take the first part off one name. */
function stripEdits({ parts }: SqlName): Edit[] {
  const [database, rest] = parts;
  if (database === undefined || rest === undefined) return [];
  const opening = rest.isQuoted ? NOTHING : BACKTICK;
  const edits: Edit[] = [{ start: database.start, end: rest.start, replacement: opening }];
  if (!rest.isQuoted) edits.push({ start: rest.end, end: rest.end, replacement: BACKTICK });
  return edits;
}

/**
 * Replaces `from` by `to` (in backticks) wherever {@link stripDatabaseQualifiers} would remove it.
 * Throws ReshelveError UNSUPPORTED where `to` cannot be written in the text's character set.
 */
export function renameDatabaseQualifiers(
  text: Uint8Array,
  from: string,
  to: string,
  options: DdlOptions = {},
): Buffer {
  const names = namesIn(text, from, options);
  if (names.length === 0) return Buffer.from(text);
  const replacement = quotedNameBytes(to, charsetOf(options));
  const edits = names.flatMap(({ parts: [database] }) =>
    database === undefined ? [] : [{ start: database.start, end: database.end, replacement }],
  );
  return applyEdits(text, edits);
}

/** How many names in `text` are qualified with `database`. */
export function findDatabaseReferences(
  text: Uint8Array,
  database: string,
  options: DdlOptions = {},
): number {
  return namesIn(text, database, options).length;
}

/** The databases that names in `text` are qualified with, each once, in order of appearance. */
export function referencedDatabases(text: Uint8Array, options: DdlOptions = {}): string[] {
  const databases = sqlNames(text, options)
    .filter(hasDatabase)
    .map(({ parts }) => parts[0]?.name ?? '');
  return databases.filter(
    (name, at) => databases.findIndex((other) => isSameName(other, name, options)) === at,
  );
}

/**
 * Removes `database` in front of the trigger's and the table's name. Where the header ends (FOR EACH
 * ROW) the body begins, and it stays byte for byte; {@link findDatabaseReferences} counts what it
 * names.
 */
export function stripTriggerHeaderDatabase(
  text: Uint8Array,
  database: string,
  options: DdlOptions = {},
): Buffer {
  const end = headerEnd(text, options);
  const edits = sqlNames(text, options)
    .filter((name) => hasDatabase(name) && (name.parts[0]?.start ?? end) < end)
    .filter(({ parts }) => isSameName(parts[0]?.name ?? '', database, options))
    .flatMap(stripEdits);
  return applyEdits(text, edits);
}

function headerEnd(text: Uint8Array, options: DdlOptions): number {
  const tokens = significantTokens(text, lexOptions(options));
  const row = tokens.findIndex(
    (token, at) =>
      keywordOf(text, token) === 'ROW' &&
      keywordOf(text, tokens[at - 1]) === 'EACH' &&
      keywordOf(text, tokens[at - 2]) === 'FOR',
  );
  return tokens[row]?.end ?? 0;
}
