/**
 * Everything that can be known before the first change: whether the recovery and its way back would go
 * through on this server, what would be lost, and who else is there.
 */
import { setTimeout } from 'node:timers/promises';
import { ReshelveError } from '../../errors.js';
import type { ConnectedClients } from '../../mysql/connected-clients.js';
import { describeClient, readConnectedClients } from '../../mysql/connected-clients.js';
import { readProcessList } from '../../mysql/process-list.js';
import type { Session } from '../../mysql/session.js';
import type { Context, Warning } from '../context.js';
import { readDatabaseContent, readServerState } from '../doctor/doctor-server-state.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import { grantGlobally } from '../doctor/doctor-grant.js';
import { judgeAbilities } from './recovery-abilities.js';
import type { Ability } from './recovery-abilities.js';
import { judgeEncryption } from './recovery-encryption.js';
import { assertNoObstacles } from './obstacles.js';
import { judgeSpace } from './recovery-space.js';
import type { RecoverySource } from './recovery-source.js';
import { describeChain } from './recovery-target.js';
import { openServer } from '../sessions.js';
import { lookAtDatabase } from '../load/target-database.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import type { DatabaseState } from '../load/target-database.js';

export interface PreflightOptions {
  readonly force: boolean;
  readonly waitSeconds: number;
}

export interface Preflight {
  /** Undefined where the database does not exist. */
  readonly oldDefaults: DatabaseDefaults | undefined;
  /** What would be overwritten; undefined where nothing would. */
  readonly loss: string | undefined;
  readonly mayLock: boolean;
  readonly warnings: readonly Warning[];
  /** The whole plan, line by line. */
  readonly plan: readonly string[];
  /** Throws DATABASE_IN_USE or PREFLIGHT where something stands in the way. */
  assertPassed(): void;
}

const POLL_MS = 1000;

export async function preflight(
  context: Context,
  source: RecoverySource,
  options: PreflightOptions,
): Promise<Preflight> {
  const { databaseName, server } = context.configuration;
  const session = await openServer(context, server);
  try {
    const old = await lookAtDatabase(session, databaseName);
    const state = await readServerState(session);
    const content = old.exists
      ? await readDatabaseContent(session, databaseName, state.account)
      : undefined;
    const mayLock = !old.exists || state.grants.holdsOnDatabase('LOCK TABLES', databaseName);
    const abilities = [
      ...(await judgeAbilities(session, {
        source,
        state,
        content,
        database: databaseName,
        mayLock,
      })),
      ...judgeEncryption(state, old.defaults, source.defaults),
      ...(await judgeSpace(context, session, source)),
      ...(await judgeReplicas(session, state)),
    ];
    const others = await awaitOthers(context, session, state, options);
    return {
      oldDefaults: old.defaults,
      loss: lossOf(databaseName, old),
      mayLock,
      warnings: warningsOf(abilities, others, state, options),
      plan: planOf(context, source, old, abilities, others),
      assertPassed: () => {
        assertAlone(context, others, options);
        assertAble(abilities, options);
      },
    };
  } finally {
    await session.close();
  }
}

/** For a recovery that goes on: waits, then throws DATABASE_IN_USE while others are connected. */
export async function assertNobodyElse(context: Context, options: PreflightOptions): Promise<void> {
  const session = await openServer(context, context.configuration.server);
  try {
    const state = await readServerState(session);
    assertAlone(context, await awaitOthers(context, session, state, options), options);
  } finally {
    await session.close();
  }
}

function lossOf(database: string, old: DatabaseState): string | undefined {
  if (!old.exists || old.tables.length === 0) return undefined;
  return `everything that is in ${database} now (${old.tables.length} tables and views)`;
}

async function judgeReplicas(session: Session, state: ServerState): Promise<Ability[]> {
  if (state.variables.get('log_bin') !== 'ON') return [];
  const connections = await readProcessList(session);
  const count = connections.filter(({ command }) => command.startsWith('Binlog Dump')).length;
  if (count === 0) return [];
  return [
    {
      level: 'warning',
      text: `${count} replicas follow this server: they drop and load the database too, and lag meanwhile`,
    },
  ];
}

/** Waits, where that is asked for, until nobody else is connected to the database. */
async function awaitOthers(
  context: Context,
  session: Session,
  state: ServerState,
  { waitSeconds }: PreflightOptions,
): Promise<ConnectedClients> {
  const { databaseName } = context.configuration;
  const deadlineMs = performance.now() + waitSeconds * 1000;
  let isAnnounced = false;
  for (;;) {
    const others = await readConnectedClients(session, databaseName, state.grants, []);
    if (others.clients.length === 0 || performance.now() >= deadlineMs) return others;
    if (!isAnnounced) {
      const names = others.clients.map(describeClient).join(', ');
      context.output.warn({
        code: 'WAITING',
        message: `waiting at most ${waitSeconds} s for others to leave ${databaseName}: ${names}`,
      });
    }
    isAnnounced = true;
    await setTimeout(POLL_MS, undefined, { signal: context.signal }).catch((error: unknown) => {
      context.signal.throwIfAborted();
      throw error;
    });
  }
}

function assertAlone(
  { configuration }: Context,
  { clients }: ConnectedClients,
  { force }: PreflightOptions,
): void {
  if (clients.length === 0 || force) return;
  const names = clients.map((client) => `\n  ${describeClient(client)}`).join('');
  throw new ReshelveError(
    'DATABASE_IN_USE',
    `others are connected to ${configuration.databaseName}, and would lose what they write:${names}`,
    {
      hint:
        'Stop the application (`pm2 stop all`) and run the command again; `--wait` waits for it to end, ' +
        '`--force` goes on (what is written after the emergency backup still stops it).',
    },
  );
}

function assertAble(abilities: readonly Ability[], { force }: PreflightOptions): void {
  const problems = abilities.filter(
    ({ level }) => level === 'refused' || (level === 'refused-unless-forced' && !force),
  );
  assertNoObstacles('the recovery would not succeed', problems);
}

function warningsOf(
  abilities: readonly Ability[],
  others: ConnectedClients,
  state: ServerState,
  { force }: PreflightOptions,
): Warning[] {
  const warnings = abilities
    .filter(({ level }) => level === 'warning' || (level === 'refused-unless-forced' && force))
    .map(({ text, next }) => ({
      code: 'PREFLIGHT',
      message: next === undefined ? text : `${text} (${next})`,
    }));
  if (others.clients.length > 0) {
    const names = others.clients.map(describeClient).join(', ');
    warnings.push({ code: 'DATABASE_IN_USE', message: `others are still connected: ${names}` });
  }
  if (!others.isComplete) {
    warnings.push({
      code: 'CONNECTIONS_HIDDEN',
      message: `connections of other users are not shown to ${state.account}: make sure yourself that the application is stopped (${grantGlobally(state, ['PROCESS'])})`,
    });
  }
  return warnings;
}

function comparedOf({ dump, chain }: RecoverySource): string {
  if (dump !== undefined) return 'row counts, CHECK TABLE (a dump has no digests)';
  if (chain?.describesState !== false) return 'definitions, row counts and content digests';
  return 'each logged change with the rows that it expects, and count rows (logged changes have no digests)';
}

const MARKS = {
  ok: '✓',
  note: '-',
  rewrite: '~',
  warning: '!',
  refused: '✗',
  'refused-unless-forced': '✗',
} as const;

function planOf(
  { configuration }: Context,
  source: RecoverySource,
  old: DatabaseState,
  abilities: readonly Ability[],
  others: ConnectedClients,
): string[] {
  const { databaseName, backup } = configuration;
  const saved = old.exists
    ? `back up ${databaseName} (${old.tables.length} tables and views) into ${backup.directoryShown}/emergency/ and check it`
    : `no emergency backup: there is no database ${databaseName}`;
  const collation = source.defaults?.collation ?? old.defaults?.collation ?? "the server's default";
  return [
    `Would recover ${databaseName} from ${source.shown}. Nothing was changed.`,
    `  Step 1: ${saved}`,
    ...describeChain(source.chain, backup.timeZone).map((line) => `  ${line}`),
    `  Step 2: check every byte of ${source.chain === undefined ? source.shown : `these ${source.chain.files.length} files, and that they follow on one another`}`,
    `  Step 3: ${old.exists ? 'compare, drop and recreate' : 'create'} ${databaseName} with the collation ${collation}`,
    '  Step 4: load it',
    `  Step 5: compare ${comparedOf(source)}; roll back where they differ`,
    'What was found:',
    ...abilities.flatMap(({ level, text, next }) => [
      `  ${MARKS[level]} ${text}`,
      ...(next === undefined ? [] : [`      ${next}`]),
    ]),
    ...others.clients.map((client) => `  ✗ others are connected: ${describeClient(client)}`),
  ];
}
