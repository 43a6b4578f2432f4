/** The foreign keys whose names some MariaDB servers print wrong; see src/sql/ddl-foreign-key-names.ts. */
import type { ForeignKeyNames } from '../sql/ddl-foreign-key-names.js';
import { quoteString } from '../sql/quote.js';
import type { Session, TextRecord } from './session.js';

/** By table: the keys with a backtick in the name of a constraint or a column. */
export async function readBacktickedForeignKeys(
  session: Session,
  database: string,
): Promise<Map<string, ForeignKeyNames[]>> {
  const parts = await session.records(
    `SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, COLUMN_NAME AS column_name,
       REFERENCED_TABLE_SCHEMA AS referenced_database, REFERENCED_TABLE_NAME AS referenced_table,
       REFERENCED_COLUMN_NAME AS referenced_column
     FROM information_schema.KEY_COLUMN_USAGE
     WHERE TABLE_SCHEMA = ${quoteString(database)} AND REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
  );
  const keys = new Map<string, TextRecord[]>();
  for (const part of parts) {
    const id = JSON.stringify([part['table_name'], part['name']]);
    keys.set(id, [...(keys.get(id) ?? []), part]);
  }
  const byTable = new Map<string, ForeignKeyNames[]>();
  for (const own of keys.values()) {
    const key = toKey(own, database);
    const isAffected = [key.constraint, ...key.columns, ...key.referencedColumns].some((name) =>
      name.includes('`'),
    );
    const table = own[0]?.['table_name'] ?? '';
    if (isAffected) byTable.set(table, [...(byTable.get(table) ?? []), key]);
  }
  return byTable;
}

function toKey(parts: readonly TextRecord[], database: string): ForeignKeyNames {
  const [first] = parts;
  const referencedDatabase = first?.['referenced_database'] ?? database;
  return {
    constraint: first?.['name'] ?? '',
    columns: parts.map((part) => part['column_name'] ?? ''),
    ...(referencedDatabase === database ? {} : { referencedDatabase }),
    referencedTable: first?.['referenced_table'] ?? '',
    referencedColumns: parts.map((part) => part['referenced_column'] ?? ''),
  };
}
