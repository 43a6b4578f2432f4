/** Statements in the log: what becomes of them, and the session that they need. */
import { judgeStatement } from '../sql/logged-statement.js';
import type { ReplayScope, Verdict } from '../sql/logged-statement-scope.js';
import { endChain, SKIP } from '../sql/logged-statement-scope.js';
import { decodeText } from '../sql/tokenizer-charset.js';
import type { LogEvent } from './event.js';
import type { QueryEvent, StatementSession } from './query-event.js';
import { FieldReader } from './reader.js';
import type { CollationNames, SessionState } from './session-state.js';
import { UTF8MB4_CLIENT } from './session-state.js';
import { variableStatement } from './statement-variables.js';
import type { Transaction } from './transaction.js';

const MODE_ANSI_QUOTES = 4n;
const MODE_NO_BACKSLASH_ESCAPES = 1n << 20n;

/** Character sets of clients in which the `mysql` program would take a byte for a backslash. */
const AMBIGUOUS_CHARSETS: ReadonlySet<string> = new Set([
  'sjis',
  'cp932',
  'gbk',
  'big5',
  'gb18030',
]);

const START_TRANSACTION = /\s+START\s+TRANSACTION\s*$/i;

export class LoggedQueries {
  readonly #scope: ReplayScope;
  readonly #state: SessionState;
  readonly #collations: CollationNames;
  #variables: string[] = [];

  constructor(scope: ReplayScope, state: SessionState, collations: CollationNames) {
    this.#scope = scope;
    this.#state = state;
    this.#collations = collations;
  }

  /** Keeps INTVAR, RAND and USER_VAR for the statement behind them; false for any other event. */
  takeVariable(event: LogEvent): boolean {
    const statement = variableStatement(event, this.#collations);
    if (statement === undefined) return false;
    this.#variables.push(statement);
    return true;
  }

  /** Writes what is ours of the statement; gives the reason where the chain must end before it. */
  take(query: QueryEvent, timestamp: number, transaction: Transaction): string | undefined {
    const variables = this.#variables;
    this.#variables = [];
    const verdict = this.#judge(query);
    if (verdict.action === 'skip') return undefined;
    if (verdict.action === 'end') return verdict.reason;
    const charset = this.#charsetOf(query.session);
    const { ddl, tables } = verdict;
    for (const text of verdict.statements) {
      const isUtf8 = verdict.isRebuilt === true;
      const written = isUtf8 ? { text, isUtf8 } : unambiguous(text, charset);
      const session = written.isUtf8 ? inUtf8(query.session) : query.session;
      const settings = this.#state.changes(session, timestamp);
      if (ddl === undefined) {
        transaction.addStatement([...settings, ...variables], written.text, tables);
      } else {
        transaction.addDefinition(settings, withoutStart(written.text, ddl), ddl, tables);
      }
    }
    return undefined;
  }

  #judge(query: QueryEvent): Verdict {
    const { updatedDatabases, session, errorCode } = query;
    const mode = session.sqlMode ?? 0n;
    const charset = this.#charsetOf(session);
    const scope: ReplayScope = {
      ...this.#scope,
      lex: {
        ansiQuotes: (mode & MODE_ANSI_QUOTES) !== 0n,
        noBackslashEscapes: (mode & MODE_NO_BACKSLASH_ESCAPES) !== 0n,
        ...(charset !== undefined && { charset }),
      },
    };
    const logged = {
      text: query.text,
      defaultDatabase: query.database,
      ...(updatedDatabases !== undefined && { updatedDatabases }),
    };
    const verdict = judgeStatement(logged, scope);
    if (errorCode === 0 || verdict.action !== 'replay') return verdict;
    return afterFailure(verdict, errorCode);
  }

  #charsetOf(session: StatementSession): string | undefined {
    return this.#collations.get(session.charsets?.[0] ?? -1)?.charset;
  }
}

/** DROP of a list fails where one is missing, and drops the others: so it does when replayed. */
function afterFailure(verdict: Verdict & { action: 'replay' }, errorCode: number): Verdict {
  const isDrop = verdict.isRebuilt === true && verdict.ddl !== 'rename';
  if (!isDrop) return endChain(`a statement failed half-way on the server (error ${errorCode})`);
  const statements = verdict.statements.map((text) =>
    Buffer.from(text.toString('utf8').replace(/^DROP (\w+) (?!IF EXISTS)/, 'DROP $1 IF EXISTS ')),
  );
  return { ...verdict, statements };
}

/** CREATE TABLE … SELECT is logged as a definition that opens the transaction of its rows. */
function withoutStart(text: Buffer, ddl: string): Buffer {
  if (ddl !== 'create') return text;
  const start = START_TRANSACTION.exec(text.toString('latin1', Math.max(0, text.length - 64)));
  return start === null ? text : text.subarray(0, text.length - start[0].length);
}

function inUtf8(session: StatementSession): StatementSession {
  if (session.charsets === undefined) return session;
  const [, connection, server] = session.charsets;
  return { ...session, charsets: [UTF8MB4_CLIENT, connection, server] };
}

function unambiguous(
  text: Buffer,
  charset: string | undefined,
): { readonly text: Buffer; readonly isUtf8: boolean } {
  if (charset === undefined || !AMBIGUOUS_CHARSETS.has(charset)) return { text, isUtf8: false };
  const decoded = decodeText(text, charset);
  return decoded.includes('\ufffd')
    ? { text, isUtf8: false }
    : { text: Buffer.from(decoded), isUtf8: true };
}

/** LOAD DATA logged as a statement: the file that it read is in the log in blocks, not in SQL. */
export function judgeLoadQuery(event: LogEvent, scope: ReplayScope): Verdict {
  const reader = new FieldReader(event.bytes, 27);
  const databaseLength = reader.uint(1);
  reader.take(2);
  const variables = reader.uint(2);
  reader.take(13 + variables);
  const defaultDatabase = reader.take(databaseLength).toString('utf8');
  reader.take(1);
  const text = reader.rest();
  const isOurs = text.includes(scope.database) || defaultDatabase === scope.database;
  return isOurs ? endChain('LOAD DATA is logged as a statement (binlog_format)') : SKIP;
}
