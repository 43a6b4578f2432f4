/** GRANT statements, ready to be run by an administrator. */
import type { GrantSet } from '../../mysql/grants.js';
import type { ServerFacts } from '../../mysql/server-facts.js';
import { isAtLeast } from '../../mysql/server-facts.js';
import { quoteIdentifier } from '../../sql/quote.js';

export interface Grantee {
  /** `CURRENT_USER()`: `backup_user@%`. */
  readonly account: string;
  readonly facts: ServerFacts;
  /** `partial_revokes`: database names in grants are then no patterns. */
  readonly namesAreLiteral: boolean;
}

export function grantOnDatabase(
  grantee: Grantee,
  privileges: readonly string[],
  database: string,
): string {
  const pattern = grantee.namesAreLiteral ? database : database.replaceAll(/[\\_%]/g, '\\$&');
  return grant(grantee, privileges, `${quoteIdentifier(pattern)}.*`);
}

export function grantGlobally(grantee: Grantee, privileges: readonly string[]): string {
  return grant(grantee, privileges, '*.*');
}

export function grantOnTable(grantee: Grantee, privilege: string, table: string): string {
  return grant(grantee, [privilege], table);
}

function grant({ account }: Grantee, privileges: readonly string[], scope: string): string {
  return `GRANT ${privileges.join(', ')} ON ${scope} TO ${quoteAccount(account)};`;
}

/** The host begins after the last `@`: a user's name may hold one too. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  if (at < 0) return quoteIdentifier(account);
  return `${quoteIdentifier(account.slice(0, at))}@${quoteIdentifier(account.slice(at + 1))}`;
}

/** What the server calls the right to read the position in its binary log. */
export function coordinatesPrivilege(facts: ServerFacts): string {
  const isNewMariaDb = facts.flavour === 'mariadb' && isAtLeast(facts, 10, 5, 2);
  return isNewMariaDb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
}

/** The right to make objects in the name of another user. */
export function definerPrivilege(facts: ServerFacts): string {
  if (facts.flavour === 'mariadb') return isAtLeast(facts, 10, 5, 2) ? 'SET USER' : 'SUPER';
  if (isAtLeast(facts, 8, 2)) return 'SET_ANY_DEFINER';
  return isAtLeast(facts, 8, 0) ? 'SET_USER_ID' : 'SUPER';
}

/** The right to keep a session out of the binary log. */
export function sqlLogBinPrivilege(facts: ServerFacts): string {
  if (facts.flavour === 'mariadb') return isAtLeast(facts, 10, 5, 2) ? 'BINLOG ADMIN' : 'SUPER';
  return isAtLeast(facts, 8, 0, 14) ? 'SESSION_VARIABLES_ADMIN' : 'SUPER';
}

/** Whether bodies that others defined can be read, too. */
export function readsEveryRoutine(grants: GrantSet, facts: ServerFacts, database: string): boolean {
  // ALL on a database holds it only where the server has such a privilege.
  const hasOwnPrivilege = facts.flavour === 'mariadb' && isAtLeast(facts, 11, 3);
  return (
    grants.holdsGlobally('SHOW_ROUTINE') ||
    grants.holdsOnDatabase('SELECT', 'mysql') ||
    grants.objectsWith('SELECT', 'mysql').includes('proc') ||
    (hasOwnPrivilege && grants.holdsOnDatabase('SHOW CREATE ROUTINE', database))
  );
}

/** The rights to run what a server logged: BINLOG statements, and the session that they ran in. */
export function replayPrivileges(facts: ServerFacts): readonly string[] {
  if (facts.flavour === 'mariadb') return [isAtLeast(facts, 10, 5, 2) ? 'BINLOG REPLAY' : 'SUPER'];
  if (!isAtLeast(facts, 8, 0, 18)) return ['SUPER'];
  return ['BINLOG_ADMIN', 'SESSION_VARIABLES_ADMIN'];
}

/** The statement that lets a user read the bodies of routines that others defined. */
export function routineGrant(grantee: Grantee): string {
  const { facts } = grantee;
  if (facts.flavour === 'mariadb' || !isAtLeast(facts, 8, 0)) {
    return grantOnTable(grantee, 'SELECT', '`mysql`.`proc`');
  }
  return grantGlobally(grantee, [isAtLeast(facts, 8, 0, 20) ? 'SHOW_ROUTINE' : 'SELECT']);
}
