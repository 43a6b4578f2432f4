/** The defaults of a database, as the server's dictionary has them. */
import type { DatabaseDefaults } from '../sql/database-defaults.js';
import { quoteString } from '../sql/quote.js';
import type { Session } from './session.js';

/** Undefined where there is no such database, or none that this user may see. */
export async function readDatabaseDefaults(
  session: Session,
  database: string,
): Promise<DatabaseDefaults | undefined> {
  // All columns, because not every version has the last ones.
  const [schema] = await session.records(
    `SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteString(database)}`,
  );
  if (schema === undefined) return undefined;
  const encryption = schema['DEFAULT_ENCRYPTION'];
  const comment = schema['SCHEMA_COMMENT'];
  return {
    characterSet: schema['DEFAULT_CHARACTER_SET_NAME'] ?? 'utf8mb4',
    collation: schema['DEFAULT_COLLATION_NAME'] ?? 'utf8mb4_general_ci',
    ...(typeof encryption === 'string' && { defaultEncryption: encryption === 'YES' }),
    ...(typeof comment === 'string' && { databaseComment: comment }),
  };
}
