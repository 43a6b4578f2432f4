/** Judges the privileges and settings for loading: test restores, and restores in earnest. */
import { isAtLeast } from '../../mysql/server-facts.js';
import type { Finding, FindingGroup } from './doctor-finding.js';
import { findingsOf } from './doctor-finding.js';
import {
  definerPrivilege,
  grantGlobally,
  grantOnDatabase,
  sqlLogBinPrivilege,
} from './doctor-grant.js';
import type { DatabaseContent, ServerState } from './doctor-server-state.js';

export interface LoadNeeds {
  readonly group: Extract<FindingGroup, 'verification' | 'restoring'>;
  /** The database that would be loaded. */
  readonly target: string;
  /** Of the server that would be loaded into. */
  readonly state: ServerState;
  /** What the backed-up database holds; undefined where it cannot be seen. */
  readonly content: DatabaseContent | undefined;
  /** Bytes of the longest statement in the newest backup, where there is one. */
  readonly longestStatement: number | undefined;
  /** What is needed of {@link LOADING}; all where it is left out. */
  readonly privileges?: readonly string[];
}

/** What making, filling, reading and dropping a database with every kind of object takes. */
export const LOADING: readonly string[] = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'REFERENCES',
  'INDEX',
  'ALTER',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'EXECUTE',
  'EVENT',
  'TRIGGER',
];

const MEBIBYTE = 1024 * 1024;

export function judgeLoading(needs: LoadNeeds): Finding[] {
  const missing = (needs.privileges ?? LOADING).filter(
    (privilege) => !needs.state.grants.holdsOnDatabase(privilege, needs.target),
  );
  const packet = judgePacket(needs);
  if (missing.length > 0) return [reportMissing(needs, missing), ...packet];
  const say = findingsOf(needs.group);
  return [
    say.ok(`all privileges on ${needs.target}`),
    ...judgeDefiners(needs),
    ...judgeFunctionCreators(needs),
    ...judgeBinlog(needs),
    ...packet,
  ];
}

function reportMissing({ group, target, state }: LoadNeeds, missing: readonly string[]): Finding {
  const which = missing.length === LOADING.length ? 'no privileges' : `no ${missing.join(', ')}`;
  const what = group === 'verification' ? 'test restores' : 'restores with these settings';
  const text = `${which} on ${target}: ${what} would fail, backups do not need it`;
  return findingsOf(group).warning(text, grantOnDatabase(state, ['ALL'], target));
}

/** A statement of the backup must fit into what the server takes. */
function judgePacket({ group, state, longestStatement }: LoadNeeds): Finding[] {
  const limit = Number(state.variables.get('max_allowed_packet') ?? Number.NaN);
  if (longestStatement === undefined || Number.isNaN(limit)) return [];
  const say = findingsOf(group);
  const shown = `max_allowed_packet ${formatMebibytes(limit)}`;
  const longest = `the newest backup's longest statement, ${formatMebibytes(longestStatement)}`;
  if (longestStatement < limit) return [say.ok(`${shown} takes ${longest}`)];
  const needed = Math.ceil((longestStatement + 1) / MEBIBYTE) * MEBIBYTE;
  const text = `${shown} is too little for ${longest}: loading it would fail`;
  return [say.failed(text, setVariable(state, 'max_allowed_packet', String(needed)))];
}

/** Whether objects can be made in the name of others. */
export function judgeDefiners({ group, state, content }: LoadNeeds): Finding[] {
  const others = content?.otherDefiners ?? [];
  if (others.length === 0 || state.grants.holdsGlobally('SET_ANY_DEFINER')) return [];
  const privilege = definerPrivilege(state.facts);
  const names = others.slice(0, 5).join(', ') + (others.length > 5 ? ', …' : '');
  const effect =
    group === 'verification'
      ? 'definers are not compared'
      : 'a restore could not make them in that name';
  const text = `${privilege} missing, and objects are defined by ${names}: ${effect}`;
  return [findingsOf(group).warning(text, grantGlobally(state, [privilege]))];
}

/** Error 1419; it also hits triggers, and `sql_log_bin = 0` does not help. */
function judgeFunctionCreators({ group, state, content }: LoadNeeds): Finding[] {
  const { variables, grants } = state;
  const name = 'log_bin_trust_function_creators';
  const isFree =
    variables.get('log_bin') !== 'ON' ||
    variables.get(name) !== 'OFF' ||
    grants.holdsGlobally('SUPER') ||
    (content?.functionsAndTriggers ?? 0) === 0;
  if (isFree) return [];
  const text =
    `${name} is OFF and SUPER missing: making the ${content?.functionsAndTriggers ?? 0} functions ` +
    'and triggers would fail with error 1419';
  return [findingsOf(group).warning(text, setVariable(state, name, 'ON'))];
}

function judgeBinlog({ group, state }: LoadNeeds): Finding[] {
  if (group !== 'verification' || state.variables.get('log_bin') !== 'ON') return [];
  const privilege = sqlLogBinPrivilege(state.facts);
  if (state.grants.holdsGlobally(privilege) || state.grants.holdsGlobally('SUPER')) return [];
  const text = `${privilege} missing: test restores go through the binary log, and to replicas`;
  return [findingsOf(group).warning(text, grantGlobally(state, [privilege]))];
}

/** PERSIST, where the server has it, outlives a restart. */
function setVariable({ facts }: ServerState, name: string, value: string): string {
  const persists = facts.flavour === 'mysql' && isAtLeast(facts, 8, 0);
  const forEver = persists ? '' : ` and ${name} = ${value} in the server's configuration`;
  return `SET ${persists ? 'PERSIST' : 'GLOBAL'} ${name} = ${value};${forEver}`;
}

function formatMebibytes(bytes: number): string {
  return bytes < MEBIBYTE ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / MEBIBYTE).toFixed(1)} MB`;
}
