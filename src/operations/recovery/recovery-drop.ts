/**
 * The drop of the old state, which must be exactly what the emergency backup holds: every table is
 * locked, read once more and compared under that lock, and dropped while it is still locked. A writer
 * gets an error then; nothing that it wrote is lost unseen.
 */
import { openArchive } from '../../archive/archive-reader.js';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { ReshelveError } from '../../errors.js';
import { readPrintedDefinitions } from '../../mysql/exact-definition.js';
import { listTables } from '../../mysql/schema-tables.js';
import { CALLABLE_TYPES } from '../../mysql/schema.js';
import type { TableRecord } from '../../mysql/schema.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import { limitLockWaits } from '../../mysql/snapshot.js';
import { quoteIdentifier, quoteString } from '../../sql/quote.js';
import type { CompareRequest } from '../load/compare-copy.js';
import { compareContent, compareDefinitions } from '../load/compare-copy.js';
import type { Context } from '../context.js';
import { readGrants } from '../../mysql/grants.js';
import { dropObject } from '../changes/align-objects.js';
import { readsEveryRoutine } from '../doctor/doctor-grant.js';
import { openServer } from '../sessions.js';
import { lockForWriting } from '../load/table-locks.js';
import { contentOf, dropDatabase } from '../load/target-database.js';

export interface OldState {
  readonly context: Context;
  /** Holds the database's lock; also takes the table locks, so that it drops under both. */
  readonly session: Session;
  /** Absolute path of the emergency backup. */
  readonly emergencyPath: string;
  /** Whether tables may be locked; else they are only compared, which leaves a moment open. */
  readonly mayLock: boolean;
  /** Who else is there, for the message: ends a sentence. */
  readonly describeOthers: () => Promise<string>;
}

/**
 * Empties the database. `beforeDrop` is called when everything is proven and nothing is changed yet.
 * Throws DATABASE_IN_USE where the database is no longer what the emergency backup holds.
 */
export async function dropProvenState(
  old: OldState,
  beforeDrop: () => Promise<void>,
): Promise<void> {
  const { context, session } = old;
  const { databaseName, server } = context.configuration;
  const reader = await openArchive(old.emergencyPath);
  const holders: Holder[] = [];
  // Some definitions need a SELECT, which a session that locks tables may not run on others.
  const observer = await openServer(context, server, databaseName);
  try {
    await session.execute(`USE ${quoteIdentifier(databaseName)}`);
    await limitLockWaits(observer);
    const before = await definitionsNow(observer, databaseName);
    const { records, problems } = await compareDefinitions(comparison(old, reader, observer));
    if (problems.length > 0) throw await changed(old, problems);
    holders.push(...(await shareOut(old, records)));
    for (const holder of holders) await lockTables(old, holder);
    const after = await definitionsNow(observer, databaseName);
    if (before !== after) throw await changed(old, ['definitions changed']);
    for (const holder of holders) await assertSameContent(old, reader, holder);
    await beforeDrop();
    for (const holder of holders) await dropLocked(holder, databaseName);
    for (const holder of holders) await unlock(old, holder.session);
    await dropObjects(old, reader);
  } finally {
    for (const holder of holders) await unlock(old, holder.session);
    await observer.close();
    await reader.close();
  }
  await assertNothingNew(old);
}

/**
 * One by one as the emergency backup names them: what somebody makes in this moment stays, and is found.
 * Routines go with DROP DATABASE, because DROP PROCEDURE and DROP FUNCTION take along the rights that
 * other accounts hold on them. Where the user may not list all routines or drop an object, the database
 * goes as a whole too, because the backup to load may have one of those.
 */
async function dropObjects(old: OldState, { index }: ArchiveReader): Promise<void> {
  const { session, context } = old;
  const { databaseName } = context.configuration;
  const isRoutine = ({ type }: { readonly type: string }): boolean => CALLABLE_TYPES.has(type);
  if (readsEveryRoutine(await readGrants(session), session.facts, databaseName)) {
    try {
      for (const object of index.objects) {
        if (object.type === 'trigger' || isRoutine(object)) continue;
        await dropObject(session, databaseName, object);
      }
      const routines = index.objects.filter(isRoutine);
      if (routines.length > 0) await dropWithRoutines(old, routines);
      return;
    } catch (error) {
      if (!(error instanceof ReshelveError) || error.code !== 'PRIVILEGE') throw error;
    }
  }
  const { tables } = await listTables(session, databaseName);
  if (tables.length > 0)
    throw await madeMeanwhile(
      old,
      tables.map(({ name }) => name),
    );
  await dropDatabase(session, databaseName);
}

/** Drops the database if it holds nothing but these. */
async function dropWithRoutines(
  old: OldState,
  routines: readonly { readonly type: string; readonly name: string }[],
): Promise<void> {
  const { databaseName } = old.context.configuration;
  const known = new Set(routines.map(({ type, name }) => `${type} ${name}`));
  const content = await contentOf(old.session, databaseName);
  const others = content.filter((object) => !known.has(object));
  if (others.length > 0) throw await madeMeanwhile(old, others);
  await dropDatabase(old.session, databaseName);
}

/** A connection and the tables that it locks, reads and drops. */
interface Holder {
  readonly session: Session;
  readonly records: readonly TableRecord[];
}

/** MySQL with GTIDs locks no tables with and without transactions together (error 1785). */
async function shareOut(old: OldState, records: readonly TableRecord[]): Promise<Holder[]> {
  const transactional = records.filter((record) => record.transactional);
  const others = records.filter((record) => !record.transactional);
  if (transactional.length === 0) return [{ session: old.session, records: others }];
  const first = { session: old.session, records: transactional };
  if (others.length === 0) return [first];
  const { server, databaseName } = old.context.configuration;
  const second = await openServer(old.context, server, databaseName);
  return [first, { session: second, records: others }];
}

/** Names, definitions and dates of change, as text; read without opening a table that is locked. */
async function definitionsNow(session: Session, database: string): Promise<string> {
  const { tables, views, sequences } = await listTables(session, database);
  const names = tables.map((table) => table.name);
  const printed = await readPrintedDefinitions(session, database, names);
  const texts = printed.map((text) => text.toString('latin1').replace(/ AUTO_INCREMENT=\d+/g, ''));
  const objects: string[] = [];
  for (const query of OBJECTS_NOW) {
    const { rows } = await session.query(`${query} = ${quoteString(database)}`);
    objects.push(...rows.map((row) => row.map((value) => value?.toString('latin1')).join('\0')));
  }
  return JSON.stringify([names, views, sequences, texts, objects.sort()]);
}

const OBJECTS_NOW = [
  `SELECT 'routine', ROUTINE_TYPE, ROUTINE_NAME, DEFINER, LAST_ALTERED
   FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA`,
  `SELECT 'event', STATUS, EVENT_NAME, DEFINER, LAST_ALTERED
   FROM information_schema.EVENTS WHERE EVENT_SCHEMA`,
  `SELECT 'trigger', TRIGGER_NAME, DEFINER, CREATED, ACTION_STATEMENT
   FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA`,
  `SELECT 'view', TABLE_NAME, DEFINER, SECURITY_TYPE, VIEW_DEFINITION
   FROM information_schema.VIEWS WHERE TABLE_SCHEMA`,
] as const;

function comparison(old: OldState, reader: ArchiveReader, session: Session): CompareRequest {
  const broken = new Set(
    reader.index.objects.flatMap(({ broken, name }) => (broken === undefined ? [] : [name])),
  );
  return {
    reader,
    database: old.context.configuration.databaseName,
    sessions: [session],
    differences: { eventsDisabled: false, definersReplaced: false },
    compareDefinitions: true,
    output: old.context.output,
    ignoredTables: new Set(),
    objects: (object) => !(object.type === 'view' && broken.has(object.name)),
  };
}

async function lockTables(old: OldState, { session, records }: Holder): Promise<void> {
  if (!old.mayLock || records.length === 0) return;
  await lockForWriting(session, {
    database: old.context.configuration.databaseName,
    tables: records.map(({ name }) => name),
    describeOthers: old.describeOthers,
  });
}

async function assertSameContent(
  old: OldState,
  reader: ArchiveReader,
  { session, records }: Holder,
): Promise<void> {
  const { problems } = await compareContent(comparison(old, reader, session), records);
  if (problems.length > 0) throw await changed(old, problems);
}

async function changed(old: OldState, problems: readonly string[]): Promise<ReshelveError> {
  const { databaseName } = old.context.configuration;
  const first = problems.slice(0, 5).map((problem) => problem.replaceAll("the backup's", 'it'));
  return new ReshelveError(
    'DATABASE_IN_USE',
    `${databaseName} changed after its emergency backup was taken, so that it was not dropped ` +
      `(${first.join('; ')})${await old.describeOthers()}`,
    {
      hint: 'Stop the application (`pm2 stop all`) and events (`SET GLOBAL event_scheduler = OFF`), then run the command again.',
    },
  );
}

/**
 * One by one: MySQL fails with 1146 half way through a list that holds both ends of a foreign key. The
 * same number here means that the table is gone, which is what was asked for.
 */
async function dropLocked({ session, records }: Holder, database: string): Promise<void> {
  await session.execute('SET SESSION foreign_key_checks = 0');
  for (const { name } of records) {
    try {
      await session.executeLong(
        `DROP TABLE IF EXISTS ${quoteIdentifier(database)}.${quoteIdentifier(name)}`,
      );
    } catch (error) {
      if (!isServerError(error, ERRNO.noSuchTable)) throw error;
    }
  }
}

/** A connection that is gone has let go of its locks by itself. */
async function unlock(old: OldState, session: Session): Promise<void> {
  if (session !== old.session) {
    await session.close();
    return;
  }
  try {
    await session.execute('UNLOCK TABLES');
  } catch {
    return;
  }
}

/** What was made while the old state was being dropped has not been saved by anybody. */
async function assertNothingNew(old: OldState): Promise<void> {
  const names = await contentOf(old.session, old.context.configuration.databaseName);
  if (names.length > 0) throw await madeMeanwhile(old, names);
}

async function madeMeanwhile(old: OldState, names: readonly string[]): Promise<ReshelveError> {
  const { databaseName } = old.context.configuration;
  return new ReshelveError(
    'DATABASE_IN_USE',
    `while ${databaseName} was being dropped somebody made ${names.slice(0, 5).join(', ')}${await old.describeOthers()}`,
  );
}
