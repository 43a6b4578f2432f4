/**
 * The SQL of everything in an archive but the rows. A plain `mysql` client must be able to run it,
 * so session state is set by statements, bodies come between DELIMITER lines, and nothing needs a
 * privilege that loading itself would not need.
 */
import { chooseDelimiter } from './ddl-delimiter.js';
import { quoteIdentifier, quoteString } from './quote.js';

/** `sql_mode` while loading: nothing is rejected or changed, 0 stays 0, `2024-02-30` stays. */
export const LOAD_SQL_MODE = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
export const LOAD_TIME_ZONE = '+00:00';

/**
 * Session state that each connection of a loader needs. Statements for MariaDB alone are hidden from
 * MySQL in its version comments.
 */
export const LOAD_SESSION: readonly string[] = [
  'SET NAMES utf8mb4',
  `SET SESSION time_zone = '${LOAD_TIME_ZONE}'`,
  `SET SESSION sql_mode = '${LOAD_SQL_MODE}'`,
  'SET SESSION foreign_key_checks = 0',
  'SET SESSION unique_checks = 0',
  '/*M!100200 SET SESSION check_constraint_checks = 0 */',
  '/*M!101100 SET SESSION system_versioning_insert_history = 1 */',
];

export interface HeaderFacts {
  readonly database: string;
  readonly server: string;
  readonly toolVersion: string;
  readonly startedAt: string;
}

/** The SQL of the header member behind the signature line that the archive puts there itself. */
export function headerSql(facts: HeaderFacts): string {
  return [
    `-- database ${JSON.stringify(facts.database)} of ${facts.server}, begun ${facts.startedAt}`,
    `-- written by Reshelve ${facts.toolVersion}; load it into any database with`,
    '--   gunzip -c FILE | mysql --binary-mode DBNAME',
    ...LOAD_SESSION.map((statement) => `${statement};`),
    '',
  ].join('\n');
}

export interface SqlText {
  readonly sql: Buffer;
  readonly statements: number;
  readonly longestStatement: number;
}

/**
 * Sets the counters of tables that would not take them before their rows, and puts a client's
 * session back in the state that servers usually start it with.
 */
export function closingSql(
  counters: readonly { readonly table: string; readonly counter: string }[],
): SqlText {
  const lines = [
    ...counters.map(
      ({ table, counter }) => `ALTER TABLE ${quoteIdentifier(table)} AUTO_INCREMENT = ${counter};`,
    ),
    'SET SESSION foreign_key_checks = 1;',
    'SET SESSION unique_checks = 1;',
    '/*M!100200 SET SESSION check_constraint_checks = 1 */;',
    '/*M!101100 SET SESSION system_versioning_insert_history = 0 */;',
    'SET SESSION sql_mode = DEFAULT;',
    'SET SESSION time_zone = DEFAULT;',
  ];
  return {
    sql: Buffer.from(`${lines.join('\n')}\n`),
    statements: lines.length,
    longestStatement: Math.max(...lines.map((line) => Buffer.byteLength(line))),
  };
}

export function tableSql(name: string, createStatement: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`DROP TABLE IF EXISTS ${quoteIdentifier(name)};\n`),
    createStatement,
    Buffer.from(';\n'),
  ]);
}

export function sequenceSql(
  name: string,
  createStatement: Buffer,
  stateStatement: string | undefined,
): Buffer {
  return Buffer.concat([
    Buffer.from(`DROP SEQUENCE IF EXISTS ${quoteIdentifier(name)};\n`),
    createStatement,
    Buffer.from(stateStatement === undefined ? ';\n' : `;\n${stateStatement};\n`),
  ]);
}

export interface ObjectText {
  /** As after CREATE: `VIEW`, `PACKAGE BODY`. */
  readonly keyword: string;
  readonly name: string;
  readonly createStatement: Buffer;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  /** Set where it differs from the database's default: the object was made under another. */
  readonly databaseCollation?: string;
  /** The default to return to; needed with `databaseCollation`. */
  readonly ownCollation: string;
  readonly timeZone?: string;
}

/** One view, routine, trigger or event with the session state that it was made under. */
export function objectSql(object: ObjectText): Buffer {
  const name = quoteIdentifier(object.name);
  const delimiter = chooseDelimiter(object.createStatement);
  const before = [
    ...(object.databaseCollation === undefined
      ? []
      : [`ALTER DATABASE COLLATE = ${object.databaseCollation};`]),
    ...(object.timeZone === undefined
      ? []
      : [`SET SESSION time_zone = ${quoteString(object.timeZone)};`]),
    `SET SESSION sql_mode = ${quoteString(object.sqlMode)};`,
    // Behind sql_mode, because MariaDB knows packages only under ORACLE.
    `DROP ${object.keyword} IF EXISTS ${name};`,
    `SET SESSION character_set_client = ${object.characterSetClient};`,
    `SET SESSION collation_connection = ${object.collationConnection};`,
    `DELIMITER ${delimiter}`,
    '',
  ].join('\n');
  const after = [
    '',
    delimiter,
    'DELIMITER ;',
    'SET NAMES utf8mb4;',
    `SET SESSION sql_mode = '${LOAD_SQL_MODE}';`,
    ...(object.timeZone === undefined ? [] : [`SET SESSION time_zone = '${LOAD_TIME_ZONE}';`]),
    ...(object.databaseCollation === undefined
      ? []
      : [`ALTER DATABASE COLLATE = ${object.ownCollation};`]),
    '',
  ].join('\n');
  return Buffer.concat([Buffer.from(before), object.createStatement, Buffer.from(after)]);
}

/** The definition of an object that cannot be loaded, kept for a person to read. */
export function brokenObjectSql(object: ObjectText, reason: string): Buffer {
  const kept = object.createStatement.toString('latin1').replaceAll(/\r\n|\r|\n/g, '\n-- ');
  return Buffer.concat([
    Buffer.from(`-- ${object.keyword} ${quoteIdentifier(object.name).replaceAll(/[\r\n]/g, ' ')}`),
    Buffer.from(` is left out, because it is broken (${reason}):\n-- `),
    Buffer.from(kept, 'latin1'),
    Buffer.from('\n'),
  ]);
}

/** The opening of each INSERT of a table. */
export function insertPrefix(table: string, columns: readonly string[]): Buffer {
  const names = columns.map(quoteIdentifier).join(',');
  return Buffer.from(`INSERT INTO ${quoteIdentifier(table)} (${names}) VALUES\n`);
}
