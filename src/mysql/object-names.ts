/** Which routines, libraries, triggers and events a database has, in an order in which they can be made. */
import { quoteString } from '../sql/quote.js';
import type { ObjectType } from './schema.js';
import { isAtLeast } from './server-facts.js';
import type { Session } from './session.js';

export interface ObjectName {
  readonly type: ObjectType;
  readonly name: string;
  readonly table?: string;
}

/** Procedures, functions, packages and libraries. */
export async function listCallables(session: Session, database: string): Promise<ObjectName[]> {
  return [...(await listRoutines(session, database)), ...(await listLibraries(session, database))];
}

async function listRoutines(session: Session, database: string): Promise<ObjectName[]> {
  const records = await session.records(
    `SELECT ROUTINE_TYPE AS type, ROUTINE_NAME AS name FROM information_schema.ROUTINES
     WHERE ROUTINE_SCHEMA = ${quoteString(database)}
     ORDER BY FIELD(ROUTINE_TYPE, 'PACKAGE', 'PACKAGE BODY', 'FUNCTION', 'PROCEDURE'), ROUTINE_NAME`,
  );
  return records.map((record) => ({
    type: (record['type'] ?? '').toLowerCase() as ObjectType,
    name: record['name'] ?? '',
  }));
}

/** Code that stored functions import; MySQL 9.2 and later. */
async function listLibraries(session: Session, database: string): Promise<ObjectName[]> {
  if (session.facts.flavour !== 'mysql' || !isAtLeast(session.facts, 9, 2)) return [];
  const records = await session.records(
    `SELECT LIBRARY_NAME AS name FROM information_schema.LIBRARIES
     WHERE LIBRARY_SCHEMA = ${quoteString(database)} ORDER BY LIBRARY_NAME`,
  );
  return records.map((record) => ({ type: 'library', name: record['name'] ?? '' }));
}

export async function listTriggers(session: Session, database: string): Promise<ObjectName[]> {
  const records = await session.records(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS table_name
     FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${quoteString(database)}
     ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
  );
  return records.map((record) => ({
    type: 'trigger',
    name: record['name'] ?? '',
    table: record['table_name'] ?? '',
  }));
}

export async function listEvents(session: Session, database: string): Promise<ObjectName[]> {
  const records = await session.records(
    `SELECT EVENT_NAME AS name FROM information_schema.EVENTS
     WHERE EVENT_SCHEMA = ${quoteString(database)} ORDER BY EVENT_NAME`,
  );
  return records.map((record) => ({ type: 'event', name: record['name'] ?? '' }));
}
