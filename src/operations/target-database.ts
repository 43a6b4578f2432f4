/** The database that a backup is loaded into: what is in it, and how it is made anew. */
import { ReshelveError } from '../errors.js';
import type { Session } from '../mysql/session.js';
import { quoteIdentifier, quoteString } from '../sql/quote.js';

export interface DatabaseDefaults {
  readonly characterSet: string;
  readonly collation: string;
}

export interface DatabaseState {
  readonly exists: boolean;
  /** Undefined where it does not exist. */
  readonly defaults: DatabaseDefaults | undefined;
  /** Tables, views and sequences in it. */
  readonly tables: readonly string[];
}

export async function lookAtDatabase(session: Session, database: string): Promise<DatabaseState> {
  const [schema] = await session.records(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS character_set, DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteString(database)}`,
  );
  const records = await session.records(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteString(database)} ORDER BY TABLE_NAME`,
  );
  const characterSet = schema?.['character_set'] ?? '';
  const collation = schema?.['collation'] ?? '';
  return {
    exists: schema !== undefined,
    defaults: schema === undefined ? undefined : { characterSet, collation },
    tables: records.map((record) => record['name'] ?? ''),
  };
}

/** Names of character sets and collations come from a file and go into SQL. */
function assertName(name: string): void {
  if (!/^[a-z0-9_]{1,64}$/i.test(name)) {
    throw new ReshelveError('DAMAGED', `expected a collation but found ${JSON.stringify(name)}`);
  }
}

export async function createDatabase(
  session: Session,
  database: string,
  defaults: DatabaseDefaults | undefined,
): Promise<void> {
  if (defaults === undefined) {
    await session.execute(`CREATE DATABASE ${quoteIdentifier(database)}`);
    return;
  }
  assertName(defaults.characterSet);
  assertName(defaults.collation);
  await session.execute(
    `CREATE DATABASE ${quoteIdentifier(database)} CHARACTER SET ${defaults.characterSet} ` +
      `COLLATE ${defaults.collation}`,
  );
}

export async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.executeLong(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)}`);
}
