/** Judges whether this server and this user can take what the backup holds, and give back what there was. */
import { isServerError } from '../../mysql/server-error.js';
import { isAtLeast } from '../../mysql/server-facts.js';
import type { Session } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';
import {
  definerPrivilege,
  grantGlobally,
  grantOnDatabase,
  readsEveryRoutine,
  replayPrivileges,
  routineGrant,
} from '../doctor/doctor-grant.js';
import { judgeLoading } from '../doctor/doctor-loading.js';
import { NO_CONTENT } from '../doctor/doctor-server-state.js';
import type { DatabaseContent, ServerState } from '../doctor/doctor-server-state.js';
import { missingTablespaces } from './recovery-tablespaces.js';
import type { RecoverySource } from './recovery-source.js';

export interface Ability {
  readonly level: 'ok' | 'note' | 'rewrite' | 'warning' | 'refused' | 'refused-unless-forced';
  readonly text: string;
  /** What to do about it. */
  readonly next?: string;
}

export interface AbilityRequest {
  readonly source: RecoverySource;
  readonly state: ServerState;
  /** Of the database as it is; undefined where there is none. */
  readonly content: DatabaseContent | undefined;
  readonly database: string;
  readonly mayLock: boolean;
}

const ERRNO_UNKNOWN_CHARACTER_SET = 1115;
const ERRNO_UNKNOWN_COLLATION = 1273;

export async function judgeAbilities(
  session: Session,
  request: AbilityRequest,
): Promise<Ability[]> {
  return [
    ...judgeOrigin(request),
    ...judgePrivileges(request),
    ...judgeReplay(request.source.chain ?? { isLogged: false, idempotent: false }, request.state),
    ...(await judgeDefiners(session, request)),
    ...(await judgeNames(session, request)),
    ...(await judgeTablespaces(session, request)),
    ...judgeLocking(request),
  ];
}

/** A backup of another server may not load, or may be worded in another way there. */
function judgeOrigin({ source, state, database }: AbilityRequest): Ability[] {
  const { origin, dump } = source;
  if (origin === undefined) {
    const of = dump?.sourceDatabase === undefined ? '' : ` of ${dump.sourceDatabase}`;
    return [
      { level: 'note', text: `the file is a dump made by ${dump?.tool ?? 'another tool'}${of}` },
    ];
  }
  const { flavour, version } = state.facts;
  const here = `${flavour} ${version}`;
  const there = `${origin.flavour} ${origin.version}`;
  const abilities: Ability[] = [];
  if (origin.flavour !== flavour) {
    abilities.push({
      level: 'warning',
      text: `the backup is of ${there} and this server is ${here}: what one has and the other has not cannot load`,
    });
  } else if (origin.version !== version) {
    abilities.push({
      level: 'warning',
      text: `the backup is of ${there} and this server is ${here}: definitions are not compared, rows are`,
    });
  } else abilities.push({ level: 'ok', text: `the backup is of the same server version, ${here}` });
  if (origin.database !== database) {
    abilities.push({
      level: 'rewrite',
      text: `views, routines, triggers and events that name ${origin.database} will name ${database}`,
    });
  }
  return abilities;
}

/** What the doctor calls a warning would make this load fail half way. */
function judgePrivileges({ source, state, content, database }: AbilityRequest): Ability[] {
  const findings = judgeLoading({
    group: 'restoring',
    target: database,
    state,
    content: {
      ...(content ?? NO_CONTENT),
      // Definers are judged below, where it is known which ones the backup names.
      otherDefiners: [],
      functionsAndTriggers: Math.max(
        source.needs.functionsAndTriggers,
        content?.functionsAndTriggers ?? 0,
      ),
    },
    longestStatement: source.needs.longestStatement,
  });
  return findings.map(({ status, text, next }) => ({
    level: status === 'ok' ? 'ok' : 'refused',
    text: text.replace('the newest backup', 'the backup'),
    ...(next === undefined ? {} : { next }),
  }));
}

/** Logged changes are given back to the server as it logged them, which few users may. */
export function judgeReplay(
  { isLogged, idempotent }: { readonly isLogged: boolean; readonly idempotent: boolean },
  state: ServerState,
): Ability[] {
  if (!isLogged) return [];
  const { facts, grants } = state;
  const abilities: Ability[] = [];
  const missing = replayPrivileges(facts).filter((privilege) => !grants.holdsGlobally(privilege));
  if (missing.length > 0 && !grants.holdsGlobally('SUPER')) {
    abilities.push({
      level: 'refused',
      text: `${missing.join(', ')} missing: logged changes could not be applied`,
      next: grantGlobally(state, missing),
    });
  }
  if (idempotent && facts.flavour === 'mariadb') {
    abilities.push({
      level: 'refused',
      text: '--idempotent: this server is MariaDB, which cannot pass over changes in one session',
      next: 'Leave --idempotent out; --skip-gtid leaves out a transaction that does not fit.',
    });
  }
  return abilities;
}

async function judgeDefiners(session: Session, request: AbilityRequest): Promise<Ability[]> {
  const { source, state, content } = request;
  const named = new Set([...source.needs.definers, ...(content?.otherDefiners ?? [])]);
  named.delete(state.account);
  if (named.size === 0) return [];
  const others = [...named];
  const abilities = judgeBodies(request, others);
  if (!state.grants.holdsGlobally('SET_ANY_DEFINER')) {
    const privilege = definerPrivilege(state.facts);
    abilities.push({
      level: 'refused',
      text: `${privilege} missing: objects are defined by ${shown(others)} and could not be made in that name`,
      next: grantGlobally(state, [privilege]),
    });
  }
  return [...abilities, ...(await judgeAccounts(session, request, others))];
}

/** Both the emergency backup and the proof of the new state read the bodies of all routines. */
function judgeBodies(
  { source, state, content, database }: AbilityRequest,
  definers: readonly string[],
): Ability[] {
  const hasRoutines = source.needs.routines > 0 || (content?.routines ?? 0) > 0;
  if (!hasRoutines || readsEveryRoutine(state.grants, state.facts, database)) return [];
  return [
    {
      level: 'refused',
      text: `the bodies of procedures and functions that others define (${shown(definers)}) could not be read`,
      next: routineGrant(state),
    },
  ];
}

async function judgeAccounts(
  session: Session,
  { state }: AbilityRequest,
  definers: readonly string[],
): Promise<Ability[]> {
  const accounts = await readAccounts(session, 'SELECT User AS user, Host AS host FROM mysql.user');
  if (accounts === undefined) return judgeUnknown(state, definers);
  const abilities: Ability[] = [];
  const missing = definers.filter((definer) => !accounts.has(definer));
  if (missing.length > 0) abilities.push(judgeMissing(state, missing));
  const { grants, facts } = state;
  if (facts.flavour === 'mysql' && !grants.holdsGlobally('SYSTEM_USER')) {
    const system = await readAccounts(
      session,
      "SELECT USER AS user, HOST AS host FROM mysql.global_grants WHERE PRIV = 'SYSTEM_USER'",
    );
    const ofSystem = definers.filter((definer) => system?.has(definer) === true);
    if (ofSystem.length > 0) {
      abilities.push({
        level: 'refused',
        text: `SYSTEM_USER missing: objects are defined by ${shown(ofSystem)}, which have it`,
        next: grantGlobally(state, ['SYSTEM_USER']),
      });
    }
  }
  return abilities;
}

/**
 * Where mysql.user may not be read, nobody can tell whether a definer has SYSTEM_USER. If one has it,
 * neither the load nor a rollback could make its objects (error 1227), and both states would be lost.
 */
function judgeUnknown(state: ServerState, definers: readonly string[]): Ability[] {
  const { facts, grants } = state;
  const text = `whether the definers ${shown(definers)} exist is not known: mysql.user may not be read`;
  const note: Ability = { level: 'note', text };
  const knowsSystemUsers = facts.flavour === 'mysql' && isAtLeast(facts, 8, 0, 16);
  if (!knowsSystemUsers || grants.holdsGlobally('SYSTEM_USER')) return [note];
  return [
    note,
    {
      level: 'refused-unless-forced',
      text: `SYSTEM_USER missing: if one of ${shown(definers)} has it, its objects could not be made, nor made again by a rollback`,
      next: grantGlobally(state, ['SYSTEM_USER']),
    },
  ];
}

/** MySQL from 8.2 on makes such objects only for who may; elsewhere they are made and fail when used. */
function judgeMissing(state: ServerState, missing: readonly string[]): Ability {
  const { facts, grants } = state;
  const privilege = 'ALLOW_NONEXISTENT_DEFINER';
  const isRefused =
    facts.flavour === 'mysql' &&
    isAtLeast(facts, 8, 2) &&
    !grants.holdsGlobally(privilege) &&
    !grants.holdsGlobally('SUPER');
  const text = `the definers ${shown(missing)} do not exist on this server: what they define fails when it is used`;
  if (!isRefused) return { level: 'warning', text, next: 'Create these users after the recovery.' };
  return {
    level: 'refused',
    text: `the definers ${shown(missing)} do not exist on this server`,
    next: `Create these users, or run ${grantGlobally(state, [privilege])}`,
  };
}

async function readAccounts(
  session: Session,
  sql: string,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const records = await session.records(sql);
    return new Set(records.map((record) => `${record['user'] ?? ''}@${record['host'] ?? ''}`));
  } catch (error) {
    if (!isServerError(error)) throw error;
    return undefined;
  }
}

async function judgeTablespaces(session: Session, { source }: AbilityRequest): Promise<Ability[]> {
  const missing = await missingTablespaces(session, source.needs);
  return missing.map((obstacle) => ({ level: 'refused', ...obstacle }));
}

/** Asks the server itself, because it knows aliases that no list shows. */
async function judgeNames(session: Session, { source }: AbilityRequest): Promise<Ability[]> {
  const { collations, characterSets } = source.needs;
  const unknown: string[] = [];
  try {
    for (const name of collations) {
      if (await isUnknown(session, 'collation_connection', name)) unknown.push(`collation ${name}`);
    }
    for (const name of characterSets) {
      if (await isUnknown(session, 'character_set_connection', name)) {
        unknown.push(`character set ${name}`);
      }
    }
  } finally {
    await session.execute('SET NAMES utf8mb4');
  }
  if (unknown.length === 0) return [];
  return [
    {
      level: 'refused',
      text: `this server does not know ${unknown.join(', ')}, which the backup uses`,
      next: 'Recover to a server of the kind and version that the backup is of.',
    },
  ];
}

async function isUnknown(session: Session, variable: string, name: string): Promise<boolean> {
  try {
    await session.execute(`SET SESSION ${variable} = ${quoteString(name)}`);
    return false;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return isServerError(error, ERRNO_UNKNOWN_CHARACTER_SET, ERRNO_UNKNOWN_COLLATION);
  }
}

function judgeLocking({ state, database, mayLock }: AbilityRequest): Ability[] {
  if (mayLock) return [];
  return [
    {
      level: 'refused-unless-forced',
      text: `LOCK TABLES missing on ${database}: what is written in the moment of the drop would be lost unseen`,
      next: grantOnDatabase(state, ['LOCK TABLES'], database),
    },
  ];
}

function shown(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
