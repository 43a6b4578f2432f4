/**
 * Definitions of tables to the letter. What SHOW CREATE TABLE loses on its way is asked for in ways
 * that read no row and need no privilege but SELECT:
 * - with `character_set_results = NULL` MySQL sends CHECK clauses, generated columns and default
 *   expressions in the bytes that it keeps (in utf8mb4 it takes its own text to be utf8mb3);
 * - names of members, which are never printed whole, by putting their numbers into a value of the
 *   column's own type: a recursive CTE takes its types from the part that is not recursive;
 * - defaults by DEFAULT() over one row that an outer join makes up;
 * - names in foreign keys, which some MariaDB servers print without doubling their backticks.
 */
import { ReshelveError } from '../errors.js';
import { renameMembers } from '../sql/column-members.js';
import { withHexLiterals } from '../sql/ddl-introducers.js';
import { withQuotedForeignKeys } from '../sql/ddl-foreign-key-names.js';
import { doubtfulColumns, withTrueLiterals } from '../sql/ddl-lost-characters.js';
import type { DoubtfulColumn, TrueColumn, TrueText } from '../sql/ddl-lost-characters.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { ColumnRecord } from './schema.js';
import { readBacktickedForeignKeys } from './foreign-key-names.js';
import { ERRNO, isServerError } from './server-error.js';
import type { Session, TextRecord } from './session.js';

export interface ExactDefinition {
  /** In utf8mb4. */
  readonly createStatement: Buffer;
  readonly columns: ReadonlyMap<string, TrueColumn>;
  /** Columns of whose printed `?` the server would not tell what they are. */
  readonly uncertain: readonly string[];
}

/** Where a definition is: both names are plain, without quotes. */
interface TableName {
  readonly database: string;
  readonly table: string;
}

/** SHOW CREATE TABLE of each, as far as the server prints it; statements beside them: two. */
export async function readPrintedDefinitions(
  session: Session,
  database: string,
  tables: readonly string[],
): Promise<Buffer[]> {
  const isMysql = session.facts.flavour === 'mysql';
  const printed: Buffer[] = [];
  if (isMysql) await session.execute('SET SESSION character_set_results = NULL');
  try {
    for (const table of tables) {
      const text = await showCreateTable(session, database, table);
      printed.push(isMysql ? withHexLiterals(text) : text);
    }
  } finally {
    if (isMysql) await session.execute('SET SESSION character_set_results = utf8mb4');
  }
  return isMysql ? printed : withForeignKeyNames(session, database, tables, printed);
}

/** The server is asked for foreign keys only where there are any. */
async function withForeignKeyNames(
  session: Session,
  database: string,
  tables: readonly string[],
  printed: readonly Buffer[],
): Promise<Buffer[]> {
  if (!printed.some((text) => text.includes(' FOREIGN KEY ('))) return [...printed];
  const keys = await readBacktickedForeignKeys(session, database);
  return printed.map((text, at) => withQuotedForeignKeys(text, keys.get(tables[at] ?? '') ?? []));
}

/** SHOW CREATE TABLE alone: cheap, and whole unless it holds a `?` or a character beyond ASCII. */
export async function showCreateTable(
  session: Session,
  database: string,
  table: string,
): Promise<Buffer> {
  const { rows } = await session.query(`SHOW CREATE TABLE ${qualified({ database, table })}`);
  const text = rows[0]?.[1];
  if (text === undefined || text === null) {
    throw new ReshelveError('SCHEMA_CHANGED', `table ${database}.${table} has no definition`);
  }
  return text;
}

/** Completes a printed definition; asks the server only where it holds a `?` that may be a loss. */
export async function readExactDefinition(
  session: Session,
  database: string,
  table: string,
  printed: Buffer,
): Promise<ExactDefinition> {
  const doubtful = doubtfulColumns(printed);
  const columns = new Map<string, TrueColumn>();
  const uncertain: string[] = [];
  for (const column of doubtful) {
    const truth = await readTrueColumn(session, { database, table }, column);
    columns.set(column.name, truth);
    const isWhole =
      truth.members.size === column.members.size &&
      (column.defaultValue === undefined || truth.defaultValue !== undefined);
    if (!isWhole) uncertain.push(column.name);
  }
  return { createStatement: withTrueLiterals(printed, doubtful, columns), columns, uncertain };
}

/** The column as it is: rows are read by the names of members only where these are known. */
export function withTrueMembers(column: ColumnRecord, exact: ExactDefinition): ColumnRecord {
  const truth = exact.columns.get(column.name);
  if (truth === undefined) return column;
  if (exact.uncertain.includes(column.name)) return { ...column, columnType: column.dataType };
  const names = new Map([...truth.members].map(([number, { text }]) => [number, text]));
  return { ...column, columnType: renameMembers(column.columnType, names) };
}

async function readTrueColumn(
  session: Session,
  name: TableName,
  column: DoubtfulColumn,
): Promise<TrueColumn> {
  const members = new Map<number, TrueText>();
  try {
    const numbers = [...column.members.keys()];
    for (let at = 0; at < numbers.length; at += MEMBERS_AT_ONCE) {
      const part = numbers.slice(at, at + MEMBERS_AT_ONCE);
      for (const [number, text] of await readMembers(session, name, column, part)) {
        members.set(number, text);
      }
    }
    if (column.defaultValue === undefined) return { members };
    const defaultValue = await readDefault(session, name, column.name);
    return defaultValue === undefined ? { members } : { members, defaultValue };
  } catch (error) {
    // A server too old for it, or a table that cannot be opened (MERGE over tables that are gone).
    const isUnable = isServerError(error) && error.code === 'SERVER';
    if (!isUnable || error.errno === ERRNO.noSuchTable) throw error;
    return { members };
  }
}

const MEMBERS_AT_ONCE = 500;

/** One row that the table need not have. */
function madeUpRow(name: TableName): string {
  return `(SELECT 1) AS o LEFT JOIN ${qualified(name)} AS t ON FALSE`;
}

/** What is selected of a value to know it whole, under names of its own. */
function wholeText(value: string): string {
  return `CHARSET(${value}) AS character_set, HEX(CAST(${value} AS BINARY)) AS bytes,
    HEX(CONVERT(${value} USING utf8mb4)) AS text`;
}

function trueText(record: TextRecord): TrueText | undefined {
  const { character_set: characterSet, bytes, text } = record;
  if (typeof characterSet !== 'string' || typeof bytes !== 'string') return undefined;
  if (typeof text !== 'string') return undefined;
  return {
    characterSet: characterSet.toLowerCase(),
    bytes: Buffer.from(bytes, 'hex'),
    text: Buffer.from(text, 'hex').toString('utf8'),
  };
}

async function readMembers(
  session: Session,
  name: TableName,
  column: DoubtfulColumn,
  numbers: readonly number[],
): Promise<Map<number, TrueText>> {
  const isSet = column.type === 'set';
  const records =
    isSet && session.facts.flavour === 'mariadb'
      ? await readMembersByVariable(session, name, column.name, numbers)
      : await readMembersByRecursion(session, name, column, numbers);
  const members = new Map<number, TrueText>();
  for (const record of records) {
    const number = Number(record['number']);
    const text = trueText(record);
    const isOwn = record['value'] === String(isSet ? maskOf(number) : number);
    // A number that found no room leaves an empty value; a member with a `?` is not empty.
    if (isOwn && text !== undefined && text.bytes.length > 0) members.set(number, text);
  }
  return members;
}

function maskOf(number: number): bigint {
  return 1n << BigInt(number - 1);
}

/** The list is joined only to the first row, so that the depth is 1 however many members there are. */
async function readMembersByRecursion(
  session: Session,
  name: TableName,
  column: DoubtfulColumn,
  numbers: readonly number[],
): Promise<TextRecord[]> {
  const value = column.type === 'set' ? '1 << (m.number - 1)' : 'm.number';
  const list = numbers.map((number, at) => `SELECT ${number}${at === 0 ? ' AS number' : ''}`);
  return session.records(
    `WITH RECURSIVE r AS (
       SELECT 0 AS number, t.${quoteIdentifier(column.name)} AS v FROM ${madeUpRow(name)}
       UNION ALL
       SELECT m.number, ${value} FROM r JOIN (${list.join(' UNION ALL ')}) AS m ON r.number = 0)
     SELECT number, CAST(v AS UNSIGNED) AS value, ${wholeText('v')} FROM r WHERE number > 0`,
  );
}

/**
 * MariaDB gives a SET in a temporary table room for eight members only (10.11); a variable of an
 * anonymous block has room for all.
 */
async function readMembersByVariable(
  session: Session,
  name: TableName,
  column: string,
  numbers: readonly number[],
): Promise<TextRecord[]> {
  const type = `${qualified(name)}.${quoteIdentifier(column)}`;
  const records: TextRecord[] = [];
  for (const number of numbers) {
    await session.execute(
      `BEGIN NOT ATOMIC DECLARE v TYPE OF ${type}; SET v = ${maskOf(number)};
       SET @reshelve_set = CHARSET(v), @reshelve_bytes = HEX(CAST(v AS BINARY)),
         @reshelve_text = HEX(CONVERT(v USING utf8mb4)); END`,
    );
    records.push(
      ...(await session.records(
        `SELECT ${number} AS number, ${maskOf(number)} AS value, @reshelve_set AS character_set,
           @reshelve_bytes AS bytes, @reshelve_text AS text`,
      )),
    );
  }
  return records;
}

/** By way of a derived table, whose columns may be NULL: the made up row of a NOT NULL one has none. */
async function readDefault(
  session: Session,
  name: TableName,
  column: string,
): Promise<TrueText | undefined> {
  const [record] = await session.records(
    `SELECT ${wholeText('DEFAULT(q.v)')}
     FROM (SELECT t.${quoteIdentifier(column)} AS v FROM ${madeUpRow(name)} LIMIT 1) AS q`,
  );
  return record === undefined ? undefined : trueText(record);
}

function qualified({ database, table }: TableName): string {
  return `${quoteIdentifier(database)}.${quoteIdentifier(table)}`;
}
