/** Reads the whole schema and refuses where the grants would hide a part of it. */
import { ReshelveError } from '../../errors.js';
import type { GrantSet } from '../../mysql/grants.js';
import { readDatabaseDefaults } from '../../mysql/database-defaults.js';
import { readObjects } from '../../mysql/schema-objects.js';
import type { TableListing } from '../../mysql/schema-tables.js';
import { listTables, readTables } from '../../mysql/schema-tables.js';
import type { DatabaseSchema, StoredObject, TableRecord } from '../../mysql/schema.js';
import type { Flavour } from '../../mysql/server-facts.js';
import type { Session } from '../../mysql/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { Warning } from '../context.js';

export interface SchemaReading {
  readonly schema: DatabaseSchema;
  readonly warnings: readonly Warning[];
}

export interface SchemaRequest {
  readonly database: string;
  readonly grants: GrantSet;
  readonly user: string;
  /** The tables that the snapshot knows; younger ones are not in it. */
  readonly known: ReadonlySet<string>;
}

export async function readDatabaseSchema(
  session: Session,
  request: SchemaRequest,
): Promise<SchemaReading> {
  const { database, grants, user, known } = request;
  const defaults = await readDatabaseDefaults(session, database);
  if (defaults === undefined) {
    throw new ReshelveError(
      'UNKNOWN_DATABASE',
      `there is no database ${database} at ${session.where} that ${user} may see`,
    );
  }
  const listing = await listTables(session, database);
  assertNothingHidden(database, grants, listing, user);
  const listed = listing.tables.filter((table) => known.has(table.name));
  const tables = await readTables(session, database, listed);
  const objects = await readObjects(session, database, listing.views, listing.sequences);
  const routinesVisible = canSeeRoutines(grants, database);
  const hint = routineHint(session.facts.flavour);
  if (!routinesVisible) assertNoHiddenFunction(database, objects, user, hint);
  return {
    schema: { name: database, ...defaults, tables, objects },
    warnings: [
      ...(routinesVisible ? [] : [hiddenRoutines(database, user, hint)]),
      ...tables.flatMap(uncertainColumns),
      ...objects.flatMap((object) => (object.broken === undefined ? [] : [brokenObject(object)])),
    ],
  };
}

/** GRANT statement for a privilege on the database, as an administrator would run it. */
export function grantOnDatabase(privileges: string, database: string, user: string): string {
  return `GRANT ${privileges} ON ${quoteIdentifier(database)}.* TO ${quoteIdentifier(user)}@…;`;
}

/** Without these the server shows fewer tables, triggers or events, and says nothing. */
const NEEDED_TO_SEE: readonly (readonly [privilege: string, loss: string])[] = [
  ['SELECT', 'tables'],
  ['TRIGGER', 'triggers'],
  ['EVENT', 'events'],
];

function assertNothingHidden(
  database: string,
  grants: GrantSet,
  listing: TableListing,
  user: string,
): void {
  const missing = NEEDED_TO_SEE.filter(
    ([privilege]) => !grants.holdsOnDatabase(privilege, database),
  );
  if (listing.views.length > 0 && !grants.holdsOnDatabase('SHOW VIEW', database)) {
    missing.push(['SHOW VIEW', `${listing.views.length} views`]);
  }
  if (missing.length === 0) return;
  const privileges = missing.map(([privilege]) => privilege).join(', ');
  const losses = missing.map(([, loss]) => loss).join(', ');
  throw new ReshelveError(
    'PRIVILEGE',
    `${losses} of ${database} would be lost: expected the privilege ${privileges} on all of ` +
      `${database} but found it missing`,
    { hint: `Run as an administrator: ${grantOnDatabase(privileges, database, user)}` },
  );
}

function canSeeRoutines(grants: GrantSet, database: string): boolean {
  return (
    grants.holdsGlobally('SHOW_ROUTINE') ||
    ['EXECUTE', 'CREATE ROUTINE', 'ALTER ROUTINE', 'SHOW CREATE ROUTINE'].some((privilege) =>
      grants.holdsOnDatabase(privilege, database),
    ) ||
    grants.holdsOnDatabase('SELECT', 'mysql') ||
    grants.objectsWith('SELECT', 'mysql').includes('proc')
  );
}

function routineHint(flavour: Flavour): string {
  const grant = flavour === 'mariadb' ? 'SELECT ON mysql.proc' : 'SHOW_ROUTINE ON *.*';
  return `Run as an administrator: GRANT ${grant} TO the backup user.`;
}

/** A stored function's name stands in backticks before `(` in a view; a built-in one's does not. */
const STORED_FUNCTION_CALL = /`((?:[^`]|``)+)`\(/;

function assertNoHiddenFunction(
  database: string,
  objects: readonly StoredObject[],
  user: string,
  hint: string,
): void {
  for (const object of objects) {
    if (object.type !== 'view') continue;
    const call = STORED_FUNCTION_CALL.exec(object.createStatement.toString('utf8'));
    if (call === null) continue;
    throw new ReshelveError(
      'PRIVILEGE',
      `view ${database}.${object.name} calls the stored function ${call[1] ?? ''}, whose body ` +
        `${user} may not read: expected the right to see routines but found none`,
      { hint },
    );
  }
}

function hiddenRoutines(database: string, user: string, hint: string): Warning {
  return {
    code: 'ROUTINES_HIDDEN',
    message:
      `${user} may not see stored procedures and functions: if ${database} has any, they are NOT ` +
      `in this backup. ${hint}`,
  };
}

function uncertainColumns(table: TableRecord): Warning[] {
  return table.uncertainColumns.map((column) => ({
    code: 'DEFINITION_UNCERTAIN',
    message:
      `the server prints \`?\` in the definition of column ${column} of table ${table.name} and did ` +
      `not tell whether another character is lost there; compare it after a restore`,
  }));
}

function brokenObject(object: StoredObject): Warning {
  return {
    code: 'BROKEN_VIEW',
    message: `${object.type} ${object.name} is broken (${object.broken ?? ''}); the backup keeps its definition as a comment`,
  };
}
