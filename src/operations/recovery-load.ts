/** Puts a backup in the place of the database and proves there that it is what the backup says. */
import { openArchive } from '../archive/archive-reader.js';
import type { ArchiveReader } from '../archive/archive-reader.js';
import { ReshelveError } from '../errors.js';
import { listTables } from '../mysql/schema-tables.js';
import type { Session } from '../mysql/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { Comparison, CompareRequest } from './compare-copy.js';
import { assertNoProblems, compareCopy, compareObjects } from './compare-copy.js';
import type { Context } from './context.js';
import type { LoadRequest } from './load-archive.js';
import { loadArchive, loadEvents } from './load-archive.js';
import { countRows, loadForeign } from './load-foreign.js';
import type { RecoverySource } from './recovery-source.js';
import { renamed } from './restore.js';
import { openServer } from './sessions.js';

/** What is loaded: the backup to recover from, or the emergency backup on the way back. */
export type Loadable = Pick<RecoverySource, 'path' | 'shown' | 'dump'>;

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
  await withArchive(source, (reader) => loadArchive(loadRequest(context, reader)));
}

/**
 * Compares definitions, counts and digests with the archive, then makes the events and compares them
 * too. A dump has no digests: its tables are checked by the server and their rows counted. Throws
 * VERIFY_FAILED.
 */
export async function proveInPlace(context: Context, source: Loadable): Promise<ProvenTables> {
  if (source.dump !== undefined) return proveDump(context);
  return withArchive(source, (reader) => proveArchive(context, reader));
}

async function withArchive<T>(
  source: Loadable,
  use: (reader: ArchiveReader) => Promise<T>,
): Promise<T> {
  const reader = await openArchive(source.path);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

function openTarget(context: Context): Promise<Session> {
  const { server, databaseName } = context.configuration;
  return openServer(context, server, databaseName);
}

function loadRequest(context: Context, reader: ArchiveReader): LoadRequest {
  const { backup, databaseName } = context.configuration;
  const { database } = reader.index.header;
  return {
    reader,
    open: () => openTarget(context),
    connections: backup.threads,
    rewrite: (statement) => renamed(statement, database, databaseName),
    withoutBinlog: false,
    withoutEvents: true,
    output: context.output,
  };
}

async function proveArchive(context: Context, reader: ArchiveReader): Promise<ProvenTables> {
  const sessions = await openTargets(context);
  try {
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
    await loadEvents(loadRequest(context, reader));
    const events: CompareRequest = { ...request, objects: (object) => object.type === 'event' };
    assertNoProblems(await compareObjects(events, [], []));
    return comparison.tables;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
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
