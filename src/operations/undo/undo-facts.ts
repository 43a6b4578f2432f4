/** What the server says of the tables that a transaction touched, as far as taking it back needs it. */
import type { PresentColumn } from '../../binlog/image-value.js';
import { readForeignKeys } from '../../mysql/foreign-keys.js';
import type { ForeignKey } from '../../mysql/foreign-keys.js';
import { groupBy } from '../../mysql/group-records.js';
import type { Session, TextRecord } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';

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
