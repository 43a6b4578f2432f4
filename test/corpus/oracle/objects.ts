import type { RawConnection } from '../raw-connection.js';
import { quoteName, textLiteral } from '../sql-text.js';

export type Facts = Map<string, string>;

/** Columns of information_schema that name the place, the moment or an estimate, not the object. */
const NOT_COMPARED =
  /^(?:.*_CATALOG|.*_SCHEMA|CREATED|LAST_ALTERED|LAST_EXECUTED|CARDINALITY|PRIVILEGES|ORIGINATOR|VERSION|TABLE_ROWS|AVG_ROW_LENGTH|.*DATA_LENGTH|.*INDEX_LENGTH|DATA_FREE|.*_TIME|CHECKSUM|NODEGROUP)$/u;

/** Bytes as text; what is not UTF-8 as hex, so that no two different byte strings look the same. */
export function printable(bytes: Buffer | null): string {
  if (bytes === null) return 'NULL';
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? `=${text}` : `hex ${bytes.toString('hex')}`;
}

/** The single row of a statement such as SHOW CREATE as facts; a refusal is a fact too. */
export async function showFacts(connection: RawConnection, sql: string): Promise<Facts> {
  const facts: Facts = new Map();
  try {
    const { names, rows } = await connection.namedRows(sql);
    names.forEach((name, index) => {
      if (name !== 'Created') facts.set(name, printable(rows[0]?.[index] ?? null));
    });
  } catch (error) {
    facts.set(`refusal of ${sql}`, error instanceof Error ? error.message : String(error));
  }
  return facts;
}

/** The rows that information_schema has of a database, each as facts. */
export async function schemaRows(
  connection: RawConnection,
  view: string,
  schemaColumn: string,
  database: string,
  order: string,
): Promise<Facts[]> {
  const { names, rows } = await connection.namedRows(
    `SELECT * FROM information_schema.${view} WHERE ${schemaColumn} = ${textLiteral(database)} ORDER BY ${order}`,
  );
  return rows.map((row) => {
    const facts: Facts = new Map();
    names.forEach((name, index) => {
      if (!NOT_COMPARED.test(name)) facts.set(name, printable(row[index] ?? null));
    });
    return facts;
  });
}

/** The plain text of a fact that `schemaRows` captured. */
export function factText(facts: Facts, name: string): string {
  return (facts.get(name) ?? '').replace(/^=/u, '');
}

/** Adds the facts of `source` to `target`, their names behind a prefix. */
export function addFacts(target: Facts, prefix: string, source: Facts): void {
  for (const [name, value] of source) target.set(`${prefix}${name}`, value);
}

/** Facts of a routine, trigger, event, view, sequence or library: SHOW CREATE and its schema row. */
export async function definitionFacts(
  connection: RawConnection,
  kind: string,
  name: string,
  schemaRow: Facts,
): Promise<Facts> {
  const facts: Facts = new Map();
  addFacts(facts, '', await showFacts(connection, `SHOW CREATE ${kind} ${quoteName(name)}`));
  addFacts(facts, 'information_schema ', schemaRow);
  return facts;
}
