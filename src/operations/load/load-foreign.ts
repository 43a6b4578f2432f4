/**
 * Loads a dump of another tool, statement by statement on one connection. It is read twice: first
 * to its end without a server, so that a dump that is cut off, or that would leave the target
 * database, is refused before anything is touched.
 */
import { ReshelveError } from '../../errors.js';
import { listTables } from '../../mysql/schema-tables.js';
import { isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { LOAD_SESSION } from '../../sql/archive-text.js';
import { setEventStatus } from '../../sql/ddl-event.js';
import { ForeignLoadPolicy, classifyForForeignLoad, inspectDump } from '../../sql/foreign-dump.js';
import type { DumpInspector, LoadDecision } from '../../sql/foreign-dump.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import type { Context } from '../context.js';
import type { DumpFile } from './foreign-statements.js';
import { readStatements } from './foreign-statements.js';

/** InnoDB counts by reading. */
const COUNT_TIMEOUT_MS = 6 * 3600 * 1000;

export interface ForeignDump extends DumpFile {
  /** The database that the dump says it is of. */
  readonly sourceDatabase: string | undefined;
  /** What made it, for the user. */
  readonly tool: string;
}

export interface ForeignLoad {
  readonly context: Context;
  readonly dump: ForeignDump;
  readonly database: string;
  readonly open: () => Promise<Session>;
  readonly withoutBinlog: boolean;
  /** Test copies must not run events. */
  readonly disableEvents: boolean;
}

export interface ForeignLoaded {
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
}

/** Reads the whole file and refuses it where it is not complete or not only of one database. */
export async function examineDump(
  context: Pick<Context, 'output' | 'signal'>,
  file: DumpFile,
  database: string,
  observe: (statement: SplitStatement) => void = () => undefined,
): Promise<ForeignDump> {
  const inspection = inspectDump();
  for await (const statement of readStatements(context, file, 'Checking the dump', inspection)) {
    observe(statement);
    const decision = decide(inspection, statement, database);
    if (decision.action === 'refuse') throw refused(file, decision.reason);
  }
  const problem = inspection.finish();
  if (problem !== undefined)
    throw new ReshelveError('DUMP_INCOMPLETE', `${file.shown}: ${problem}`);
  const { tool } = inspection.origin;
  return { ...file, sourceDatabase: inspection.sourceDatabase, tool };
}

function refused(file: DumpFile, reason: string): ReshelveError {
  return new ReshelveError('UNSUPPORTED', `${file.shown}: ${reason}`, {
    hint: 'Nothing was changed. Load the dump with the client of its own tool if you mean it.',
  });
}

function decide(
  inspection: DumpInspector,
  statement: SplitStatement,
  targetDatabase: string,
): LoadDecision {
  const { sourceDatabase } = inspection;
  return classifyForForeignLoad(statement, {
    targetDatabase,
    ...(sourceDatabase === undefined ? {} : { sourceDatabase }),
  });
}

export async function loadForeign(load: ForeignLoad): Promise<ForeignLoaded> {
  const session = await load.open();
  try {
    if (load.withoutBinlog) await executeIfAllowed(session, 'SET SESSION sql_log_bin = 0');
    for (const statement of LOAD_SESSION) await session.execute(statement);
    await runStatements(load, session);
    return await countRows(load.database, session);
  } finally {
    await session.close();
  }
}

async function runStatements(load: ForeignLoad, session: Session): Promise<void> {
  const { context, dump, database } = load;
  const { sourceDatabase } = dump;
  const policy =
    sourceDatabase === undefined
      ? undefined
      : new ForeignLoadPolicy({ sourceDatabase, targetDatabase: database });
  const inspection = inspectDump();
  for await (const statement of readStatements(context, dump, 'Restoring', inspection)) {
    const decision = policy?.decide(statement) ?? decide(inspection, statement, database);
    if (decision.action === 'refuse') throw refused(dump, decision.reason);
    if (decision.action === 'skip') continue;
    try {
      await session.executeLong(finalText(load, statement, decision.text));
    } catch (error) {
      throw inLine(error, dump, statement);
    }
  }
}

function finalText(load: ForeignLoad, statement: SplitStatement, text: Buffer): Buffer {
  if (!load.disableEvents || statement.kind !== 'CREATE EVENT') return text;
  return setEventStatus(text, 'DISABLE', { lex: statement.lex });
}

function inLine(error: unknown, dump: DumpFile, statement: SplitStatement): unknown {
  if (!(error instanceof ReshelveError)) return error;
  return new ReshelveError(
    error.code,
    `${dump.shown}, line ${statement.line} (${statement.kind}): ${error.message}`,
    { hint: error.hint, cause: error },
  );
}

async function executeIfAllowed(session: Session, statement: string): Promise<void> {
  try {
    await session.execute(statement);
  } catch (error) {
    if (!isServerError(error)) throw error;
  }
}

/** Counts by reading, table by table. */
export async function countRows(database: string, session: Session): Promise<ForeignLoaded> {
  const { tables } = await listTables(session, database);
  const counts: { name: string; rows: number }[] = [];
  let rows = 0;
  for (const { name } of tables) {
    const table = `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;
    const count = Number(
      await session.value(`SELECT COUNT(*) FROM ${table}`, { timeoutMs: COUNT_TIMEOUT_MS }),
    );
    counts.push({ name, rows: count });
    rows += count;
  }
  return { rows, tables: counts };
}
