/** Sessions as operations need them: to the database, to its server, to the server of test restores. */
import { ReshelveError } from '../errors.js';
import { openSession } from '../mysql/connect.js';
import type { ConnectionSettings } from '../mysql/connect.js';
import type { Session } from '../mysql/session.js';
import type { Context } from './context.js';
import { reportSlowStatements } from './slow-statements.js';

/** A session in the database that is backed up. */
export async function openDatabase(context: Context): Promise<Session> {
  const { server, databaseName } = context.configuration;
  return openServer(context, server, databaseName);
}

/** A session in the database, or in none where it has been dropped. */
export async function openDatabaseIfThere(context: Context): Promise<Session> {
  try {
    return await openDatabase(context);
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'UNKNOWN_DATABASE') throw error;
    return openServer(context, context.configuration.server);
  }
}

/** A session on a server, in no database or in the one named. */
export async function openServer(
  context: Context,
  settings: ConnectionSettings,
  database?: string,
): Promise<Session> {
  const session = await openSession(settings, {
    ...(database === undefined ? {} : { database }),
    signal: context.signal,
  });
  reportSlowStatements(context, settings, session);
  return session;
}
