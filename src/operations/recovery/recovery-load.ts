/** Puts a backup in the place of the database and proves there that it is what the backup says. */
import { ReshelveError } from '../../errors.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { ChainArchives } from '../chains/chain-archives.js';
import type { Comparison, CompareRequest } from '../load/compare-copy.js';
import { assertNoProblems, compareCopy, compareObjects } from '../load/compare-copy.js';
import type { Context } from '../context.js';
import type { ChainLoadRequest } from '../chains/load-chain.js';
import { loadChain, loadChainEvents } from '../chains/load-chain.js';
import { countRows, loadForeign } from '../load/load-foreign.js';
import type { RecoverySource } from './recovery-source.js';
import { describeLoggedProof } from '../chains/replay-logged.js';
import { renamed } from '../restore.js';
import { openServer } from '../sessions.js';

/** What is loaded: the backup to recover from, or the emergency backup on the way back. */
export type Loadable = Pick<RecoverySource, 'path' | 'dump'> &
  Partial<Pick<RecoverySource, 'chain'>>;

export type ProvenTables = Comparison['tables'];

/** CHECK TABLE reads every index of every row. */
const CHECK_TIMEOUT_MS = 24 * 3600 * 1000;

/** Into the database, which exists and is empty; events are left out until the rest is proven. */
export async function loadInPlace(context: Context, source: Loadable): Promise<void> {
  if (source.dump !== undefined) {
    const { databaseName } = context.configuration;
    await loadForeign({
      context,
      dump: source.dump,
      database: databaseName,
      open: () => openTarget(context),
      withoutBinlog: false,
      disableEvents: false,
    });
    return;
  }
  await withArchives(source, async (archives) => {
    await loadChain(loadRequest(context, source, archives));
  });
}

/**
 * Compares definitions, counts and digests with the archive, then makes the events and compares them
 * too. A dump has no digests: its tables are checked by the server and their rows counted. A state
 * that logged changes lead to has none either; each of them was applied strictly, and rows are counted.
 * Throws VERIFY_FAILED.
 */
export async function proveInPlace(context: Context, source: Loadable): Promise<ProvenTables> {
  if (source.dump !== undefined) return proveDump(context);
  return withArchives(source, (archives) => {
    const request = loadRequest(context, source, archives);
    return archives.describesState
      ? proveArchives(context, request)
      : proveLogged(context, request);
  });
}

async function withArchives<T>(
  { path, chain }: Loadable,
  use: (archives: ChainArchives) => Promise<T>,
): Promise<T> {
  const archives = await ChainArchives.open(chain?.files.map((file) => file.path) ?? [path]);
  try {
    archives.assertLinked();
    return await use(archives);
  } finally {
    await archives.close();
  }
}

function openTarget(context: Context): Promise<Session> {
  const { server, databaseName } = context.configuration;
  return openServer(context, server, databaseName);
}

function loadRequest(
  context: Context,
  { chain }: Loadable,
  archives: ChainArchives,
): ChainLoadRequest {
  const { backup, databaseName } = context.configuration;
  const { database } = archives.full.index.header;
  const until = chain?.until?.again();
  return {
    archives,
    database: databaseName,
    open: () => openTarget(context),
    connections: backup.threads,
    ...(until === undefined ? {} : { until }),
    idempotent: chain?.idempotent === true,
    rewrite: (statement) => renamed(statement, database, databaseName),
    withoutBinlog: false,
    withoutEvents: true,
    output: context.output,
  };
}

async function proveArchives(context: Context, load: ChainLoadRequest): Promise<ProvenTables> {
  const sessions = await openTargets(context);
  try {
    const reader = load.archives.asState();
    const request: CompareRequest = {
      reader,
      database: context.configuration.databaseName,
      sessions,
      differences: { eventsDisabled: false, definersReplaced: false },
      compareDefinitions: reader.index.header.serverVersion === sessions[0].facts.version,
      output: context.output,
      ignoredTables: new Set(),
      objects: (object) => object.type !== 'event',
    };
    const comparison = await compareCopy(request);
    assertNoProblems(comparison.problems);
    await loadChainEvents(load);
    const events: CompareRequest = { ...request, objects: (object) => object.type === 'event' };
    assertNoProblems(await compareObjects(events, [], []));
    return comparison.tables;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

async function proveLogged(context: Context, load: ChainLoadRequest): Promise<ProvenTables> {
  context.output.line(describeLoggedProof(load.idempotent === true));
  const session = await openTarget(context);
  try {
    const { tables } = await countRows(context.configuration.databaseName, session);
    await loadChainEvents(load);
    return tables;
  } finally {
    await session.close();
  }
}

async function openTargets(context: Context): Promise<[Session, ...Session[]]> {
  const sessions: [Session, ...Session[]] = [await openTarget(context)];
  try {
    while (sessions.length < context.configuration.backup.threads) {
      sessions.push(await openTarget(context));
    }
    return sessions;
  } catch (error) {
    await Promise.all(sessions.map((session) => session.close()));
    throw error;
  }
}

async function proveDump(context: Context): Promise<ProvenTables> {
  const session = await openTarget(context);
  try {
    const { databaseName } = context.configuration;
    const { tables } = await listTables(session, databaseName);
    for (const { name } of tables) await checkTable(session, name);
    return (await countRows(databaseName, session)).tables;
  } finally {
    await session.close();
  }
}

async function checkTable(session: Session, table: string): Promise<void> {
  const records = await session.records(`CHECK TABLE ${quoteIdentifier(table)}`, {
    timeoutMs: CHECK_TIMEOUT_MS,
  });
  const complaint = records.find(
    (record) => record['Msg_type']?.toLowerCase() === 'error' || record['Msg_text'] === 'Corrupt',
  );
  if (complaint === undefined) return;
  throw new ReshelveError(
    'VERIFY_FAILED',
    `table ${table}: CHECK TABLE says ${complaint['Msg_text'] ?? ''}`,
  );
}
