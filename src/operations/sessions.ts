/** Sessions as operations need them: to the database, to its server, to the server of test restores. */
import { openSession } from '../mysql/connect.js';
import type { ConnectionSettings } from '../mysql/connect.js';
import type { Session } from '../mysql/session.js';
import type { Context } from './context.js';

/** A session in the database that is backed up. */
export async function openDatabase(context: Context): Promise<Session> {
  const { server, databaseName } = context.configuration;
  return openSession(server, { database: databaseName, signal: context.signal });
}

/** A session on a server, in no database or in the one named. */
export async function openServer(
  context: Context,
  settings: ConnectionSettings,
  database?: string,
): Promise<Session> {
  return openSession(settings, {
    ...(database === undefined ? {} : { database }),
    signal: context.signal,
  });
}
