/**
 * Makes the views, routines, triggers and events of a database those of an archive, by what differs
 * alone: an object that is the same to the letter is not touched, so that nobody finds it missing.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { MemberEntry } from '../../archive/index-types.js';
import type { ObjectType, StoredObject } from '../../mysql/schema.js';
import { readCallables, readObjects } from '../../mysql/schema-objects.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import { LOAD_SESSION, LOAD_SQL_MODE } from '../../sql/archive-text.js';
import { defaultsOf } from '../../sql/database-defaults.js';
import { quoteString } from '../../sql/quote.js';
import { splitStatements } from '../load/archive-definitions.js';
import { objectMemberSql } from '../dump/definitions.js';
import { renamed } from '../restore.js';
import { qualified } from '../online/swap-plan.js';
import { setDatabaseDefaults } from '../load/target-database.js';

/** An object of the archive with the member that makes it. */
interface ArchivedObject {
  readonly type: ObjectType;
  readonly name: string;
  /** Of a trigger. */
  readonly table: string | undefined;
  readonly member: MemberEntry;
}

export interface Alignment {
  readonly reader: ArchiveReader;
  /** The database to change; the sessions have it as their own. */
  readonly database: string;
}

/** Prepares a session of the database for {@link alignObjects} and {@link makeTriggers}. */
export async function prepareAligning(session: Session): Promise<void> {
  for (const statement of LOAD_SESSION) await session.execute(statement);
  await session.execute('SET SESSION foreign_key_checks = 1');
}

/** Everything but tables, rows and sequences. May be called again after any interruption. */
export async function alignObjects(session: Session, alignment: Alignment): Promise<void> {
  const { reader, database } = alignment;
  await setDatabaseDefaults(session, database, defaultsOf(reader.index.header));
  const { views } = await listTables(session, database);
  const found = await readObjects(session, database, views, []);
  const expected = archivedObjects(reader);
  const others = (objects: readonly StoredObject[]): StoredObject[] =>
    objects.filter(({ type }) => type !== 'trigger');
  const keep = new Set(expected.map(keyOf));
  for (const object of others(found)) {
    if (!keep.has(keyOf(object))) await dropObject(session, database, object);
  }
  const present = new Map(others(found).map((object) => [keyOf(object), object]));
  for (const object of expected) {
    if (object.type === 'trigger') continue;
    const own = present.get(keyOf(object));
    if (own !== undefined && (await isSame(alignment, own, object.member))) continue;
    await make(session, alignment, object.member);
  }
  await alignTriggers(session, alignment, found);
}

/** The routines of the database that {@link alignObjects} drops, whether it makes them anew or not. */
export async function routinesToReplace(
  session: Session,
  alignment: Alignment,
): Promise<readonly StoredObject[]> {
  const expected = new Map(archivedObjects(alignment.reader).map((one) => [keyOf(one), one]));
  const replaced: StoredObject[] = [];
  for (const object of await readCallables(session, alignment.database)) {
    const member = expected.get(keyOf(object))?.member;
    const stays = member !== undefined && (await isSame(alignment, object, member));
    if (!stays) replaced.push(object);
  }
  return replaced;
}

/** The names of the tables that have or get triggers. */
export async function tablesWithTriggers(session: Session, database: string): Promise<string[]> {
  const records = await session.records(
    `SELECT DISTINCT EVENT_OBJECT_TABLE AS name FROM information_schema.TRIGGERS
     WHERE TRIGGER_SCHEMA = ${quoteString(database)}`,
  );
  return records.map(({ name }) => name ?? '');
}

/** Those of all tables, or of the ones that `isMeant` names. */
export async function dropTriggers(
  session: Session,
  database: string,
  isMeant: (table: string) => boolean = () => true,
): Promise<void> {
  const records = await session.records(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS table_name FROM information_schema.TRIGGERS
     WHERE TRIGGER_SCHEMA = ${quoteString(database)}`,
  );
  for (const { name, table_name: table } of records) {
    if (!isMeant(table ?? '')) continue;
    await session.execute(`DROP TRIGGER IF EXISTS ${qualified(database, name ?? '')}`);
  }
}

/**
 * Makes the archive's triggers, of one table or of all, on tables that have none. Fit for a session
 * that holds locks: a trigger that would alter the database's defaults is left to {@link alignObjects}.
 */
export async function makeTriggers(
  session: Session,
  alignment: Alignment,
  table?: string,
): Promise<void> {
  for (const object of archivedObjects(alignment.reader)) {
    if (object.type !== 'trigger' || (table !== undefined && object.table !== table)) continue;
    const sql = await alignment.reader.readMember(object.member.number);
    if (sql.includes('ALTER DATABASE COLLATE')) continue;
    await make(session, alignment, object.member);
  }
}

/** The triggers of a table fire in the order of their making, so one that differs renews all of them. */
async function alignTriggers(
  session: Session,
  alignment: Alignment,
  found: readonly StoredObject[],
): Promise<void> {
  const expected = archivedObjects(alignment.reader).filter(({ type }) => type === 'trigger');
  const present = found.filter(({ type }) => type === 'trigger');
  const tables = new Set([...expected, ...present].map(({ table }) => table ?? ''));
  for (const table of tables) {
    const own = present.filter((trigger) => trigger.table === table);
    const wanted = expected.filter((trigger) => trigger.table === table);
    if (await areSame(alignment, own, wanted)) continue;
    // Nobody writes to the table while it has but a part of its triggers.
    await session.execute(`LOCK TABLES ${qualified(alignment.database, table)} WRITE`);
    try {
      for (const trigger of own) await dropObject(session, alignment.database, trigger);
      await makeTriggers(session, alignment, table);
    } finally {
      await session.execute('UNLOCK TABLES');
    }
    await makeLockless(session, alignment, wanted);
  }
}

/** Those that alter the database's defaults for a moment, which no lock on a table allows. */
async function makeLockless(
  session: Session,
  alignment: Alignment,
  wanted: readonly ArchivedObject[],
): Promise<void> {
  const sql = await Promise.all(
    wanted.map(({ member }) => alignment.reader.readMember(member.number)),
  );
  const isLockless = sql.map((text) => text.includes('ALTER DATABASE COLLATE'));
  if (!isLockless.includes(true)) return;
  // In their order: from the first of these on, all are made anew.
  for (const { member } of wanted.slice(isLockless.indexOf(true))) {
    await make(session, alignment, member);
  }
}

async function areSame(
  alignment: Alignment,
  own: readonly StoredObject[],
  wanted: readonly ArchivedObject[],
): Promise<boolean> {
  if (own.length !== wanted.length) return false;
  for (const [at, trigger] of own.entries()) {
    const member = wanted[at]?.member;
    if (member === undefined || wanted[at]?.name !== trigger.name) return false;
    if (!(await isSame(alignment, trigger, member))) return false;
  }
  return true;
}

/** Byte for byte what a backup would write of it now. */
async function isSame(
  { reader, database }: Alignment,
  object: StoredObject,
  member: MemberEntry,
): Promise<boolean> {
  const { characterSet, collation, database: archived } = reader.index.header;
  if (archived !== database || object.broken !== undefined) return false;
  const now = objectMemberSql(object, {
    name: database,
    characterSet,
    collation,
    tables: [],
    objects: [],
  });
  return now.sql.equals(await reader.readMember(member.number));
}

async function make(
  session: Session,
  { reader, database }: Alignment,
  member: MemberEntry,
): Promise<void> {
  for (const statement of splitStatements(await reader.readMember(member.number))) {
    await session.executeLong(renamed(statement, reader.index.header.database, database));
  }
}

/** Whatever its type; nothing where it is not there. */
export async function dropObject(
  session: Session,
  database: string,
  object: { readonly type: ObjectType; readonly name: string },
): Promise<void> {
  // MariaDB knows packages only under ORACLE.
  const isPackage = object.type.startsWith('package');
  if (isPackage) await session.execute("SET SESSION sql_mode = 'ORACLE'");
  await session.execute(
    `DROP ${object.type.toUpperCase()} IF EXISTS ${qualified(database, object.name)}`,
  );
  if (isPackage) await session.execute(`SET SESSION sql_mode = '${LOAD_SQL_MODE}'`);
}

function archivedObjects(reader: ArchiveReader): ArchivedObject[] {
  const entries = new Map(reader.index.objects.map((object) => [keyOf(object), object]));
  return reader.members().flatMap((member) => {
    const entry =
      member.kind === 'object' && member.object ? entries.get(keyOf(member.object)) : undefined;
    if (entry === undefined || entry.broken !== undefined) return [];
    return [{ type: entry.type, name: entry.name, table: entry.table, member }];
  });
}

function keyOf(object: { readonly type: string; readonly name: string }): string {
  return `${object.type} ${object.name}`;
}
