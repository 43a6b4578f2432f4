/** The copy that is to take the place of the live database: loaded beside it, and proven there. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openSession } from '../../mysql/connect.js';
import type { Session } from '../../mysql/session.js';
import { setEventStatus } from '../../sql/ddl-event.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { isCreate } from '../load/archive-definitions.js';
import type { Comparison } from '../load/compare-copy.js';
import { assertNoProblems, compareCopy } from '../load/compare-copy.js';
import type { Context } from '../context.js';
import { loadArchive } from '../load/load-archive.js';
import type { Online } from './online-recovery.js';
import { openServer } from '../sessions.js';
import { dropSideDatabase, listSideDatabases, SIDE_MARK } from './side-database.js';

/** Into the empty staging database. What replicas do not load they could not rename later. */
export async function loadStaging(
  context: Context,
  reader: ArchiveReader,
  staging: string,
): Promise<void> {
  const { server, backup } = context.configuration;
  await loadArchive({
    reader,
    open: () => openServer(context, server, staging),
    connections: backup.threads,
    rewrite: withoutRunningEvents,
    withoutBinlog: false,
    output: context.output,
  });
}

/** Two copies of an event would both do its work. */
function withoutRunningEvents(statement: SplitStatement): Buffer {
  const isEvent = isCreate(statement) && statement.kind === 'CREATE EVENT';
  return isEvent
    ? setEventStatus(statement.text, 'DISABLE', { lex: statement.lex })
    : statement.text;
}

/**
 * Definitions, counts and the digest of every row. Throws VERIFY_FAILED. `withTriggers` is false for a
 * copy whose triggers are dropped already, because tables with triggers cannot be moved.
 */
export async function proveStaging(
  context: Context,
  reader: ArchiveReader,
  staging: string,
  withTriggers: boolean,
): Promise<Comparison['tables']> {
  const { server, backup } = context.configuration;
  const first = await openServer(context, server, staging);
  const sessions: [Session, ...Session[]] = [first];
  try {
    while (sessions.length < backup.threads) {
      sessions.push(await openServer(context, server, staging));
    }
    const comparison = await compareCopy({
      reader,
      database: staging,
      sessions,
      differences: { eventsDisabled: true, definersReplaced: false },
      compareDefinitions: reader.index.header.serverVersion === first.facts.version,
      output: context.output,
      ignoredTables: new Set([SIDE_MARK]),
      objects: ({ type }) => withTriggers || type !== 'trigger',
    });
    assertNoProblems(comparison.problems);
    return comparison.tables;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Every copy of this database that a recovery has left; nobody but a recovery has any use of them. */
export async function dropStagings({ context }: Pick<Online, 'context'>): Promise<void> {
  const { server, databaseName } = context.configuration;
  // On a connection of its own, which an interruption of the run does not cut.
  const session = await openSession(server);
  try {
    for (const name of await listSideDatabases(session, databaseName, 'staging')) {
      await dropSideDatabase(session, name);
    }
  } finally {
    await session.close();
  }
}
