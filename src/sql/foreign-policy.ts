/**
 * Decides, statement by statement, what of another tool's dump is run. A load may fill the target
 * database and touch nothing else: no other database, no account, nothing of the server.
 */
import { applyEdits, isSameName, quotedNameBytes } from './ddl-text.js';
import {
  databaseNamed,
  databaseToken,
  firstTokens,
  qualifierOf,
  statementNames,
  targetNames,
} from './foreign-targets.js';
import type { SplitStatement } from './statement-splitter.js';
import { Tokenizer, keywordOf, latin1Text } from './tokenizer.js';

export interface ForeignLoadContext {
  /** The database that the dump was made of: its name in the dump means the target. */
  readonly sourceDatabase?: string;
  readonly targetDatabase: string;
  /** The target server's lower_case_table_names; default 0. */
  readonly lowerCaseTableNames?: number;
}

export type LoadDecision =
  /** `text` is the statement, with the source's name replaced by the target's where it stood. */
  | { readonly action: 'run'; readonly text: Buffer }
  /** Not needed here, or not ours to do; the load is complete without it. */
  | { readonly action: 'skip'; readonly reason: string }
  /** The load cannot go on. */
  | { readonly action: 'refuse'; readonly reason: string };

type Verdict = LoadDecision['action'];

/** Kinds decided by their name alone. The first matching line counts. */
const RULES: readonly (readonly [RegExp, Verdict, string])[] = [
  [/^CLIENT (\\C|CHARSET|STATUS|WARNINGS|NOWARNING|NOTEE|NOPAGER)$/, 'skip', 'is for the client'],
  [/^CLIENT /, 'refuse', 'is a command of the mysql client, not SQL'],
  [/^(CREATE|ALTER|DROP|RENAME) (USER|ROLE)$/, 'skip', 'is about accounts'],
  [/^(GRANT|REVOKE|SET PASSWORD|SET ROLE|SET DEFAULT)$/, 'skip', 'is about accounts'],
  [
    /^(CHANGE|START|STOP|RESET) (MASTER|REPLICATION|SLAVE|REPLICA|ALL|GROUP_REPLICATION)$/,
    'skip',
    'is about replication',
  ],
  [/^(RESET|PURGE) /, 'skip', 'is about the whole server'],
  [/^(FLUSH|INSTALL|UNINSTALL)\b/, 'skip', 'is about the whole server'],
  [
    /^(CREATE|ALTER|DROP) (SERVER|TABLESPACE|LOGFILE|INSTANCE|RESOURCE GROUP|SPATIAL REFERENCE SYSTEM)$/,
    'skip',
    'is about the whole server',
  ],
  [/^(SET RESOURCE|ALTER INSTANCE)$/, 'skip', 'is about the whole server'],
  [/^(LOCK|UNLOCK) (TABLES|INSTANCE)$/, 'skip', 'is not needed: nobody else uses the target'],
  [
    /^(ANALYZE|CHECK|CHECKSUM|OPTIMIZE|SHOW|HELP|EXPLAIN|DESCRIBE|DESC)$/,
    'skip',
    'changes nothing',
  ],
  [/^(SHUTDOWN|RESTART|KILL|CLONE|CACHE)$/, 'refuse', 'acts on the whole server'],
  [/^LOAD /, 'refuse', 'reads a file outside the dump'],
  [/^IMPORT /, 'refuse', 'reads files outside the dump'],
  [
    /^(BINLOG|CALL|EXECUTE|PREPARE|XA\b.*)$/,
    'refuse',
    'may change anything, which its text does not show',
  ],
];

/** Session variables that belong to replication or need a privilege that a load does not. */
const SERVER_VARIABLES: ReadonlySet<string> = new Set([
  'gtid_next',
  'gtid_purged',
  'pseudo_slave_mode',
  'sql_log_bin',
]);

/** Statements that cannot leave the current database and name none. */
const SESSION_KINDS: ReadonlySet<string> = new Set([
  'BEGIN',
  'COMMIT',
  'DEALLOCATE',
  'RELEASE',
  'ROLLBACK',
  'SAVEPOINT',
  'SET TRANSACTION',
  'START TRANSACTION',
]);

/** Statements that make, change or fill objects. */
const OBJECT_KINDS =
  /^((CREATE|ALTER|DROP) (TABLE|VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|INDEX|SEQUENCE|PACKAGE|PACKAGE BODY|LIBRARY)|INSERT|REPLACE|UPDATE|DELETE|TRUNCATE TABLE|RENAME TABLE|DO|SELECT|WITH|\(|SET STATEMENT)$/;

/** Of these only `SELECT SETVAL(sequence, …)` has anything to do with a load. */
const READS = /^(SELECT|WITH|\()$/;
const READ_BYTES = 4096;

export function isClientKind(kind: string): boolean {
  return kind.startsWith('CLIENT ');
}

/**
 * What to do with one statement of a foreign dump. Statements that name the source database run with
 * the target's name in its place; those that would change another database, and kinds that are not
 * known, are refused.
 */
export function classifyForForeignLoad(
  statement: SplitStatement,
  context: ForeignLoadContext,
): LoadDecision {
  const { kind, clientCommand } = statement;
  if (clientCommand !== undefined && !isClientKind(kind)) {
    return refuse(statement, `holds ${clientCommand}, a command of the mysql client`);
  }
  for (const [pattern, action, reason] of RULES) {
    if (!pattern.test(kind)) continue;
    return action === 'refuse' ? refuse(statement, reason) : skip(statement, reason);
  }
  if (kind === 'USE' || kind.endsWith(' DATABASE')) return decideDatabase(statement, context);
  if (kind === 'SET') return decideSet(statement);
  if (SESSION_KINDS.has(kind)) return { action: 'run', text: statement.text };
  if (READS.test(kind) && !/\bSETVAL\b/i.test(statement.text.toString('latin1', 0, READ_BYTES))) {
    return skip(statement, 'changes nothing');
  }
  if (OBJECT_KINDS.test(kind)) return decideObject(statement, context);
  if (kind === '') return skip(statement, 'is empty');
  return refuse(statement, 'is of a kind that dumps do not hold');
}

function skip(statement: SplitStatement, reason: string): LoadDecision {
  return { action: 'skip', reason: describe(statement, reason) };
}

function refuse(statement: SplitStatement, reason: string): LoadDecision {
  return { action: 'refuse', reason: describe(statement, reason) };
}

function describe({ kind, line }: SplitStatement, reason: string): string {
  return `${kind.replace(/^CLIENT /, '')} in line ${line} ${reason}`;
}

/** Whether a name in the dump means the target. */
function isOurs(name: string, context: ForeignLoadContext): boolean {
  const { sourceDatabase, targetDatabase } = context;
  return isSameName(name, sourceDatabase ?? targetDatabase, context);
}

function decideDatabase(statement: SplitStatement, context: ForeignLoadContext): LoadDecision {
  const { kind, lex, text } = statement;
  const name = databaseNamed(statement);
  if (name !== undefined && !isOurs(name, context)) {
    return refuse(statement, `is about another database: ${name}`);
  }
  if (kind !== 'ALTER DATABASE') return skip(statement, 'is not needed: the target is in use');
  // mysqldump sets the collation around objects that were made under another one.
  const token = databaseToken(statement);
  if (token === undefined) return { action: 'run', text };
  const replacement = quotedNameBytes(context.targetDatabase, lex.charset);
  return { action: 'run', text: applyEdits(text, [{ ...token, replacement }]) };
}

function decideSet(statement: SplitStatement): LoadDecision {
  const { text, lex } = statement;
  const tokenizer = new Tokenizer(text, lex);
  let expectsTarget = false;
  for (let token = tokenizer.nextSignificant(); token; token = tokenizer.nextSignificant()) {
    const word = keywordOf(text, token);
    const raw = latin1Text(text, token).replaceAll('`', '').toLowerCase();
    if (token.kind === 'word' && /^(GLOBAL|PERSIST|PERSIST_ONLY)$/.test(word)) {
      return skip(statement, 'changes the whole server');
    }
    const isTarget = expectsTarget && raw.startsWith('@@');
    if (isTarget && /^@@(global|persist|persist_only)\./.test(raw)) {
      return skip(statement, 'changes the whole server');
    }
    const name = raw.replace(/^@@(session\.|local\.)?/, '');
    if (expectsTarget && SERVER_VARIABLES.has(name)) {
      return skip(statement, 'is about replication');
    }
    const isScope = word === 'SESSION' || word === 'LOCAL';
    expectsTarget = word === 'SET' || raw === ',' || (expectsTarget && isScope);
  }
  return { action: 'run', text };
}

function decideObject(statement: SplitStatement, context: ForeignLoadContext): LoadDecision {
  const { kind, lex, text } = statement;
  if (kind === 'CREATE FUNCTION' && isLoadable(statement)) {
    return refuse(statement, 'loads a library into the server');
  }
  const names = statementNames(statement);
  const others = targetNames(kind, names)
    .map(qualifierOf)
    .filter((name) => name !== undefined && !isOurs(name, context));
  if (others[0] !== undefined) {
    return refuse(statement, `would change another database: ${others[0]}`);
  }
  const { sourceDatabase = '', targetDatabase } = context;
  if (sourceDatabase === '' || sourceDatabase === targetDatabase) return { action: 'run', text };
  const own = names.filter((name) => isSameName(qualifierOf(name) ?? '', sourceDatabase, context));
  if (own.length === 0) return { action: 'run', text };
  const replacement = quotedNameBytes(targetDatabase, lex.charset);
  const edits = own.flatMap(({ parts: [part] }) =>
    part === undefined ? [] : [{ start: part.start, end: part.end, replacement }],
  );
  return { action: 'run', text: applyEdits(text, edits) };
}

/** `CREATE FUNCTION f RETURNS INTEGER SONAME 'library.so'`. */
function isLoadable(statement: SplitStatement): boolean {
  const { text } = statement;
  const words = firstTokens(statement, 16).map((token) => keywordOf(text, token));
  return words.includes('SONAME');
}

/**
 * {@link classifyForForeignLoad} for a dump of several databases: everything between USE of another
 * database and the next USE of the source is skipped. Needs the source's name.
 */
export class ForeignLoadPolicy {
  readonly #context: ForeignLoadContext & { readonly sourceDatabase: string };
  /** The other database in use. */
  #other: string | undefined;

  constructor(context: ForeignLoadContext & { readonly sourceDatabase: string }) {
    this.#context = context;
  }

  decide(statement: SplitStatement): LoadDecision {
    const named = /^(USE|.* DATABASE)$/.test(statement.kind) ? databaseNamed(statement) : undefined;
    const isOther = named !== undefined && !isOurs(named, this.#context);
    if (statement.kind === 'USE') this.#other = isOther ? named : undefined;
    if (isOther) return skip(statement, `is about another database: ${named}`);
    const isSession = statement.kind === 'SET' || SESSION_KINDS.has(statement.kind);
    if (this.#other !== undefined && !isSession) {
      return skip(statement, `is about another database: ${this.#other}`);
    }
    return classifyForForeignLoad(statement, this.#context);
  }
}
