/** What the server says of the tables that a transaction touched, as far as taking it back needs it. */
import type { PresentColumn } from '../../binlog/image-value.js';
import { quoteString } from '../../sql/quote.js';
import type { Session, TextRecord } from '../../mysql/session.js';

export interface PresentTable {
  readonly name: string;
  readonly engine: string;
  readonly isTransactional: boolean;
  readonly isVersioned: boolean;
  readonly columns: readonly PresentColumn[];
  /** Columns that the server keeps behind them and logs: MariaDB's for unique keys over long values. */
  readonly hiddenColumns: number;
  /** Numbers of the columns of a key that tells rows apart; without one the server compares rows whole. */
  readonly key: readonly number[] | undefined;
}

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

export interface PresentFacts {
  readonly tables: ReadonlyMap<string, PresentTable>;
  /** Keys that lead from or to one of the tables. */
  readonly foreignKeys: readonly ForeignKey[];
}

export async function readFacts(
  session: Session,
  database: string,
  names: readonly string[],
): Promise<PresentFacts> {
  const engines = await session.records(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, t.ENGINE AS engine, e.TRANSACTIONS AS transactions
     FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
     WHERE TABLE_SCHEMA = ${quoteString(database)} AND TABLE_NAME IN (${names.map(quoteString).join(', ')})`,
  );
  const tables = new Map<string, PresentTable>();
  for (const { name, kind, engine, transactions } of engines) {
    if (name === null || name === undefined) continue;
    tables.set(name, {
      name,
      engine: engine ?? '',
      isTransactional: transactions === 'YES',
      isVersioned: kind === 'SYSTEM VERSIONED',
      ...(await readColumns(session, database, name)),
    });
  }
  return { tables, foreignKeys: await readForeignKeys(session, database, new Set(names)) };
}

async function readColumns(
  session: Session,
  database: string,
  table: string,
): Promise<Pick<PresentTable, 'columns' | 'hiddenColumns' | 'key'>> {
  const where = `TABLE_SCHEMA = ${quoteString(database)} AND TABLE_NAME = ${quoteString(table)}`;
  const records = await session.records(
    `SELECT COLUMN_NAME AS name, LOWER(DATA_TYPE) AS data_type, COLUMN_TYPE AS column_type,
       CHARACTER_SET_NAME AS charset, GENERATION_EXPRESSION AS expression
     FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
  );
  const columns = records.map((record) => ({
    name: record['name'] ?? '',
    dataType: record['data_type'] ?? '',
    isUnsigned: /\b(?:unsigned|zerofill)\b/i.test(record['column_type'] ?? ''),
    charset: record['charset'] ?? null,
    isGenerated: (record['expression'] ?? '') !== '',
  }));
  const parts = await session.records(
    `SELECT INDEX_NAME AS name, COLUMN_NAME AS column_name, NULLABLE AS nullable,
       INDEX_TYPE AS kind
     FROM information_schema.STATISTICS WHERE ${where} AND NON_UNIQUE = 0
     ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
  );
  const hashed = parts.filter(({ kind }) => kind === 'HASH').map((part) => part['name']);
  const isMariaDb = session.facts.flavour === 'mariadb';
  return {
    columns,
    hiddenColumns: isMariaDb ? new Set(hashed).size : 0,
    key: keyOf(parts, columns),
  };
}

/** The primary key, or else a unique one without NULL: by such a one the server finds a row. */
function keyOf(
  parts: readonly TextRecord[],
  columns: readonly PresentColumn[],
): readonly number[] | undefined {
  const keys = groupBy(parts, (part) => part['name'] ?? '');
  for (const own of keys.values()) {
    const numbers = own.map((part) =>
      columns.findIndex(({ name }) => name === part['column_name'] && part['nullable'] !== 'YES'),
    );
    const isPlain = numbers.every((number) => columns[number]?.isGenerated === false);
    if (isPlain && numbers.length > 0) return numbers;
  }
  return undefined;
}

async function readForeignKeys(
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

function groupBy(
  records: readonly TextRecord[],
  keyOf: (record: TextRecord) => string,
): Map<string, TextRecord[]> {
  const groups = new Map<string, TextRecord[]>();
  for (const record of records) {
    const group = groups.get(keyOf(record));
    if (group === undefined) groups.set(keyOf(record), [record]);
    else group.push(record);
  }
  return groups;
}
