/**
 * The database of a test restore: made for it, marked as ours, and dropped afterwards, also after a
 * failure and after Ctrl-C. One that we did not make is never touched.
 */
import type { ServerConfiguration } from '../../config/configuration.js';
import { ReshelveError } from '../../errors.js';
import { openSession } from '../../mysql/connect.js';
import { acquireDatabaseLock } from '../../mysql/database-lock.js';
import type { Session } from '../../mysql/session.js';
import { isServerError } from '../../mysql/server-error.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { Context } from '../context.js';
import { withSignals } from '../context.js';
import { openServer } from '../sessions.js';
import { createDatabase, dropDatabase, dropTables, lookAtDatabase } from './target-database.js';

/** A table of this name tells a test copy from a database that somebody needs. */
export const TEST_COPY_MARK = '__reshelve_test_copy__';
const DATABASE_NAME_CHARACTERS_MAX = 64;
const SUFFIX = '_verify_test';
/** From here on several sessions drop the tables faster than one. */
const MANY_TABLES = 200;

export function testDatabaseName(database: string): string {
  // Names hold no characters beyond the basic plane, so this cannot cut one in two.
  return database.slice(0, DATABASE_NAME_CHARACTERS_MAX - SUFFIX.length) + SUFFIX;
}

export async function withTestDatabase<T>(
  context: Context,
  defaults: DatabaseDefaults | undefined,
  use: (context: Context, database: string, server: ServerConfiguration) => Promise<T>,
): Promise<T> {
  const server = context.configuration.verifyServer;
  const database = testDatabaseName(context.configuration.databaseName);
  const session = await openServer(context, server);
  try {
    const lock = await acquireDatabaseLock(
      session,
      database,
      context.configuration.backup.lockWaitMs / 1000,
    );
    try {
      const locked = withSignals(context, lock.lost);
      await makeTestDatabase(locked, server, database, defaults);
      return await useAndDrop(locked, server, database, use);
    } finally {
      await lock.release();
    }
  } finally {
    await session.close();
  }
}

async function makeTestDatabase(
  context: Context,
  server: ServerConfiguration,
  database: string,
  defaults: DatabaseDefaults | undefined,
): Promise<void> {
  context.output.line(`Creating temporary database: ${database}`);
  const session = await openServer(context, server);
  try {
    await withoutBinlog(session);
    const state = await lookAtDatabase(session, database);
    if (state.exists && !state.tables.includes(TEST_COPY_MARK) && state.tables.length > 0) {
      throw new ReshelveError(
        'CONFIRMATION',
        `database ${database} holds ${state.tables.length} tables that no test restore made`,
        {
          hint: `Look at it, and if nobody needs it run DROP DATABASE ${quoteIdentifier(database)}.`,
        },
      );
    }
    await dropDatabase(session, database);
    await createDatabase(session, database, defaults);
    await session.execute(
      `CREATE TABLE ${quoteIdentifier(database)}.${quoteIdentifier(TEST_COPY_MARK)} (mark INT PRIMARY KEY)`,
    );
  } catch (error) {
    throw asMissingPrivilege(error, context, database);
  } finally {
    await session.close();
  }
}

function asMissingPrivilege(error: unknown, context: Context, database: string): unknown {
  if (!isServerError(error) || error.code !== 'PRIVILEGE') return error;
  const { user } = context.configuration.verifyServer;
  const pattern = quoteIdentifier(database.replaceAll(/[_%]/g, '\\$&'));
  return new ReshelveError('PRIVILEGE', `${user} may not make the test database ${database}`, {
    hint: `Run as an administrator: GRANT ALL ON ${pattern}.* TO ${quoteIdentifier(user)}@…; or set VERIFY_DB_*.`,
    cause: error,
  });
}

async function useAndDrop<T>(
  context: Context,
  server: ServerConfiguration,
  database: string,
  use: (context: Context, database: string, server: ServerConfiguration) => Promise<T>,
): Promise<T> {
  context.output.line('Restoring backup to test database...');
  let result: T;
  try {
    result = await use(context, database, server);
  } catch (error) {
    await dropAfterFailure(context, server, database);
    throw error;
  }
  await dropTestDatabase(context, server, database);
  return result;
}

/** The failure itself is the news; that the copy could not be dropped either is said beside it. */
async function dropAfterFailure(
  context: Context,
  server: ServerConfiguration,
  database: string,
): Promise<void> {
  try {
    await dropTestDatabase(context, server, database);
  } catch {
    context.output.warn({
      code: 'TEST_DATABASE_LEFT',
      message: `the test database ${database} could not be dropped; the next verification drops it`,
    });
  }
}

/** On connections of its own, which an interruption of the run does not cut. The mark goes last. */
async function dropTestDatabase(
  context: Context,
  server: ServerConfiguration,
  database: string,
): Promise<void> {
  const control = await openSession(server);
  const sessions = [control];
  try {
    await withoutBinlog(control);
    const { tables } = await lookAtDatabase(control, database);
    const helpers = tables.length < MANY_TABLES ? 0 : context.configuration.backup.threads - 1;
    for (let at = 0; at < helpers; at += 1) {
      const session = await openSession(server);
      sessions.push(session);
      await withoutBinlog(session);
    }
    if (helpers > 0) await dropTables(sessions, database, TEST_COPY_MARK);
    await dropDatabase(control, database);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

async function withoutBinlog(session: Session): Promise<void> {
  try {
    await session.execute('SET SESSION sql_log_bin = 0');
  } catch (error) {
    if (!isServerError(error)) throw error;
  }
}
