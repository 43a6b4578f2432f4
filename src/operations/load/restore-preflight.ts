/**
 * Whether this user and this server can take what a restore is about to drop the database for. Unlike a
 * recovery it has no way back, so that what can be known is known before the first change.
 */
import type { MemberEntry, ObjectEntry } from '../../archive/index-types.js';
import type { Session } from '../../mysql/session.js';
import type { ChainArchives } from '../chains/chain-archives.js';
import { judgeDefiners, judgeLoading, LOADING } from '../doctor/doctor-loading.js';
import type { LoadNeeds } from '../doctor/doctor-loading.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import { NO_CONTENT, readServerState } from '../doctor/doctor-server-state.js';
import { assertNoObstacles } from '../recovery/obstacles.js';
import type { Obstacle } from '../recovery/obstacles.js';
import { judgeReplay } from '../recovery/recovery-abilities.js';
import type { RecoveryNeeds } from '../recovery/recovery-needs.js';
import { missingTablespaces } from '../recovery/recovery-tablespaces.js';
import { readArchiveNeeds } from '../recovery/recovery-needs.js';

export interface RestoreRequest {
  readonly database: string;
  /** Only these; all where it is empty. */
  readonly tables: readonly string[];
  readonly idempotent: boolean;
}

/** Throws PREFLIGHT with every obstacle; `archives` is undefined for a dump of another tool. */
export async function assertRestorable(
  session: Session,
  archives: ChainArchives | undefined,
  request: RestoreRequest,
): Promise<void> {
  const state = await readServerState(session);
  const obstacles =
    archives === undefined
      ? judgePrivileges(loadNeeds(state, request, DUMP_PRIVILEGES))
      : await judgeArchives(session, state, archives, request);
  assertNoObstacles(`the restore into ${request.database} would fail half way`, obstacles);
}

/** What any dump takes; what else it takes only its statements tell. */
const DUMP_PRIVILEGES = ['INSERT', 'CREATE', 'DROP'];
const TABLE_PRIVILEGES = [...DUMP_PRIVILEGES, 'ALTER'];

const OBJECT_PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  view: ['SELECT', 'CREATE VIEW'],
  procedure: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  function: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  package: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  'package body': ['CREATE ROUTINE', 'ALTER ROUTINE'],
  library: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  trigger: ['TRIGGER'],
  event: ['EVENT'],
};

async function judgeArchives(
  session: Session,
  state: ServerState,
  archives: ChainArchives,
  request: RestoreRequest,
): Promise<Obstacle[]> {
  const { tables, idempotent } = request;
  const isLogged = archives.readers.some(({ index }) => index.header.chain?.method === 'binlog');
  const needs = await readArchiveNeeds(archives.readers, (member, { index }) =>
    isRestored(member, index.objects, tables),
  );
  const privileges = isLogged ? LOADING : privilegesFor(archives, needs, tables);
  const load = loadNeeds(state, request, privileges, needs);
  return [
    ...judgePrivileges(load),
    ...judgeReplay({ isLogged, idempotent }, state),
    ...judgeDefiners(load),
    ...(await missingTablespaces(session, needs)),
  ];
}

/** Of a table its definition, its rows and its triggers; of the log everything, which is read as a whole. */
function isRestored(
  { kind, table, object }: MemberEntry,
  objects: readonly ObjectEntry[],
  tables: readonly string[],
): boolean {
  if (tables.length === 0 || kind === 'change') return true;
  if (table !== undefined) return tables.includes(table);
  return objects.some(
    (entry) =>
      entry.type === 'trigger' &&
      object?.type === 'trigger' &&
      entry.name === object.name &&
      tables.includes(entry.table ?? ''),
  );
}

/** By what the archives hold: nobody needs EVENT who restores no event. */
function privilegesFor(
  archives: ChainArchives,
  needs: RecoveryNeeds,
  tables: readonly string[],
): readonly string[] {
  const objects = archives.readers
    .flatMap(({ index }) => index.objects)
    .filter(({ type, table }) =>
      tables.length === 0 ? true : type === 'trigger' && tables.includes(table ?? ''),
    );
  const wanted = new Set([
    ...TABLE_PRIVILEGES,
    ...(needs.foreignKeys > 0 ? ['REFERENCES'] : []),
    ...objects.flatMap(({ type }) => OBJECT_PRIVILEGES[type] ?? []),
  ]);
  return LOADING.filter((privilege) => wanted.has(privilege));
}

function loadNeeds(
  state: ServerState,
  { database }: RestoreRequest,
  privileges: readonly string[],
  needs?: RecoveryNeeds,
): LoadNeeds {
  const otherDefiners = (needs?.definers ?? []).filter((definer) => definer !== state.account);
  const functionsAndTriggers = needs?.functionsAndTriggers ?? 0;
  return {
    group: 'restoring',
    target: database,
    state,
    content: { ...NO_CONTENT, functionsAndTriggers, otherDefiners },
    longestStatement: needs?.longestStatement,
    privileges,
  };
}

/** Definers apart, so that they are told also where privileges are missing. */
function judgePrivileges(needs: LoadNeeds): Obstacle[] {
  const content = needs.content && { ...needs.content, otherDefiners: [] };
  return judgeLoading({ ...needs, content }).filter(({ status }) => status !== 'ok');
}
