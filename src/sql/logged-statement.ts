/**
 * Decides what becomes of a statement in the binary log in a backup of one database: it is replayed
 * (perhaps cut down to what concerns that database), passed over, or ends the chain because its effect
 * cannot be told from the log. It works on tokens, so names in strings and comments never count.
 */
import {
  hasDatabase,
  stripDatabaseQualifiers,
  stripTriggerHeaderDatabase,
} from './ddl-qualifiers.js';
import { sqlNames } from './ddl-names.js';
import { applyEdits } from './ddl-text.js';
import { quoteIdentifier } from './quote.js';
import { belongs, endChain, isOurs, SKIP } from './logged-statement-scope.js';
import type {
  LoggedStatement,
  ReplayScope,
  StatementClass,
  Verdict,
} from './logged-statement-scope.js';
import type { StatementTokens, TargetName } from './logged-statement-tokens.js';
import { readTokens } from './logged-statement-tokens.js';
import { classifyDatabase, classifyDrop, classifyRename } from './logged-statement-lists.js';

/** First words of statements that change no rows and no definitions of a database. */
const ADMINISTRATION: ReadonlySet<string> = new Set([
  'ANALYZE',
  'BINLOG',
  'CACHE',
  'CHECK',
  'FLUSH',
  'GRANT',
  'INSTALL',
  'OPTIMIZE',
  'PURGE',
  'REPAIR',
  'REVOKE',
  'SET',
  'UNINSTALL',
]);

/** What CREATE, ALTER, DROP and RENAME may name that is of the whole server. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  'INSTANCE',
  'LOGFILE',
  'RESOURCE',
  'ROLE',
  'SERVER',
  'SPATIAL',
  'TABLESPACE',
  'UNDO',
  'USER',
]);

const OBJECTS: ReadonlySet<string> = new Set([
  'EVENT',
  'FUNCTION',
  'LIBRARY',
  'PACKAGE',
  'PROCEDURE',
  'SEQUENCE',
  'TRIGGER',
  'VIEW',
]);

/** Objects whose own names are looked up in their own database, whatever the session's is. */
const RESOLVE_IN_THEIR_DATABASE: ReadonlySet<string> = new Set([
  'EVENT',
  'FUNCTION',
  'LIBRARY',
  'PACKAGE',
  'PROCEDURE',
  'SEQUENCE',
  'TRIGGER',
]);

const CHANGES_ROWS: ReadonlySet<string> = new Set([
  'CALL',
  'DELETE',
  'DO',
  'INSERT',
  'REPLACE',
  'SELECT',
  'UPDATE',
  'WITH',
]);

export function judgeStatement(logged: LoggedStatement, scope: ReplayScope): Verdict {
  const tokens = readTokens(logged.text, scope);
  const verb = tokens.takeWord();
  if (ADMINISTRATION.has(verb)) return SKIP;
  if (verb === 'TRUNCATE') return judgeTruncate(tokens, logged, scope);
  if (verb === 'RENAME') {
    const kind = tokens.takeWord();
    return kind === 'USER' ? SKIP : classifyRename(tokens, logged, scope);
  }
  if (verb === 'CREATE' || verb === 'ALTER' || verb === 'DROP') {
    return judgeDefinition(verb, tokens, logged, scope);
  }
  if (CHANGES_ROWS.has(verb)) return judgeRows(verb, logged, scope);
  if (!mayConcern(logged, scope)) return SKIP;
  return endChain(`a statement ${verb === '' ? 'without a verb' : verb} is logged as text`);
}

/** Whether the database is named, is the default, or is among those that the server noted. */
function mayConcern(logged: LoggedStatement, scope: ReplayScope): boolean {
  if (logged.updatedDatabases !== undefined) return notesOurs(logged.updatedDatabases, scope);
  return isOurs(logged.defaultDatabase, scope) || namesOurs(logged.text, scope);
}

function notesOurs(databases: readonly string[], scope: ReplayScope): boolean {
  return databases.some((database) => isOurs(database, scope));
}

function namesOurs(text: Buffer, scope: ReplayScope): boolean {
  return sqlNames(text, scope).some(
    (name) => hasDatabase(name) && isOurs(name.parts[0]?.name ?? '', scope),
  );
}

function judgeTruncate(
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  tokens.skipWords('TABLE');
  const target = tokens.takeName();
  if (target === undefined || !belongs(target, logged, scope)) return SKIP;
  return replay(logged, scope, 'truncate', [target.name]);
}

function replay(
  logged: LoggedStatement,
  scope: ReplayScope,
  ddl: StatementClass,
  tables: readonly string[],
): Verdict {
  const text = stripDatabaseQualifiers(logged.text, scope.database, scope);
  return { action: 'replay', statements: [text], ddl, tables };
}

function judgeDefinition(
  verb: 'CREATE' | 'ALTER' | 'DROP',
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  const { kind, isTemporary } = tokens.takeKind();
  if (OF_THE_SERVER.has(kind)) return SKIP;
  if (kind === 'DATABASE' || kind === 'SCHEMA') {
    return classifyDatabase(verb, tokens, logged, scope);
  }
  if (kind === 'TABLE' || kind === 'TABLES') {
    return judgeTable(verb, isTemporary, tokens, logged, scope);
  }
  if (kind === 'INDEX') return judgeIndex(tokens, logged, scope);
  if (OBJECTS.has(kind)) return judgeObject(verb, kind, tokens, logged, scope);
  if (!mayConcern(logged, scope)) return SKIP;
  return endChain(`a statement ${verb} ${kind} is not known`);
}

function judgeTable(
  verb: 'CREATE' | 'ALTER' | 'DROP',
  isTemporary: boolean,
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  if (verb === 'DROP') return isTemporary ? SKIP : classifyDrop('TABLE', tokens, logged, scope);
  tokens.skipWords('IF', 'NOT', 'EXISTS');
  const target = tokens.takeName();
  if (target === undefined || !belongs(target, logged, scope))
    return judgeMovedIn(tokens, logged, scope);
  const shown = `table ${target.name}`;
  if (isTemporary) return endChain(`temporary ${shown} is logged as statements`);
  const foreign = foreignSource(verb, tokens, logged, scope);
  if (foreign !== undefined) return endChain(`${shown} ${foreign}`);
  if (verb === 'ALTER') return judgeAlter(target, tokens, logged, scope);
  return replay(logged, scope, 'create', [target.name]);
}

/** A table that leaves is dropped here; `RENAME [AS] name` is not seen as a name of a table elsewhere. */
function judgeAlter(
  target: TargetName,
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  const moved = tokens.findRenameTarget();
  if (moved === undefined) return replay(logged, scope, 'alter', [target.name]);
  if (!belongs(moved, logged, scope)) {
    const drop = Buffer.from(`DROP TABLE ${quoteIdentifier(target.name)}`);
    const tables = [target.name];
    return { action: 'replay', statements: [drop], isRebuilt: true, ddl: 'rename', tables };
  }
  const { start, nameStart } = moved;
  const edits = [{ start, end: nameStart, replacement: Buffer.alloc(0) }];
  const text = applyEdits(logged.text, edits);
  return replay({ ...logged, text }, scope, 'alter', [target.name, moved.name]);
}

/** ALTER TABLE of another database may rename its table into ours. */
function judgeMovedIn(
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  const moved = tokens.findRenameTarget();
  if (moved !== undefined && belongs(moved, logged, scope)) {
    return endChain(`table ${moved.name} came in from another database by ALTER TABLE … RENAME`);
  }
  return tokens.hasWords('EXCHANGE', 'PARTITION') && mayConcern(logged, scope)
    ? endChain('a partition was exchanged between databases')
    : SKIP;
}

/** Why the rows of a table cannot be told from the log; undefined where they can. */
function foreignSource(
  verb: 'CREATE' | 'ALTER',
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): string | undefined {
  if (verb === 'ALTER') {
    if (tokens.hasWords('DISCARD') && tokens.hasWords('TABLESPACE')) return 'lost its tablespace';
    if (tokens.hasWords('IMPORT') && tokens.hasWords('TABLESPACE')) return 'imported a tablespace';
    if (!tokens.hasWords('EXCHANGE', 'PARTITION')) return undefined;
    const other = tokens.nameAfter('WITH', 'TABLE');
    if (other !== undefined && belongs(other, logged, scope)) return undefined;
    return 'exchanged a partition with a table of another database';
  }
  const like = tokens.findCreateLike();
  if (like !== undefined && !belongs(like, logged, scope)) {
    return 'was made LIKE a table of another database';
  }
  if (!tokens.hasWords('SELECT')) return undefined;
  const isAllOurs = relationsOf(logged, scope).every((name) => name === 'ours');
  return isAllOurs ? undefined : 'was made from a SELECT of other databases';
}

/** For each relation named in the statement, whose it is. */
function relationsOf(logged: LoggedStatement, scope: ReplayScope): ('ours' | 'foreign')[] {
  return sqlNames(logged.text, scope)
    .filter(({ role }) => role === 'relation')
    .map(({ parts }) => {
      const database = parts.length > 1 ? (parts[0]?.name ?? '') : logged.defaultDatabase;
      return isOurs(database, scope) ? 'ours' : 'foreign';
    });
}

function judgeIndex(tokens: StatementTokens, logged: LoggedStatement, scope: ReplayScope): Verdict {
  const table = tokens.nameAfter('ON');
  if (table === undefined || !belongs(table, logged, scope)) return SKIP;
  return replay(logged, scope, 'alter', [table.name]);
}

function judgeObject(
  verb: 'CREATE' | 'ALTER' | 'DROP',
  kind: string,
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  if (kind === 'FUNCTION' && tokens.hasWords('SONAME')) return SKIP;
  if (kind === 'PACKAGE') tokens.skipWords('BODY');
  if (verb === 'DROP' && (kind === 'VIEW' || kind === 'SEQUENCE')) {
    return classifyDrop(kind, tokens, logged, scope);
  }
  tokens.skipWords('IF', 'NOT', 'EXISTS');
  const target = tokens.takeName();
  if (target === undefined || !belongs(target, logged, scope)) return SKIP;
  const isHome = isOurs(logged.defaultDatabase, scope);
  if (!isHome && verb !== 'DROP' && !RESOLVE_IN_THEIR_DATABASE.has(kind)) {
    const unqualified = sqlNames(logged.text, scope).some(
      ({ parts, role }) => (role === 'relation' || role === 'function') && parts.length === 1,
    );
    if (unqualified) return endChain(`view ${target.name} was made from within another database`);
  }
  if (kind === 'VIEW' || kind === 'SEQUENCE') return replay(logged, scope, 'object', [target.name]);
  const text = stripObjectName(kind, target, logged, scope);
  return { action: 'replay', statements: [text], ddl: 'object', tables: [target.name] };
}

/** Bodies stay byte for byte; only the header loses the database's name. */
function stripObjectName(
  kind: string,
  target: TargetName,
  logged: LoggedStatement,
  scope: ReplayScope,
): Buffer {
  const { text } = logged;
  if (kind === 'TRIGGER') return stripTriggerHeaderDatabase(text, scope.database, scope);
  if (target.database === undefined) return text;
  return Buffer.concat([text.subarray(0, target.start), text.subarray(target.nameStart)]);
}

/** Changes of rows logged as text (binlog_format STATEMENT or MIXED). */
function judgeRows(verb: string, logged: LoggedStatement, scope: ReplayScope): Verdict {
  const noted = logged.updatedDatabases;
  if (noted !== undefined && !notesOurs(noted, scope)) return SKIP;
  const relations = relationsOf(logged, scope);
  const touchesOurs = noted !== undefined || relations.includes('ours');
  const isHome = isOurs(logged.defaultDatabase, scope);
  // Without a relation (CALL, DO, SELECT f()) only the default database tells.
  if (!touchesOurs && !(relations.length === 0 && isHome)) return SKIP;
  const isNotedAlone = noted === undefined || noted.every((database) => isOurs(database, scope));
  if (!isNotedAlone || relations.includes('foreign') || !isHome) {
    return endChain(`a statement ${verb} across databases is logged as text (binlog_format)`);
  }
  const text = stripDatabaseQualifiers(logged.text, scope.database, scope);
  return { action: 'replay', statements: [text], tables: changedTables(logged, scope) };
}

function changedTables(logged: LoggedStatement, scope: ReplayScope): string[] {
  const first = sqlNames(logged.text, scope).find(({ role }) => role === 'relation');
  const name = first?.parts.at(-1)?.name;
  return name === undefined ? [] : [name];
}
