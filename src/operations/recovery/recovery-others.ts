/** Says who else works in the database. */
import { describeClient, readConnectedClients } from '../../mysql/connected-clients.js';
import { readGrants } from '../../mysql/grants.js';
import type { Session } from '../../mysql/session.js';
import type { Context } from '../context.js';

const SHOWN_MAX = 5;

/**
 * Ends a message: `; also connected: connection 17 (…)`, or nothing where nobody is. About DB_NAME
 * where no database is named.
 */
export async function othersIn(
  { configuration }: Context,
  session: Session,
  database = configuration.databaseName,
): Promise<string> {
  const grants = await readGrants(session);
  const { clients } = await readConnectedClients(session, database, grants, []);
  if (clients.length === 0) return '';
  const shown = clients.slice(0, SHOWN_MAX).map(describeClient).join(', ');
  const more = clients.length > SHOWN_MAX ? ` and ${clients.length - SHOWN_MAX} more` : '';
  return `; also connected: ${shown}${more}`;
}
