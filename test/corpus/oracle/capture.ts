import { RawConnection, type ServerAddress } from '../raw-connection.js';
import { quoteName, textLiteral } from '../sql-text.js';
import {
  addFacts,
  definitionFacts,
  factText,
  printable,
  schemaRows,
  showFacts,
  type Facts,
} from './objects.js';
import { captureRows, type ColumnInfo } from './rows.js';
import type { DatabaseState, ObjectState } from './state.js';

interface Capturing {
  readonly connection: RawConnection;
  readonly database: string;
  readonly isMariaDb: boolean;
  readonly objects: Map<string, ObjectState>;
}

/**
 * Captures every object of a database and every stored value of every table. The database must be
 * at rest: the reads share no snapshot. The user must be allowed to read everything.
 */
export async function captureState(
  address: ServerAddress,
  database: string,
): Promise<DatabaseState> {
  const connection = await RawConnection.open(address);
  try {
    const version = printable((await connection.rows('SELECT VERSION()'))[0]?.[0] ?? null).slice(1);
    const isMariaDb = version.includes('MariaDB');
    await prepareSession(connection, database, isMariaDb);
    const capturing = { connection, database, isMariaDb, objects: new Map<string, ObjectState>() };
    await captureDatabase(capturing);
    await captureTables(capturing);
    await captureRoutines(capturing);
    await captureTriggers(capturing);
    await captureEvents(capturing);
    return { database, version, objects: capturing.objects };
  } finally {
    await connection.end();
  }
}

async function prepareSession(
  connection: RawConnection,
  database: string,
  isMariaDb: boolean,
): Promise<void> {
  await connection.run('SET NAMES utf8mb4');
  // No conversion of results: definitions and text arrive as the bytes that the server holds.
  await connection.run('SET character_set_results = NULL');
  await connection.run("SET SESSION sql_mode = '', time_zone = '+00:00'");
  if (!isMariaDb) {
    await connection.run('SET SESSION information_schema_stats_expiry = 0');
    await connection.run('SET SESSION show_gipk_in_create_table_and_information_schema = ON');
  }
  await connection.run(`USE ${quoteName(database)}`);
}

async function captureDatabase({
  connection,
  database,
  isMariaDb,
  objects,
}: Capturing): Promise<void> {
  const facts: Facts = new Map();
  const views = isMariaDb ? ['SCHEMATA'] : ['SCHEMATA', 'SCHEMATA_EXTENSIONS'];
  for (const view of views) {
    const [row] = await schemaRows(connection, view, 'SCHEMA_NAME', database, '1');
    row?.delete('SCHEMA_NAME');
    if (row) addFacts(facts, '', row);
  }
  objects.set('database', { facts });
}

async function captureTables(capturing: Capturing): Promise<void> {
  const { connection, database } = capturing;
  const tables = await schemaRows(connection, 'TABLES', 'TABLE_SCHEMA', database, 'TABLE_NAME');
  const details = await tableDetails(connection, database);
  for (const table of tables) {
    const name = factText(table, 'TABLE_NAME');
    const type = factText(table, 'TABLE_TYPE');
    const columns = details.get(name) ?? new Map<string, string>();
    if (type === 'VIEW') await captureView(capturing, name, columns);
    else if (type === 'SEQUENCE') await captureSequence(capturing, name);
    else await captureTable(capturing, name, table, columns);
  }
}

/** Columns, indexes and partitions of all tables in three queries, by table. */
async function tableDetails(
  connection: RawConnection,
  database: string,
): Promise<Map<string, Facts>> {
  const details = new Map<string, Facts>();
  const sources = [
    ['COLUMNS', 'column', 'COLUMN_NAME', 'TABLE_NAME, ORDINAL_POSITION'],
    ['STATISTICS', 'index', 'INDEX_NAME', 'TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX'],
    ['PARTITIONS', 'partition', 'PARTITION_NAME', 'TABLE_NAME, PARTITION_ORDINAL_POSITION'],
  ] as const;
  for (const [view, kind, nameColumn, order] of sources) {
    for (const row of await schemaRows(connection, view, 'TABLE_SCHEMA', database, order)) {
      const table = factText(row, 'TABLE_NAME');
      const facts = details.get(table) ?? new Map<string, string>();
      details.set(table, facts);
      const part = row.get('SEQ_IN_INDEX') ?? row.get('SUBPARTITION_NAME') ?? '';
      if (row.get('PARTITION_NAME') !== 'NULL') {
        addFacts(facts, `${kind} ${factText(row, nameColumn)}${part} `, row);
      }
    }
  }
  return details;
}

/** What a view's column took from the sql_mode it was made under, which no view keeps. */
const OF_THE_CREATING_SESSION = / (?:IS_NULLABLE|COLUMN_DEFAULT)$/u;

async function captureView(capturing: Capturing, name: string, columns: Facts): Promise<void> {
  const { connection, database, objects } = capturing;
  const [row = new Map<string, string>()] = await schemaRows(
    connection,
    'VIEWS',
    `TABLE_NAME = ${textLiteral(name)} AND TABLE_SCHEMA`,
    database,
    '1',
  );
  const facts = await definitionFacts(connection, 'VIEW', name, row);
  for (const [fact, value] of columns) {
    if (!OF_THE_CREATING_SESSION.test(fact)) facts.set(fact, value);
  }
  facts.set('readable', await readable(connection, name));
  objects.set(`view ${name}`, { facts });
}

/** Whether the view can be selected from: its tables, functions and definer all being there. */
async function readable(connection: RawConnection, name: string): Promise<string> {
  try {
    await connection.rows(`SELECT * FROM ${quoteName(name)} LIMIT 0`);
    return 'yes';
  } catch {
    return 'no';
  }
}

async function captureSequence({ connection, objects }: Capturing, name: string): Promise<void> {
  const facts = await showFacts(connection, `SHOW CREATE SEQUENCE ${quoteName(name)}`);
  addFacts(facts, 'state ', await showFacts(connection, `SELECT * FROM ${quoteName(name)}`));
  objects.set(`sequence ${name}`, { facts });
}

async function captureTable(
  { connection, isMariaDb, objects }: Capturing,
  name: string,
  table: Facts,
  details: Facts,
): Promise<void> {
  const facts = await definitionFacts(connection, 'TABLE', name, withoutMoods(table, isMariaDb));
  addFacts(facts, '', details);
  const columns = columnsOf(details);
  const versioned = factText(table, 'TABLE_TYPE') === 'SYSTEM VERSIONED';
  if (versioned && !isPeriodDeclared(details)) {
    columns.push(
      { name: 'ROW_START', dataType: 'timestamp' },
      { name: 'ROW_END', dataType: 'timestamp' },
    );
  }
  const from = `${quoteName(name)}${versioned ? ' FOR SYSTEM_TIME ALL' : ''}`;
  objects.set(`table ${name}`, {
    facts,
    rows: await captureRows(connection, from, columns, !isMariaDb),
  });
}

/** Without differences that mean nothing: they tell whether someone asked before. */
function withoutMoods(table: Facts, isMariaDb: boolean): Facts {
  const facts = new Map(table);
  // MySQL gives the last id of InnoDB, not the next one, until the table has been opened (after a
  // start, or when it was dropped from the cache). SHOW CREATE opens it, and has the counter too.
  if (!isMariaDb && facts.get('ENGINE') === '=InnoDB') facts.delete('AUTO_INCREMENT');
  // An unused counter is 1 once the table has been opened, and NULL before.
  if (facts.get('AUTO_INCREMENT') === '=1') facts.set('AUTO_INCREMENT', 'NULL');
  // SHOW CREATE prints Aria's default as if it had been asked for, and so it is in a copy.
  const options = facts.get('CREATE_OPTIONS') ?? 'NULL';
  facts.set('CREATE_OPTIONS', options.replace(/page_checksum=1 ?/u, ''));
  return facts;
}

function columnsOf(details: Facts): ColumnInfo[] {
  const columns: ColumnInfo[] = [];
  for (const [fact, value] of details) {
    const [, column] = /^column ([\s\S]*) DATA_TYPE$/u.exec(fact) ?? [];
    if (column !== undefined) columns.push({ name: column, dataType: value.slice(1) });
  }
  return columns;
}

/** MariaDB hides ROW_START and ROW_END from the column list unless the table declares them. */
function isPeriodDeclared(details: Facts): boolean {
  return [...details].some(
    ([fact, value]) => fact.endsWith(' GENERATION_EXPRESSION') && value === '=ROW START',
  );
}

async function captureRoutines({
  connection,
  database,
  isMariaDb,
  objects,
}: Capturing): Promise<void> {
  const parameters = await schemaRows(
    connection,
    'PARAMETERS',
    'SPECIFIC_SCHEMA',
    database,
    '3, 4',
  );
  for (const row of await schemaRows(
    connection,
    'ROUTINES',
    'ROUTINE_SCHEMA',
    database,
    'ROUTINE_TYPE, ROUTINE_NAME',
  )) {
    const kind = factText(row, 'ROUTINE_TYPE');
    const name = factText(row, 'ROUTINE_NAME');
    const facts = await definitionFacts(connection, kind, name, row);
    for (const parameter of parameters) {
      const belongs =
        factText(parameter, 'SPECIFIC_NAME') === name &&
        factText(parameter, 'ROUTINE_TYPE') === kind;
      if (belongs)
        addFacts(facts, `parameter ${factText(parameter, 'ORDINAL_POSITION')} `, parameter);
    }
    objects.set(`${kind.toLowerCase()} ${name}`, { facts });
  }
  if (isMariaDb) return;
  for (const row of await schemaRows(
    connection,
    'LIBRARIES',
    'LIBRARY_SCHEMA',
    database,
    'LIBRARY_NAME',
  )) {
    const name = factText(row, 'LIBRARY_NAME');
    objects.set(`library ${name}`, {
      facts: await definitionFacts(connection, 'LIBRARY', name, row),
    });
  }
}

async function captureTriggers({ connection, database, objects }: Capturing): Promise<void> {
  for (const row of await schemaRows(
    connection,
    'TRIGGERS',
    'TRIGGER_SCHEMA',
    database,
    'TRIGGER_NAME',
  )) {
    const name = factText(row, 'TRIGGER_NAME');
    objects.set(`trigger ${name}`, {
      facts: await definitionFacts(connection, 'TRIGGER', name, row),
    });
  }
}

async function captureEvents({ connection, database, objects }: Capturing): Promise<void> {
  for (const row of await schemaRows(
    connection,
    'EVENTS',
    'EVENT_SCHEMA',
    database,
    'EVENT_NAME',
  )) {
    const name = factText(row, 'EVENT_NAME');
    objects.set(`event ${name}`, { facts: await definitionFacts(connection, 'EVENT', name, row) });
  }
}
