/**
 * Whether this user and this server can take what a restore is about to drop the database for. Unlike a
 * recovery it has no way back, so that what can be known is known before the first change.
 */
import type { Session } from '../../mysql/session.js';
import type { ChainArchives } from '../chains/chain-archives.js';
import { LOADING, judgeLoading } from '../doctor/doctor-loading.js';
import { definerPrivilege, grantGlobally } from '../doctor/doctor-grant.js';
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
      ? judgePrivileges(state, request, DUMP_PRIVILEGES)
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
  trigger: ['TRIGGER'],
  event: ['EVENT'],
};

async function judgeArchives(
  session: Session,
  state: ServerState,
  archives: ChainArchives,
  request: RestoreRequest,
): Promise<Obstacle[]> {
  const isLogged = archives.readers.some(({ index }) => index.header.chain?.method === 'binlog');
  const needs = await readArchiveNeeds(archives.readers);
  const isWhole = request.tables.length === 0;
  return [
    ...judgePrivileges(
      state,
      request,
      isLogged ? LOADING : privilegesFor(archives, needs, request.tables),
      isWhole ? needs : { ...needs, functionsAndTriggers: 0 },
    ),
    ...judgeReplay({ isLogged, idempotent: request.idempotent }, state),
    ...(isWhole ? judgeDefiners(state, needs) : []),
    ...(isWhole ? await missingTablespaces(session, needs) : []),
  ];
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

function judgePrivileges(
  state: ServerState,
  { database }: RestoreRequest,
  privileges: readonly string[],
  needs?: RecoveryNeeds,
): Obstacle[] {
  return judgeLoading({
    group: 'restoring',
    target: database,
    state,
    content: { ...NO_CONTENT, functionsAndTriggers: needs?.functionsAndTriggers ?? 0 },
    longestStatement: needs?.longestStatement,
    privileges,
  }).filter(({ status }) => status !== 'ok');
}

function judgeDefiners(state: ServerState, { definers }: RecoveryNeeds): Obstacle[] {
  const others = definers.filter((definer) => definer !== state.account);
  if (others.length === 0 || state.grants.holdsGlobally('SET_ANY_DEFINER')) return [];
  const privilege = definerPrivilege(state.facts);
  const names = others.slice(0, 5).join(', ') + (others.length > 5 ? ', …' : '');
  return [
    {
      text: `${privilege} missing: objects are defined by ${names} and could not be made in that name`,
      next: grantGlobally(state, [privilege]),
    },
  ];
}
