/** Everything that the doctor reads from a server, in a form that judging it needs no server. */
import { areInformative, readCoordinates } from '../../mysql/coordinates.js';
import type { GrantSet } from '../../mysql/grants.js';
import { readGrants } from '../../mysql/grants.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';
import type { Grantee } from './doctor-grant.js';

export interface ServerState extends Grantee {
  readonly grants: GrantSet;
  /** Values of system variables; one that this server does not have is missing. */
  readonly variables: ReadonlyMap<string, string>;
  /** Whether coordinates can be read that prove that nothing was committed between two looks. */
  readonly coordinatesTell: boolean;
}

/** What is in the database, as far as this user sees it. */
export interface DatabaseContent {
  readonly tables: number;
  readonly views: number;
  /** Tables whose engine has no transactions: `LOG (MyISAM)`. */
  readonly nonTransactional: readonly string[];
  readonly routines: number;
  /** Routines that are visible without their bodies. */
  readonly hiddenBodies: number;
  /** Functions and triggers: what error 1419 is about. */
  readonly functionsAndTriggers: number;
  /** Users in whose name views, routines, triggers and events run, this one not counted. */
  readonly otherDefiners: readonly string[];
}

export const NO_CONTENT: DatabaseContent = {
  tables: 0,
  views: 0,
  nonTransactional: [],
  routines: 0,
  hiddenBodies: 0,
  functionsAndTriggers: 0,
  otherDefiners: [],
};

const VARIABLES = [
  'binlog_expire_logs_seconds',
  'binlog_format',
  'binlog_row_image',
  'default_table_encryption',
  'expire_logs_days',
  'gtid_mode',
  'log_bin',
  'log_bin_trust_function_creators',
  'max_allowed_packet',
  'partial_revokes',
  'system_time_zone',
  'table_encryption_privilege_check',
  'time_zone',
] as const;

const TIMEOUT_MS = 60_000;
const DEFINERS_SHOWN_MAX = 20;

export async function readServerState(session: Session): Promise<ServerState> {
  const names = VARIABLES.map(quoteString).join(', ');
  const records = await session.records(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`, {
    timeoutMs: TIMEOUT_MS,
  });
  const variables = new Map(
    records.map((record) => [record['Variable_name'] ?? '', record['Value'] ?? '']),
  );
  return {
    facts: session.facts,
    account: (await session.value('SELECT CURRENT_USER()', { timeoutMs: TIMEOUT_MS })) ?? '',
    namesAreLiteral: variables.get('partial_revokes') === 'ON',
    grants: await readGrants(session),
    variables,
    coordinatesTell: areInformative((await readCoordinates(session)).coordinates),
  };
}

export async function readDatabaseContent(
  session: Session,
  database: string,
  account: string,
): Promise<DatabaseContent> {
  const { tables, views } = await listTables(session, database);
  const count = async (sql: string): Promise<number> =>
    Number((await session.value(sql, { timeoutMs: TIMEOUT_MS })) ?? 0);
  const schema = quoteString(database);
  const routines = `FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${schema}`;
  const triggers = `FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${schema}`;
  const functions = await count(`SELECT COUNT(*) ${routines} AND ROUTINE_TYPE = 'FUNCTION'`);
  return {
    tables: tables.length,
    views: views.length,
    nonTransactional: tables
      .filter((table) => !table.transactional)
      .map((table) => `${table.name} (${table.engine ?? 'unknown engine'})`),
    routines: await count(`SELECT COUNT(*) ${routines}`),
    hiddenBodies: await count(`SELECT COUNT(*) ${routines} AND ROUTINE_DEFINITION IS NULL`),
    functionsAndTriggers: functions + (await count(`SELECT COUNT(*) ${triggers}`)),
    otherDefiners: await readOtherDefiners(session, schema, account),
  };
}

async function readOtherDefiners(
  session: Session,
  schema: string,
  account: string,
): Promise<string[]> {
  const records = await session.records(
    `SELECT DEFINER AS definer FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ${schema}
     UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${schema}
     UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${schema}
     UNION SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${schema}
     LIMIT ${DEFINERS_SHOWN_MAX}`,
    { timeoutMs: TIMEOUT_MS },
  );
  return records
    .map((record) => record['definer'] ?? '')
    .filter((definer) => definer !== '' && definer !== account);
}
