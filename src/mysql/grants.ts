/**
 * What the connected user may do, read from `SHOW GRANTS` (roles included): on managed servers
 * `information_schema.USER_PRIVILEGES` shows nothing useful.
 */
import type { Session } from './session.js';

interface ScopedGrant {
  /** Database pattern as granted; undefined is `*.*`. */
  readonly database?: string;
  /** Table or routine name; undefined is the whole database. */
  readonly object?: string;
  readonly privileges: ReadonlySet<string>;
}

/** Static privileges that a bare `ALL PRIVILEGES` stands for, at any level. */
const ALL = 'ALL PRIVILEGES';
/** To give on what one has; not among ALL. */
const GRANT_OPTION = 'GRANT OPTION';

/**
 * Dynamic privileges that older servers fold into SUPER, and static ones that imply others
 * (MySQL Reference Manual, "Privileges Provided by MySQL"; MariaDB "GRANT").
 */
const IMPLIED_BY: ReadonlyMap<string, readonly string[]> = new Map([
  ['REPLICATION CLIENT', ['SUPER', 'BINLOG MONITOR']],
  ['BINLOG MONITOR', ['REPLICATION CLIENT', 'SUPER']],
  ['FLUSH_TABLES', ['RELOAD']],
  ['SYSTEM_VARIABLES_ADMIN', ['SUPER']],
  ['SESSION_VARIABLES_ADMIN', ['SYSTEM_VARIABLES_ADMIN', 'SUPER']],
  ['SET_ANY_DEFINER', ['SET_USER_ID', 'SUPER', 'SET USER']],
  ['SHOW_ROUTINE', ['SELECT']],
]);

export class GrantSet {
  readonly #granted: readonly ScopedGrant[];
  readonly #revoked: readonly ScopedGrant[];

  constructor(granted: readonly ScopedGrant[], revoked: readonly ScopedGrant[]) {
    this.#granted = granted;
    this.#revoked = revoked;
  }

  /** Whether the privilege holds on the whole server. */
  holdsGlobally(privilege: string): boolean {
    return this.#alternatives(privilege).some((name) =>
      this.#granted.some((grant) => grant.database === undefined && has(grant, name)),
    );
  }

  /** Whether the privilege holds on every object of `database`, present and future. */
  holdsOnDatabase(privilege: string, database: string): boolean {
    const revoked = this.#revoked.some(
      (revoke) => revoke.database === database && has(revoke, privilege),
    );
    if (!revoked && this.holdsGlobally(privilege)) return true;
    return this.#granted.some(
      (grant) =>
        grant.database !== undefined &&
        grant.object === undefined &&
        matchesDatabase(grant.database, database) &&
        has(grant, privilege),
    );
  }

  /** Privileges on single objects of `database`, which prove that others may be invisible. */
  objectsWith(privilege: string, database: string): string[] {
    return this.#granted.flatMap((grant) =>
      grant.object !== undefined && grant.database === database && has(grant, privilege)
        ? [grant.object]
        : [],
    );
  }

  #alternatives(privilege: string): string[] {
    return [privilege, ...(IMPLIED_BY.get(privilege) ?? [])];
  }
}

function has(grant: ScopedGrant, privilege: string): boolean {
  if (grant.privileges.has(privilege)) return true;
  return privilege !== GRANT_OPTION && grant.privileges.has(ALL);
}

/** Database names in grants are patterns: `_` and `%` are wild unless escaped with a backslash. */
function matchesDatabase(pattern: string, database: string): boolean {
  if (pattern === database) return true;
  const source = pattern.replace(/\\?[\s\S]/gu, (token) => {
    if (token === '%') return '[\\s\\S]*';
    if (token === '_') return '[\\s\\S]';
    const literal = token.startsWith('\\') && token.length > 1 ? token.slice(1) : token;
    return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'u').test(database);
}

const STATEMENT =
  /^(GRANT|REVOKE) (?<privileges>.+?) ON (?:(?:TABLE|PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY|LIBRARY) )?(?<database>\*|`(?:[^`]|``)*`|[\w$]+)\.(?<object>\*|`(?:[^`]|``)*`|[\w$]+) (?:TO|FROM) /su;

/** Understands the lines of `SHOW GRANTS`; role grants and PROXY lines carry no privilege. */
export function parseGrants(lines: readonly string[]): GrantSet {
  const granted: ScopedGrant[] = [];
  const revoked: ScopedGrant[] = [];
  for (const line of lines) {
    const match = STATEMENT.exec(line);
    if (match?.groups === undefined) continue;
    const { privileges = '', database = '*', object = '*' } = match.groups;
    const scoped: ScopedGrant = {
      ...(database === '*' ? {} : { database: unquote(database) }),
      ...(object === '*' ? {} : { object: unquote(object) }),
      privileges: new Set([...splitPrivileges(privileges), ...optionOf(line, privileges)]),
    };
    (line.startsWith('REVOKE') ? revoked : granted).push(scoped);
  }
  return new GrantSet(granted, revoked);
}

/** Each dynamic privilege of MySQL (`BACKUP_ADMIN`) has an option of its own, which covers no other. */
function optionOf(line: string, privileges: string): string[] {
  const isDynamic = splitPrivileges(privileges).every((name) => name.includes('_'));
  const words = line.replace(/`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'/gu, '');
  return !isDynamic && / WITH (?:[\w ]* )?GRANT OPTION\b/u.test(words) ? [GRANT_OPTION] : [];
}

function unquote(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}

/** `SELECT, INSERT (`a`, `b`)`: a privilege on columns only is not the privilege. */
function splitPrivileges(text: string): string[] {
  const names: string[] = [];
  for (const part of text.split(/,\s*(?![^(]*\))/u)) {
    if (part.includes('(')) continue;
    names.push(part.trim().toUpperCase());
  }
  return names;
}

/** Reads the grants of the session's user together with those of its roles. */
export async function readGrants(session: Session): Promise<GrantSet> {
  const own = await grantLines(session, 'SHOW GRANTS');
  if (session.facts.flavour === 'mariadb') return parseGrants(own);
  const role = await session.value('SELECT CURRENT_ROLE()');
  if (role === undefined || role === null || role === 'NONE') return parseGrants(own);
  const withRoles = await grantLines(session, `SHOW GRANTS FOR CURRENT_USER() USING ${role}`);
  return parseGrants([...own, ...withRoles]);
}

async function grantLines(session: Session, sql: string): Promise<string[]> {
  const { rows } = await session.query(sql);
  return rows.map((row) => row[0]?.toString('utf8') ?? '');
}
