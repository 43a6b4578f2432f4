/**
 * The databases that an online recovery makes beside the live one. Each holds a table that says what
 * it is; one without it is somebody else's and is never touched.
 */
import type { SideRole } from '../../catalog/side-database.js';
import { sideDatabasesOf } from '../../catalog/side-database.js';
import { ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier, quoteString } from '../../sql/quote.js';
import { qualified } from './swap-plan.js';
import { createDatabase, dropDatabase, lookAtDatabase } from '../load/target-database.js';

/** A table of this name tells our databases from those that somebody needs. */
export const SIDE_MARK = '__reshelve_online__';

/** Makes it, or takes one that an interrupted run had made and that holds nothing but its mark. */
export async function makeSideDatabase(
  session: Session,
  name: string,
  purpose: string,
  defaults: DatabaseDefaults | undefined,
): Promise<void> {
  const state = await lookAtDatabase(session, name);
  if (!state.exists) await createDatabase(session, name, defaults);
  else if (state.tables.some((table) => table !== SIDE_MARK)) throw notOurs(name, state.tables);
  await session.execute(
    `CREATE TABLE IF NOT EXISTS ${qualified(name, SIDE_MARK)} (mark INT PRIMARY KEY)
     COMMENT = ${quoteString(purpose)}`,
  );
}

/** Drops it with all it holds, if it is ours and is there. */
export async function dropSideDatabase(session: Session, name: string): Promise<void> {
  const state = await lookAtDatabase(session, name);
  if (!state.exists) return;
  const isOurs = state.tables.length === 0 || state.tables.includes(SIDE_MARK);
  if (!isOurs) throw notOurs(name, state.tables);
  await session.execute('SET SESSION foreign_key_checks = 0');
  await dropDatabase(session, name);
  await session.execute('SET SESSION foreign_key_checks = 1');
}

/**
 * Those of the database and role that bear the mark, oldest first; and empty ones of such a name, which
 * a run made that was killed before it could mark them.
 */
export async function listSideDatabases(
  session: Session,
  database: string,
  role: SideRole,
): Promise<string[]> {
  const records = await session.records(
    `SELECT s.SCHEMA_NAME AS name FROM information_schema.SCHEMATA AS s
     LEFT JOIN information_schema.TABLES AS t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
     WHERE t.TABLE_NAME IS NULL OR t.TABLE_NAME = ${quoteString(SIDE_MARK)}`,
  );
  return sideDatabasesOf(
    records.map(({ name }) => name ?? ''),
    database,
    role,
  );
}

function notOurs(name: string, tables: readonly string[]): ReshelveError {
  return new ReshelveError(
    'CONFIRMATION',
    `database ${name} holds ${tables.length} tables that no online recovery put there`,
    {
      hint: `Look at it, and if nobody needs it run DROP DATABASE ${quoteIdentifier(name)}.`,
    },
  );
}
