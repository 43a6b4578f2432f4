/** Tables that name a tablespace can only be made where the server has it (error 3510). */
import { isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { quoteIdentifier, quoteString } from '../../sql/quote.js';
import type { Obstacle } from './obstacles.js';
import type { RecoveryNeeds } from './recovery-needs.js';

/** Those that the server lacks, with the statement that makes one; none where this user may not look. */
export async function missingTablespaces(
  session: Session,
  { tablespaces }: RecoveryNeeds,
): Promise<Obstacle[]> {
  if (tablespaces.length === 0 || session.facts.flavour !== 'mysql') return [];
  const present = await listTablespaces(session, tablespaces);
  const missing = tablespaces.filter((name) => !present.has(name.toLowerCase()));
  return missing.map((name) => ({
    text: `this server has no tablespace ${name}, which tables of the backup are in`,
    next: `CREATE TABLESPACE ${quoteIdentifier(name)} ADD DATAFILE ${quoteString(`${name}.ibd`)};`,
  }));
}

/** In lower case. Takes PROCESS; without it everything counts as present. */
async function listTablespaces(
  session: Session,
  wanted: readonly string[],
): Promise<ReadonlySet<string>> {
  try {
    const records = await session.records(
      "SELECT NAME AS name FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE = 'General'",
    );
    return new Set(records.map(({ name }) => (name ?? '').toLowerCase()));
  } catch (error) {
    if (!isServerError(error)) throw error;
    return new Set(wanted.map((name) => name.toLowerCase()));
  }
}
