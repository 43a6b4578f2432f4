/** Judges the privileges for taking a backup, and names the GRANT for each that is missing. */
import type { Consistency } from '../../mysql/snapshot.js';
import { isAtLeast } from '../../mysql/server-facts.js';
import type { Finding } from './doctor-finding.js';
import { findingsOf } from './doctor-finding.js';
import {
  coordinatesPrivilege,
  grantGlobally,
  grantOnDatabase,
  readsEveryRoutine,
  routineGrant,
} from './doctor-grant.js';
import type { DatabaseContent, ServerState } from './doctor-server-state.js';

export interface BackupNeeds {
  readonly database: string;
  readonly state: ServerState;
  /** Undefined where the database cannot be seen. */
  readonly content: DatabaseContent | undefined;
  /** Connections that a backup would like to read with. */
  readonly readers: number;
}

export function judgeBackupPrivileges(needs: BackupNeeds): Finding[] {
  return [
    ...judgeNeeded(needs),
    ...judgeConsistency(needs),
    ...judgeRoutines(needs),
    ...judgeCoordinates(needs),
  ];
}

/** Without these the server shows less, and says nothing: the backup refuses. */
const NEEDED: readonly (readonly [privilege: string, loss: string])[] = [
  ['SELECT', 'tables'],
  ['SHOW VIEW', 'views'],
  ['TRIGGER', 'triggers'],
  ['EVENT', 'events'],
];

function judgeNeeded({ database, state, content }: BackupNeeds): Finding[] {
  const say = findingsOf('backup privileges');
  const missing = NEEDED.filter(
    ([privilege]) => !state.grants.holdsOnDatabase(privilege, database),
  );
  const names = (list: typeof NEEDED): string => list.map(([name]) => name).join(', ');
  if (missing.length === 0) return [say.ok(`${names(NEEDED)} on all of ${database}`)];
  const statement = grantOnDatabase(
    state,
    missing.map(([name]) => name),
    database,
  );
  const onlyViews = missing.every(([name]) => name === 'SHOW VIEW');
  if (onlyViews && content?.views === 0) {
    return [say.warning(`SHOW VIEW on ${database} is missing; it has no views yet`, statement)];
  }
  const losses = missing.map(([, loss]) => loss).join(', ');
  const text = `${names(missing)} on ${database} missing: ${losses} would be lost, so a backup refuses`;
  return [say.failed(text, statement)];
}

/** The rung of the ladder that src/mysql/snapshot.ts takes with these grants. */
export function expectedConsistency({ database, state, readers }: BackupNeeds): Consistency {
  const { grants } = state;
  if (grants.holdsGlobally('RELOAD')) return 'global-read-lock';
  if (grants.holdsOnDatabase('LOCK TABLES', database)) return 'table-locks';
  return readers > 1 && state.coordinatesTell ? 'coordinate-check' : 'single-connection';
}

function judgeConsistency(needs: BackupNeeds): Finding[] {
  const { database, state } = needs;
  const say = findingsOf('consistency');
  const level = expectedConsistency(needs);
  const lock = grantOnDatabase(state, ['LOCK TABLES'], database);
  const reload = grantGlobally(state, ['RELOAD']);
  const findings: Finding[] = [];
  if (level === 'global-read-lock') {
    findings.push(say.ok(`${level}: all connections read one instant of the whole server`));
  } else if (level === 'table-locks') {
    findings.push(
      say.ok(`${level}: all connections read one instant of ${database}; better still`, reload),
    );
  } else if (level === 'coordinate-check') {
    findings.push(
      say.ok(`${level}: all connections read one instant, if commits leave a pause; safer`, lock),
    );
  } else {
    findings.push(say.warning(`${level}: one instant, but read by one connection alone`, lock));
  }
  return [...findings, ...judgeTableLocks(needs, lock), ...judgeDdlGuard(needs)];
}

function judgeTableLocks({ database, state, content }: BackupNeeds, lock: string): Finding[] {
  const tables = content?.nonTransactional ?? [];
  if (tables.length === 0) return [];
  const say = findingsOf('consistency');
  const names = tables.slice(0, 10).join(', ') + (tables.length > 10 ? ', …' : '');
  if (state.grants.holdsOnDatabase('LOCK TABLES', database)) {
    return [say.ok(`tables without transactions are read under a lock: ${names}`)];
  }
  return [say.warning(`tables without transactions would not be of one instant: ${names}`, lock)];
}

function judgeDdlGuard({ state }: BackupNeeds): Finding[] {
  const { facts, grants } = state;
  const isMySql = facts.flavour === 'mysql';
  const isPossible = isMySql ? isAtLeast(facts, 8, 0) : isAtLeast(facts, 10, 4, 1);
  if (!isPossible) return [];
  const say = findingsOf('consistency');
  const privilege = isMySql ? 'BACKUP_ADMIN' : 'RELOAD';
  if (grants.holdsGlobally(privilege)) {
    return [say.ok(`${privilege}: changes of definitions wait while a backup runs`)];
  }
  const text = 'changes of definitions during a backup are detected and cost a new attempt; better';
  return [say.ok(text, grantGlobally(state, [privilege]))];
}

/** As src/operations/dump/database-schema.ts: any of these shows which routines there are. */
const SHOWING_ROUTINES = ['EXECUTE', 'CREATE ROUTINE', 'ALTER ROUTINE', 'SHOW CREATE ROUTINE'];

function judgeRoutines({ database, state, content }: BackupNeeds): Finding[] {
  const { grants, facts } = state;
  const say = findingsOf('routines');
  const statement = routineGrant(state);
  const hidden = content?.hiddenBodies ?? 0;
  if (hidden > 0) {
    const text = `the bodies of ${hidden} stored procedures or functions cannot be read: a backup refuses`;
    return [say.failed(text, statement)];
  }
  if (readsEveryRoutine(grants, facts, database))
    return [say.ok('procedures and functions can be seen and read, all of them')];
  if (SHOWING_ROUTINES.some((privilege) => grants.holdsOnDatabase(privilege, database))) {
    const text =
      'procedures and functions can be seen; bodies that others define could not be read';
    return [say.warning(text, statement)];
  }
  const text =
    'procedures and functions cannot be seen: if there are any, a backup leaves them out';
  return [say.warning(text, statement)];
}

function judgeCoordinates({ state }: BackupNeeds): Finding[] {
  const say = findingsOf('coordinates');
  const { grants, facts } = state;
  if (state.variables.get('log_bin') !== 'ON') {
    return [say.ok('none to read: the binary log is off')];
  }
  const privilege = coordinatesPrivilege(facts);
  if (grants.holdsGlobally(privilege)) {
    return [say.ok(`${privilege}: backups record where in the binary log they stand`)];
  }
  const left = state.coordinatesTell ? 'only the GTID set is recorded' : 'none are recorded';
  return [
    say.warning(
      `${privilege} missing: ${left}, and incremental backups need file and position too`,
      grantGlobally(state, [privilege]),
    ),
  ];
}
