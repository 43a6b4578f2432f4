/** The database that a backup is loaded into: what is in it, and how it is made anew. */
import { ReshelveError } from '../../errors.js';
import { readDatabaseDefaults } from '../../mysql/database-defaults.js';
import { listCallables } from '../../mysql/object-names.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { defaultsClause, hasDefaults, withoutEncryption } from '../../sql/database-defaults.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier, quoteString } from '../../sql/quote.js';
import { inParallel } from './load-archive.js';

export interface DatabaseState {
  readonly exists: boolean;
  /** Undefined where it does not exist. */
  readonly defaults: DatabaseDefaults | undefined;
  /** Tables, views and sequences in it. */
  readonly tables: readonly string[];
}

export async function lookAtDatabase(session: Session, database: string): Promise<DatabaseState> {
  const defaults = await readDatabaseDefaults(session, database);
  const records = await session.records(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteString(database)} ORDER BY TABLE_NAME`,
  );
  return {
    exists: defaults !== undefined,
    defaults,
    tables: records.map((record) => record['name'] ?? ''),
  };
}

/** `table book`, `procedure lend`, …: all that is in it, as far as this user sees it. */
export async function contentOf(session: Session, database: string): Promise<string[]> {
  const name = quoteString(database);
  const records = await session.records(
    `SELECT LOWER(REPLACE(TABLE_TYPE, 'BASE ', '')) AS type, TABLE_NAME AS name
       FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${name}
     UNION ALL SELECT 'event', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${name}`,
  );
  const callables = await listCallables(session, database);
  return [
    ...records.map((record) => `${record['type'] ?? ''} ${record['name'] ?? ''}`),
    ...callables.map((callable) => `${callable.type} ${callable.name}`),
  ];
}

/**
 * Gives false where this user may not set the default encryption that is asked for
 * (recovery-encryption.ts): the database has the server's then.
 */
export async function createDatabase(
  session: Session,
  database: string,
  defaults: DatabaseDefaults | undefined,
): Promise<boolean> {
  return runWithDefaults(session, `CREATE DATABASE ${quoteIdentifier(database)}`, defaults);
}

async function runWithDefaults(
  session: Session,
  statement: string,
  defaults: DatabaseDefaults | undefined,
): Promise<boolean> {
  const clause = defaults === undefined ? '' : ` ${defaultsClause(defaults)}`;
  try {
    await session.execute(statement + clause);
    return true;
  } catch (error) {
    if (defaults?.defaultEncryption === undefined) throw error;
    if (!isServerError(error, ERRNO.databaseEncryption)) throw error;
    const others = defaultsClause(withoutEncryption(defaults));
    await session.execute(`${statement} ${others}`);
    return false;
  }
}

/** Makes it, or takes the one that is there and holds nothing. Throws DATABASE_IN_USE. */
export async function prepareDatabase(
  session: Session,
  database: string,
  defaults: DatabaseDefaults | undefined,
): Promise<void> {
  const state = await lookAtDatabase(session, database);
  if (!state.exists) {
    await createDatabase(session, database, defaults);
    return;
  }
  const [first] = await contentOf(session, database);
  if (first !== undefined) {
    throw new ReshelveError(
      'DATABASE_IN_USE',
      `somebody has made ${first} in ${database} just now`,
    );
  }
  if (defaults !== undefined) await setDatabaseDefaults(session, database, defaults);
}

/** So many tables in one statement: few commits, and something left for the other sessions. */
const TABLES_PER_DROP = 50;

/**
 * Drops the tables of a database but `kept`, with all sessions: DROP DATABASE does one file after the
 * other. What the server refuses is left to the DROP DATABASE that must follow.
 */
export async function dropTables(
  sessions: readonly Session[],
  database: string,
  kept: string,
): Promise<void> {
  const [control] = sessions;
  if (control === undefined) return;
  const records = await control.records(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteString(database)} AND TABLE_TYPE = 'BASE TABLE'`,
  );
  const names = records.map((record) => record['name'] ?? '').filter((name) => name !== kept);
  const statements: string[] = [];
  for (let at = 0; at < names.length; at += TABLES_PER_DROP) {
    const list = names
      .slice(at, at + TABLES_PER_DROP)
      .map((name) => `${quoteIdentifier(database)}.${quoteIdentifier(name)}`);
    statements.push(`DROP TABLE IF EXISTS ${list.join(', ')}`);
  }
  for (const session of sessions) await session.execute('SET SESSION foreign_key_checks = 0');
  await inParallel(sessions, statements, async (session, statement) => {
    try {
      await session.executeLong(statement);
    } catch (error) {
      if (!isServerError(error)) throw error;
    }
  });
}

/** Changes nothing where they are so already. */
export async function setDatabaseDefaults(
  session: Session,
  database: string,
  wanted: DatabaseDefaults,
): Promise<void> {
  const defaults = await readDatabaseDefaults(session, database);
  if (defaults !== undefined && hasDefaults(defaults, wanted)) return;
  await runWithDefaults(session, `ALTER DATABASE ${quoteIdentifier(database)}`, wanted);
}

export async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.executeLong(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)}`);
}
