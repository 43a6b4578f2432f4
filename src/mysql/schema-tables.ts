/** Reads tables with their columns, unique keys and definitions. */
import { assert, ReshelveError } from '../errors.js';
import { quoteString } from '../sql/quote.js';
import {
  readExactDefinition,
  readPrintedDefinitions,
  withTrueMembers,
} from './exact-definition.js';
import type { ColumnRecord, KeyRecord, TableRecord } from './schema.js';
import type { Session, TextRecord } from './session.js';

/** Names and kinds of everything that `information_schema.TABLES` knows of the database. */
export interface TableListing {
  readonly tables: readonly ListedTable[];
  readonly views: readonly string[];
  readonly sequences: readonly string[];
}

export interface ListedTable {
  readonly name: string;
  readonly versioned: boolean;
  readonly engine: string | null;
  readonly transactional: boolean;
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
  /** The server's own complaint where it cannot open the table. */
  readonly comment: string;
}

export async function listTables(session: Session, database: string): Promise<TableListing> {
  const records = await session.records(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_ROWS AS estimated_rows,
       DATA_LENGTH AS bytes, TABLE_COMMENT AS comment
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteString(database)}
     ORDER BY TABLE_NAME`,
  );
  const transactional = await readTransactionalEngines(session);
  const ofType = (type: string): string[] =>
    records.filter((record) => record['type'] === type).map((record) => record['name'] ?? '');
  return {
    tables: records
      .filter((record) => record['type'] === 'BASE TABLE' || record['type'] === 'SYSTEM VERSIONED')
      .map((record) => toListedTable(record, transactional)),
    views: ofType('VIEW'),
    sequences: ofType('SEQUENCE'),
  };
}

function toListedTable(record: TextRecord, transactional: ReadonlySet<string>): ListedTable {
  return {
    name: record['name'] ?? '',
    versioned: record['type'] === 'SYSTEM VERSIONED',
    engine: record['engine'] ?? null,
    transactional: transactional.has((record['engine'] ?? '').toLowerCase()),
    estimatedRows: Number(record['estimated_rows'] ?? 0),
    estimatedBytes: Number(record['bytes'] ?? 0),
    comment: record['comment'] ?? '',
  };
}

/** Engines that only show the rows of other tables: copying those would double them. */
const ENGINES_WITHOUT_OWN_ROWS = new Set(['mrg_myisam', 'federated']);

export function hasOwnRows(engine: string): boolean {
  return !ENGINES_WITHOUT_OWN_ROWS.has(engine.toLowerCase());
}

/** Completes the listed tables. Throws UNSUPPORTED for a table that the server itself cannot open. */
export async function readTables(
  session: Session,
  database: string,
  listed: readonly ListedTable[],
): Promise<TableRecord[]> {
  const columns = await readColumns(session, database);
  const keys = await readUniqueKeys(session, database, columns);
  const openable = listed.map((table) => withEngine(database, table));
  const names = openable.map((table) => table.name);
  const printed = await readPrintedDefinitions(session, database, names);
  const tables: TableRecord[] = [];
  for (const [at, table] of openable.entries()) {
    const text = printed[at];
    assert(text !== undefined, 'each table has its definition');
    const exact = await readExactDefinition(session, database, table.name, text);
    tables.push({
      name: table.name,
      kind: table.versioned ? 'system-versioned' : 'table',
      engine: table.engine,
      transactional: table.transactional,
      estimatedRows: table.estimatedRows,
      estimatedBytes: table.estimatedBytes,
      columns: (columns.get(table.name) ?? []).map((column) => withTrueMembers(column, exact)),
      uniqueKeys: keys.get(table.name) ?? [],
      createStatement: exact.createStatement,
      uncertainColumns: exact.uncertain,
    });
  }
  return tables;
}

function withEngine(
  database: string,
  table: ListedTable,
): ListedTable & { readonly engine: string } {
  const { name, engine, comment } = table;
  if (engine !== null) return { ...table, engine };
  throw new ReshelveError(
    'UNSUPPORTED',
    `table ${database}.${name} cannot be opened by the server: ${comment}`,
    { hint: 'Run `CHECK TABLE` on it; repair or drop it, then run the backup again.' },
  );
}

async function readColumns(
  session: Session,
  database: string,
): Promise<Map<string, ColumnRecord[]>> {
  const records = await session.records(
    `SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, DATA_TYPE AS data_type,
       COLUMN_TYPE AS column_type, CHARACTER_SET_NAME AS character_set,
       COLLATION_NAME AS collation, GENERATION_EXPRESSION AS generation_expression,
       EXTRA AS extra, IS_NULLABLE AS nullable
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${quoteString(database)}
     ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  return groupByTable(records, (record) => ({
    name: record['name'] ?? '',
    dataType: (record['data_type'] ?? '').toLowerCase(),
    columnType: record['column_type'] ?? '',
    characterSet: record['character_set'] ?? null,
    collation: record['collation'] ?? null,
    generationExpression: record['generation_expression'] ?? null,
    extra: record['extra'] ?? '',
    nullable: record['nullable'] === 'YES',
  }));
}

async function readUniqueKeys(
  session: Session,
  database: string,
  columns: ReadonlyMap<string, readonly ColumnRecord[]>,
): Promise<Map<string, KeyRecord[]>> {
  const records = await session.records(
    `SELECT TABLE_NAME AS table_name, INDEX_NAME AS name, COLUMN_NAME AS column_name,
       SUB_PART AS sub_part, COLLATION AS direction
     FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ${quoteString(database)} AND NON_UNIQUE = 0
     ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
  );
  const parts = groupByTable(records, (record) => record);
  const result = new Map<string, KeyRecord[]>();
  for (const [table, tableParts] of parts) {
    const required = new Set(
      (columns.get(table) ?? []).filter((column) => !column.nullable).map((column) => column.name),
    );
    const names = [...new Set(tableParts.map((part) => part['name'] ?? ''))];
    result.set(
      table,
      names.map((name) => toKey(name, tableParts, required)),
    );
  }
  return result;
}

function toKey(
  name: string,
  parts: readonly TextRecord[],
  required: ReadonlySet<string>,
): KeyRecord {
  const own = parts.filter((part) => part['name'] === name);
  return {
    name,
    columns: own.map((part) => part['column_name'] ?? ''),
    identifiesRows: own.every(
      (part) =>
        part['sub_part'] === null &&
        part['direction'] === 'A' &&
        required.has(part['column_name'] ?? ''),
    ),
  };
}

async function readTransactionalEngines(session: Session): Promise<Set<string>> {
  const records = await session.records(
    "SELECT ENGINE AS engine FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'",
  );
  return new Set(records.map((record) => (record['engine'] ?? '').toLowerCase()));
}

function groupByTable<T>(
  records: readonly TextRecord[],
  convert: (record: TextRecord) => T,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const table = record['table_name'] ?? '';
    const group = groups.get(table);
    if (group === undefined) groups.set(table, [convert(record)]);
    else group.push(convert(record));
  }
  return groups;
}
