/** Turns definitions as the server gives them into members of an archive, in an order that loads. */
import type { MemberInput } from '../../archive/archive-writer.js';
import type { DatabaseSchema, ObjectType, StoredObject, TableRecord } from '../../mysql/schema.js';
import {
  brokenObjectSql,
  closingSql,
  objectSql,
  sequenceSql,
  tableSql,
} from '../../sql/archive-text.js';
import type { ObjectText } from '../../sql/archive-text.js';
import { stripDatabaseQualifiers, stripTriggerHeaderDatabase } from '../../sql/ddl-qualifiers.js';
import { withoutImpliedCollations } from '../../sql/ddl-collation.js';
import { stripSequenceDatabase } from '../../sql/ddl-sequence.js';
import { viewOrder } from '../../sql/view-order.js';

/**
 * Routines come before views, which may call functions; views after the views that they read;
 * triggers after the rows, so that they do not fire; events last.
 */
const TYPE_ORDER: readonly ObjectType[] = [
  'sequence',
  'package',
  'package body',
  'library',
  'function',
  'procedure',
  'view',
  'trigger',
  'event',
];

export function orderObjects(objects: readonly StoredObject[]): StoredObject[] {
  const views = objects.filter((object) => object.type === 'view');
  const order = viewOrder(
    views.map(({ name, createStatement }) => ({ name, text: createStatement })),
  );
  const placeOfView = new Map(order.map((name, place) => [name, place]));
  const place = (object: StoredObject): number =>
    object.type === 'view' ? (placeOfView.get(object.name) ?? 0) : 0;
  return [...objects].sort(
    (left, right) =>
      TYPE_ORDER.indexOf(left.type) - TYPE_ORDER.indexOf(right.type) || place(left) - place(right),
  );
}

/** The counter of AUTO_INCREMENT in a definition, where it has one: in the options after the columns. */
export function autoIncrementOf(table: TableRecord): string | undefined {
  return TABLE_OPTIONS_COUNTER.exec(table.createStatement.toString('latin1'))?.[1];
}

const TABLE_OPTIONS_COUNTER = /\n\) ENGINE=\S+ (?:[^'\n]* )?AUTO_INCREMENT=(\d+)/;

/** The text of a table's member but for the counter, which is compared on its own. */
export function withoutCounter(tableSql: Buffer): string {
  return tableSql
    .toString('latin1')
    .replace(/(\n\) ENGINE=\S+ (?:[^'\n]* )?)AUTO_INCREMENT=\d+ /, '$1');
}

/** ARCHIVE takes no id below its counter, so the counter must come after the rows. */
function setsCounterLast(table: TableRecord): boolean {
  return table.engine.toUpperCase() === 'ARCHIVE';
}

/** The counter that must be set behind the rows of an incremental, where one must. */
export function counterAfterRows(
  table: TableRecord,
  change: 'none' | 'ranges' | 'whole',
  before: string | undefined,
): string | undefined {
  const counter = autoIncrementOf(table);
  if (change === 'whole') return setsCounterLast(table) ? counter : undefined;
  if (counter === undefined) return before === undefined ? undefined : '1';
  return change === 'ranges' || counter !== before ? counter : undefined;
}

function definitionOf(table: TableRecord, database: string): Buffer {
  const definition = withoutImpliedCollations(
    stripSequenceDatabase(table.createStatement, database),
  );
  if (!setsCounterLast(table)) return definition;
  const text = definition.toString('latin1');
  return Buffer.from(
    text.replace(/ AUTO_INCREMENT=\d+(?=[^'\n]*(?:\n|$| COMMENT=))/, ''),
    'latin1',
  );
}

/** What comes last: counters that could not be set before the rows, and the session's defaults. */
export function closingMemberSql(schema: DatabaseSchema): MemberInput {
  const counters = schema.tables.flatMap((table) => {
    const counter = setsCounterLast(table) ? autoIncrementOf(table) : undefined;
    return counter === undefined ? [] : [{ table: table.name, counter }];
  });
  const { sql, statements, longestStatement } = closingSql(counters);
  return { kind: 'closing', sql, statements, longestStatement };
}

export function tableMemberSql(table: TableRecord, database: string): MemberInput {
  const sql = tableSql(table.name, definitionOf(table, database));
  return { kind: 'table', sql, table: table.name, statements: 2, longestStatement: sql.length };
}

export function sequenceMemberSql(object: StoredObject): MemberInput {
  const sql = sequenceSql(object.name, object.createStatement, object.stateStatement);
  return {
    kind: 'sequence',
    sql,
    object: { type: object.type, name: object.name },
    statements: 3,
    longestStatement: sql.length,
  };
}

export function objectMemberSql(object: StoredObject, schema: DatabaseSchema): MemberInput {
  const text = objectText(object, schema);
  const sql = object.broken === undefined ? objectSql(text) : brokenObjectSql(text, object.broken);
  return {
    kind: 'object',
    sql,
    object: { type: object.type, name: object.name },
    statements: object.broken === undefined ? 7 : 0,
    longestStatement: sql.length,
  };
}

function objectText(object: StoredObject, schema: DatabaseSchema): ObjectText {
  const { databaseCollation, timeZone } = object;
  return {
    keyword: object.type.toUpperCase(),
    name: object.name,
    createStatement: withoutDatabase(object, schema.name),
    sqlMode: object.sqlMode,
    characterSetClient: object.characterSetClient,
    collationConnection: object.collationConnection,
    ...(databaseCollation === null || databaseCollation === schema.collation
      ? {}
      : { databaseCollation }),
    ownCollation: schema.collation,
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

/**
 * The archive names no database, so that it loads into any. The server itself writes the name into
 * views (function calls) and keeps it in the head of a trigger; bodies stay as their authors wrote them.
 */
export function withoutDatabase(object: StoredObject, database: string): Buffer {
  const lexical = { sqlMode: object.sqlMode, charset: object.characterSetClient };
  if (object.type === 'view') {
    return stripDatabaseQualifiers(object.createStatement, database, lexical);
  }
  if (object.type === 'trigger') {
    return stripTriggerHeaderDatabase(object.createStatement, database, lexical);
  }
  return object.createStatement;
}
