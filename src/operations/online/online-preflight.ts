/** Everything that can be known before an online recovery begins, besides what each recovery needs. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { sideDatabaseName } from '../../catalog/side-database.js';
import { ReshelveError } from '../../errors.js';
import type { Session } from '../../mysql/session.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier, quoteString } from '../../sql/quote.js';
import type { Context } from '../context.js';
import { quoteAccount } from '../doctor/doctor-grant.js';
import { readDatabaseContent, readServerState } from '../doctor/doctor-server-state.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import { judgeAbilities } from '../recovery/recovery-abilities.js';
import type { Ability } from '../recovery/recovery-abilities.js';
import { judgeEncryption } from '../recovery/recovery-encryption.js';
import { assertNoObstacles } from '../recovery/obstacles.js';
import type { RecoverySource } from '../recovery/recovery-source.js';
import { freeBytes, localDataDirectory, megabytes } from '../recovery/recovery-space.js';
import { judgeRights } from './online-rights.js';
import { qualified } from './swap-plan.js';
import { lookAtDatabase } from '../load/target-database.js';

export interface OnlinePreflight {
  readonly oldDefaults: DatabaseDefaults;
  /** What others see now, in words. */
  readonly loss: string;
  readonly abilities: readonly Ability[];
}

/** Throws UNKNOWN_DATABASE where there is nothing to swap. */
export async function onlinePreflight(
  context: Context,
  session: Session,
  source: RecoverySource,
  reader: ArchiveReader,
): Promise<OnlinePreflight> {
  const { databaseName, backup } = context.configuration;
  const old = await lookAtDatabase(session, databaseName);
  if (old.defaults === undefined) {
    throw new ReshelveError(
      'UNKNOWN_DATABASE',
      `there is no database ${databaseName} whose tables could be swapped`,
      { hint: 'Run `reshelve recover` without --online: it makes the database.' },
    );
  }
  const state = await readServerState(session);
  const content = await readDatabaseContent(session, databaseName, state.account);
  const abilities = [
    ...(await judgeAbilities(session, {
      source,
      state,
      content,
      database: databaseName,
      mayLock: state.grants.holdsOnDatabase('LOCK TABLES', databaseName),
    })),
    ...judgeSidePrivileges(state, databaseName, backup.timeZone, context.now()),
    ...judgeEncryption(state, old.defaults, source.defaults),
    ...(await judgeReferences(session, databaseName)),
    ...(await judgeSequences(reader)),
    ...(await judgeSpace(context, session, source)),
  ];
  // It reads the bodies of routines, which takes what has been judged by now.
  if (!abilities.some(isRefused)) {
    abilities.push(...(await judgeRights(session, state, databaseName, reader)));
  }
  return {
    oldDefaults: old.defaults,
    loss: `what is seen in ${databaseName} (${old.tables.length} tables and views; the tables are kept beside it)`,
    abilities,
  };
}

export function assertAble(abilities: readonly Ability[]): void {
  assertNoObstacles('the online recovery would not succeed', abilities.filter(isRefused));
}

function isRefused({ level }: Ability): boolean {
  return level.startsWith('refused');
}

/** What loading, moving and dropping tables with all that belongs to them takes. */
const NEEDED = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'REFERENCES',
  'INDEX',
  'ALTER',
  'LOCK TABLES',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'EXECUTE',
  'EVENT',
  'TRIGGER',
] as const;

const SIDE_ROLES = ['staging', 'before', 'undone'] as const;

/** The three databases beside the live one, whose names end with a time. */
function judgeSidePrivileges(
  state: ServerState,
  database: string,
  timeZone: string,
  now: Date,
): Ability[] {
  const missing = SIDE_ROLES.filter((role) =>
    NEEDED.some(
      (privilege) =>
        !state.grants.holdsOnDatabase(privilege, sideDatabaseName(database, role, now, timeZone)),
    ),
  );
  const live = NEEDED.filter((privilege) => !state.grants.holdsOnDatabase(privilege, database));
  const grants = [
    ...(live.length === 0
      ? []
      : [`GRANT ${live.join(', ')} ON ${quoteIdentifier(patternOf(database))}.*`]),
    ...missing.map((role) => {
      const name = sideDatabaseName(database, role, now, timeZone);
      const stem = name.slice(0, name.lastIndexOf(`__${role}_`) + role.length + 3);
      // Where names in grants are literal, a name that ends with a time cannot be granted ahead.
      const scope = state.namesAreLiteral ? '*' : quoteIdentifier(`${patternOf(stem)}%`);
      return `GRANT ALL ON ${scope}.*`;
    }),
  ].map((grant) => `${grant} TO ${quoteAccount(state.account)};`);
  if (grants.length === 0)
    return [{ level: 'ok', text: 'all privileges on the databases beside it' }];
  const which = [
    ...(live.length === 0 ? [] : [database]),
    ...missing.map((role) => `${database}__${role}_…`),
  ];
  return [
    {
      level: 'refused',
      text: `privileges are missing on ${which.join(', ')}`,
      next: [...new Set(grants)].join(' '),
    },
  ];
}

function patternOf(name: string): string {
  return name.replaceAll(/[\\_%]/g, '\\$&');
}

/** Foreign keys of other databases follow the old tables out of sight. */
async function judgeReferences(session: Session, database: string): Promise<Ability[]> {
  const name = quoteString(database);
  const records = await session.records(
    `SELECT DISTINCT TABLE_SCHEMA AS other, TABLE_NAME AS name
     FROM information_schema.KEY_COLUMN_USAGE
     WHERE REFERENCED_TABLE_SCHEMA = ${name} AND TABLE_SCHEMA <> ${name}
     ORDER BY 1, 2`,
  );
  const others = records.filter(({ other }) => !isSide(other ?? '', database));
  if (others.length === 0) return [];
  const names = others.map(({ other, name: table }) => qualified(other ?? '', table ?? ''));
  return [
    {
      level: 'refused',
      text: `foreign keys of other databases refer to ${database} (${names.slice(0, 5).join(', ')}) and would follow the old tables`,
      next: 'Run `reshelve recover` without --online.',
    },
  ];
}

function isSide(name: string, database: string): boolean {
  return SIDE_ROLES.some((role) => name.startsWith(`${database}__${role}_`));
}

/** MariaDB keeps the database's name in `DEFAULT nextval(…)`, and RENAME does not change it. */
async function judgeSequences(reader: ArchiveReader): Promise<Ability[]> {
  if (!reader.index.objects.some(({ type }) => type === 'sequence')) return [];
  const users: string[] = [];
  for (const member of reader.members()) {
    if (member.kind !== 'table') continue;
    const sql = (await reader.readMember(member.number)).toString('latin1');
    if (/DEFAULT\s+\(?(?:nextval|lastval)\s*\(/iu.test(sql)) users.push(member.table ?? '');
  }
  if (users.length === 0) return [];
  return [
    {
      level: 'refused',
      text: `defaults of ${users.join(', ')} take their values from a sequence, and would go on to take them from the copy`,
      next: 'Run `reshelve recover` without --online.',
    },
  ];
}

/** The old tables stay, so the new ones need room of their own. */
async function judgeSpace(
  context: Context,
  session: Session,
  source: RecoverySource,
): Promise<Ability[]> {
  const needed = source.needs.sqlBytes;
  const directory = await localDataDirectory(context, session);
  const free = directory === undefined ? undefined : await freeBytes(directory);
  const copy = `a second copy of about ${megabytes(needed)}`;
  if (free === undefined) {
    const text = `the server's free disk space is not known from here: it needs ${copy}`;
    return [{ level: 'note', text }];
  }
  const text = `the server's disk has ${megabytes(free)} free for ${copy}`;
  return [
    free < needed
      ? { level: 'refused', text: `${text}: too little`, next: 'df -h' }
      : { level: 'ok', text },
  ];
}
