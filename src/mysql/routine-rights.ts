/**
 * What accounts may do with single procedures and functions. DROP PROCEDURE and DROP FUNCTION take these
 * rights along (MySQL Reference Manual, "DROP PROCEDURE and DROP FUNCTION Statements").
 */
import { quoteIdentifier, quoteString } from '../sql/quote.js';
import { ERRNO, isServerError } from './server-error.js';
import type { Session } from './session.js';

export interface RoutineRight {
  readonly user: string;
  /** Empty for a role of MariaDB. */
  readonly host: string;
  readonly routine: string;
  /** `PROCEDURE`, `FUNCTION`, `LIBRARY` (MySQL), `PACKAGE` or `PACKAGE BODY` (MariaDB). */
  readonly type: string;
  /** As GRANT names them; `GRANT OPTION` among them. */
  readonly privileges: readonly string[];
}

/** Undefined where this user may not read them. */
export async function readRoutineRights(
  session: Session,
  database: string,
): Promise<RoutineRight[] | undefined> {
  try {
    const records = await session.records(
      `SELECT User AS user, Host AS host, Routine_name AS routine, Routine_type AS type,
         Proc_priv AS privileges
       FROM mysql.procs_priv WHERE Db = ${quoteString(database)}
       ORDER BY Routine_type, Routine_name, User, Host`,
    );
    return records.map((record) => ({
      user: record['user'] ?? '',
      host: record['host'] ?? '',
      routine: record['routine'] ?? '',
      type: record['type'] ?? '',
      privileges: privilegesOf(record['privileges'] ?? ''),
    }));
  } catch (error) {
    if (!isServerError(error)) throw error;
    return undefined;
  }
}

const GRANT_OPTION = 'GRANT OPTION';

/** `Execute,Alter Routine,Grant`, as the server stores them. */
function privilegesOf(set: string): string[] {
  const names = set.split(',').filter((name) => name !== '');
  return names.map((name) => (name === 'Grant' ? GRANT_OPTION : name.toUpperCase()));
}

/** Neither server tells two routines of one kind apart by upper and lower case. */
export function sameRoutine(right: RoutineRight): string {
  return `${right.type} ${right.routine}`.toLowerCase();
}

/** The statement that gives the right, without its `;`. */
export function grantOfRight(right: RoutineRight, database: string): string {
  const { user, host, routine, type } = right;
  const privileges = right.privileges.filter((name) => name !== GRANT_OPTION);
  const account =
    host === '' ? quoteIdentifier(user) : `${quoteIdentifier(user)}@${quoteIdentifier(host)}`;
  return (
    `GRANT ${privileges.length === 0 ? 'USAGE' : privileges.join(', ')} ON ${type} ` +
    `${quoteIdentifier(database)}.${quoteIdentifier(routine)} TO ${account}` +
    (privileges.length === right.privileges.length ? '' : ' WITH GRANT OPTION')
  );
}

/** The routine or the account is not there any more, so that nobody misses the right. */
const IS_GONE = [ERRNO.noSuchRoutine, ERRNO.noSuchAccount, ERRNO.mayNotCreateAccount];

/**
 * Gives the rights that are missing and can be given; the statements that the server refused are for an
 * administrator to run. Changes the session's `sql_mode` on MariaDB.
 */
export async function giveRoutineRights(
  session: Session,
  database: string,
  rights: readonly RoutineRight[],
): Promise<string[]> {
  const present = new Set((await readRoutineRights(session, database))?.map(keyOf));
  const missing = rights.filter((right) => !present.has(keyOf(right)));
  if (missing.length === 0) return [];
  // Else its GRANT makes an account that is gone anew, without a password.
  if (session.facts.flavour === 'mariadb') {
    await session.execute("SET SESSION sql_mode = 'NO_AUTO_CREATE_USER'");
  }
  const refused: string[] = [];
  for (const right of missing) {
    const statement = grantOfRight(right, database);
    try {
      await session.execute(statement);
    } catch (error) {
      if (!isServerError(error)) throw error;
      if (!isServerError(error, ...IS_GONE)) refused.push(`${statement};`);
    }
  }
  return refused;
}

function keyOf(right: RoutineRight): string {
  const { user, host, privileges } = right;
  return JSON.stringify([user, host, sameRoutine(right), [...privileges].sort()]);
}
