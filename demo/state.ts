/** What a database holds, in a form that can be compared: checksums of rows, and definitions. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { quoteIdentifier } from '../src/sql/quote.js';

export interface TableState {
  readonly rows: number;
  /** The server's own CHECKSUM TABLE. */
  readonly checksum: string;
}

export interface DatabaseState {
  readonly tables: ReadonlyMap<string, TableState>;
  /** By type and name, e.g. `TRIGGER LOAN_LENDS`: what SHOW CREATE says, all columns of it. */
  readonly definitions: ReadonlyMap<string, string>;
}

const OBJECTS = `
  SELECT 'TABLE' AS type, TABLE_NAME AS name FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'
  UNION ALL SELECT 'VIEW', TABLE_NAME FROM information_schema.VIEWS
    WHERE TABLE_SCHEMA = DATABASE()
  UNION ALL SELECT 'TRIGGER', TRIGGER_NAME FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE()
  UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES
    WHERE ROUTINE_SCHEMA = DATABASE()
  UNION ALL SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS
    WHERE EVENT_SCHEMA = DATABASE()
  ORDER BY 1, 2`;

/** Looks at everything in the connection's own database. */
export async function readState(connection: Connection): Promise<DatabaseState> {
  const tables = new Map<string, TableState>();
  const definitions = new Map<string, string>();
  for (const { type, name } of await rowsOf(connection, OBJECTS)) {
    const [object, quoted] = [`${String(type)} ${String(name)}`, quoteIdentifier(String(name))];
    definitions.set(object, await showCreate(connection, `${String(type)} ${quoted}`));
    if (type === 'TABLE') tables.set(String(name), await readTable(connection, quoted));
  }
  return { tables, definitions };
}

/** The definition and all that belongs to it (sql_mode, character sets), but not the time of its creation. */
async function showCreate(connection: Connection, object: string): Promise<string> {
  const [row] = await rowsOf(connection, `SHOW CREATE ${object}`);
  return JSON.stringify({ ...row, Created: undefined });
}

async function readTable(connection: Connection, table: string): Promise<TableState> {
  const [checksum] = await rowsOf(connection, `CHECKSUM TABLE ${table}`);
  const [count] = await rowsOf(connection, `SELECT COUNT(*) AS count FROM ${table}`);
  return { rows: Number(count?.['count']), checksum: String(checksum?.['Checksum']) };
}

type Row = Readonly<Record<string, unknown>>;

async function rowsOf(connection: Connection, sql: string): Promise<readonly Row[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows;
}

/** Tables and definitions that are not the same in both, one line for each; none where all are. */
export function differences(before: DatabaseState, after: DatabaseState): string[] {
  const found: string[] = [];
  for (const name of keysOf(before.tables, after.tables)) {
    const [was, is] = [before.tables.get(name), after.tables.get(name)];
    if (was?.rows !== is?.rows || was?.checksum !== is?.checksum) {
      found.push(`table ${name}: ${describe(was)} before, ${describe(is)} now`);
    }
  }
  for (const name of keysOf(before.definitions, after.definitions)) {
    const [was, is] = [before.definitions.get(name), after.definitions.get(name)];
    if (was === is) continue;
    const how = is === undefined ? 'is gone' : was === undefined ? 'is new' : 'is another one';
    found.push(`definition of ${name}: ${how}`);
  }
  return found;
}

function keysOf(...maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
}

function describe(table: TableState | undefined): string {
  return table === undefined ? 'none' : `${table.rows} rows with checksum ${table.checksum}`;
}

/** The states side by side: a line for each table, with its rows and checksum in each state. */
export function formatStates(
  columns: readonly { readonly title: string; readonly state: DatabaseState }[],
): string[] {
  const names = keysOf(...columns.map(({ state }) => state.tables));
  const lines = [
    ['table', ...columns.map(({ title }) => title)],
    ...names.map((name) => [name, ...columns.map(({ state }) => cell(state.tables.get(name)))]),
  ];
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, at) => text.padEnd(widths?.[at] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

function cell(table: TableState | undefined): string {
  if (table === undefined) return '(gone)';
  return `${String(table.rows).padStart(6)} rows  ${table.checksum.padStart(10)}`;
}
