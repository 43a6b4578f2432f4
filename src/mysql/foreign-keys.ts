/** Foreign keys as the server has them, and the rows that have lost the row that theirs leads to. */
import { quoteIdentifier, quoteString } from '../sql/quote.js';
import { groupBy } from './group-records.js';
import type { Session, TextRecord } from './session.js';

export interface ForeignKey {
  readonly name: string;
  readonly database: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly parentDatabase: string;
  readonly parentTable: string;
  readonly parentColumns: readonly string[];
  /** What happens to rows of `table` when their parent row goes, or changes. */
  readonly onDelete: string;
  readonly onUpdate: string;
}

/** Keys that lead from or to one of the tables. */
export async function readForeignKeys(
  session: Session,
  database: string,
  tables: ReadonlySet<string>,
): Promise<ForeignKey[]> {
  const quoted = quoteString(database);
  const parts = await session.records(
    `SELECT k.CONSTRAINT_NAME AS name, k.TABLE_SCHEMA AS db, k.TABLE_NAME AS tbl, k.COLUMN_NAME AS col,
       k.REFERENCED_TABLE_SCHEMA AS parent_db, k.REFERENCED_TABLE_NAME AS parent, k.REFERENCED_COLUMN_NAME AS parent_col,
       r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update
     FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
       ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
         AND r.TABLE_NAME = k.TABLE_NAME
     WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND (k.TABLE_SCHEMA = ${quoted} OR k.REFERENCED_TABLE_SCHEMA = ${quoted})
     ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
  );
  const keys = groupBy(parts, (part) => JSON.stringify([part['db'], part['tbl'], part['name']]));
  return [...keys.values()].map(toForeignKey).filter((key) => {
    const isChild = key.database === database && tables.has(key.table);
    return isChild || (key.parentDatabase === database && tables.has(key.parentTable));
  });
}

function toForeignKey(parts: readonly TextRecord[]): ForeignKey {
  const text = (name: string): string => parts[0]?.[name] ?? '';
  return {
    name: text('name'),
    database: text('db'),
    table: text('tbl'),
    columns: parts.map((part) => part['col'] ?? ''),
    parentDatabase: text('parent_db'),
    parentTable: text('parent'),
    parentColumns: parts.map((part) => part['parent_col'] ?? ''),
    onDelete: text('on_delete'),
    onUpdate: text('on_update'),
  };
}

/** SQL that counts the rows of the key's table without their parent row. */
export function orphanCount(key: ForeignKey): string {
  const child = `${quoteIdentifier(key.database)}.${quoteIdentifier(key.table)}`;
  const parent = `${quoteIdentifier(key.parentDatabase)}.${quoteIdentifier(key.parentTable)}`;
  const pairs = key.columns.map((column, at) => [column, key.parentColumns[at] ?? ''] as const);
  const on = pairs.map(([own, of]) => `c.${quoteIdentifier(own)} = p.${quoteIdentifier(of)}`);
  const isSet = key.columns.map((column) => `c.${quoteIdentifier(column)} IS NOT NULL`);
  const [first = ''] = key.parentColumns;
  return (
    `SELECT COUNT(*) FROM ${child} c LEFT JOIN ${parent} p ON ${on.join(' AND ')} ` +
    `WHERE ${isSet.join(' AND ')} AND p.${quoteIdentifier(first)} IS NULL`
  );
}
