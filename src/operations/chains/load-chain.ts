/**
 * Loads one state: a full archive and the incrementals after it, in their order. Events come last of
 * all, so that none runs while the state is not yet reached.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { IndexHeader } from '../../archive/index-types.js';
import { ReplayUntil } from '../../binlog/replay-until.js';
import type { Session } from '../../mysql/session.js';
import { renameDatabaseQualifiers } from '../../sql/ddl-qualifiers.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { ChainArchives } from './chain-archives.js';
import type { Output } from '../context.js';
import type { LoadRequest, LoadResult } from '../load/load-archive.js';
import { loadArchive, loadDefinition, prepareLoader } from '../load/load-archive.js';
import { defaultsClause } from '../../sql/database-defaults.js';
import { isOfEvent, replayLogged } from './replay-logged.js';

export interface ChainLoadRequest extends Omit<LoadRequest, 'reader'> {
  readonly archives: ChainArchives;
  /** The database that is loaded into. */
  readonly database: string;
  /** Where the logged changes of the last archive end; all of them where it is left out. */
  readonly until?: ReplayUntil;
  /** Passes over rows that are missing or there already, instead of failing (MySQL alone). */
  readonly idempotent?: boolean;
  /** Events may run as soon as they exist; then they are left out. */
  readonly withoutEvents?: boolean;
}

export async function loadChain(request: ChainLoadRequest): Promise<LoadResult> {
  const { archives, output } = request;
  const [full, ...incrementals] = archives.readers;
  if (full === undefined) throw new Error('assertion failed: a chain has a full archive');
  if (incrementals.length === 0) return loadArchive({ ...request, reader: full });
  const counts = new Map<string, number>();
  for (const [at, reader] of archives.readers.entries()) {
    if (at > 0) sayWhich(output, reader, at, incrementals.length);
    if (isLogged(reader)) {
      await replayArchive(request, reader, request.until ?? new ReplayUntil(undefined), 'without');
      continue;
    }
    const { rowsByTable } = await loadArchive({
      ...request,
      reader,
      rewrite: (statement) => (isOfEvent(statement) ? undefined : rewritten(request, statement)),
    });
    for (const [table, rows] of rowsByTable) counts.set(table, (counts.get(table) ?? 0) + rows);
  }
  if (request.withoutEvents !== true) await loadChainEvents(request);
  return resultOf(request, counts);
}

function isLogged(reader: ArchiveReader): boolean {
  return reader.index.header.chain?.method === 'binlog';
}

/** Applies one archive of logged changes. */
export async function replayArchive(
  request: ChainLoadRequest,
  reader: ArchiveReader,
  until: ReplayUntil,
  events: 'without' | 'only',
): Promise<void> {
  const { output, database, tables } = request;
  const session = await request.open();
  try {
    await prepareLoader(session, request.withoutBinlog);
    if (request.idempotent === true)
      await session.execute("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
    const { header, members } = reader.index;
    const total = members.reduce(
      (bytes, { kind, sqlLength }) => bytes + (kind === 'change' ? sqlLength : 0),
      0,
    );
    let done = 0;
    await replayLogged({
      reader,
      session,
      until,
      rows: {
        ...(header.database === database ? {} : { database }),
        ...(tables === undefined ? {} : { tables }),
      },
      only: events,
      rewrite: (statement) => inTarget(rewritten(request, statement), statement, header, database),
      onMember: (member) => {
        done += member.sqlLength;
        output.progress({ activity: 'Applying changes', done, total, unit: 'bytes' });
      },
    });
    output.progress(null);
  } finally {
    await session.close();
  }
}

function sayWhich(output: Output, reader: ArchiveReader, at: number, count: number): void {
  const time = reader.index.header.snapshotAt;
  output.line(`Applying incremental ${at} of ${count} (until ${time})...`);
}

/** A logged statement may name its database, and must never reach that one from a copy. */
function inTarget(
  text: Buffer | undefined,
  { lex }: SplitStatement,
  header: IndexHeader,
  database: string,
): Buffer | undefined {
  if (text === undefined || header.database === database) return text;
  return renameDatabaseQualifiers(text, header.database, database, { lex });
}

function rewritten(request: ChainLoadRequest, statement: SplitStatement): Buffer | undefined {
  return request.rewrite === undefined ? statement.text : request.rewrite(statement);
}

/**
 * The events of the state. Logged statements about events are run behind everything else, in their
 * order, after the events of the archive that the log goes on from.
 */
export async function loadChainEvents(request: ChainLoadRequest): Promise<void> {
  const { archives, tables } = request;
  if (tables !== undefined) return;
  const logged = archives.readers.filter(isLogged);
  const described = new ChainArchives(archives.readers.filter((reader) => !isLogged(reader)));
  const events = described.index.objects.filter(({ type }) => type === 'event');
  const session: Session = await request.open();
  try {
    await prepareLoader(session, request.withoutBinlog);
    if (logged.length > 0) await setDefaults(session, described.index.header);
    for (const event of events) {
      const place = described.object(event);
      if (place !== undefined) {
        await loadDefinition({ ...request, reader: place.reader }, session, place.member);
      }
    }
  } finally {
    await session.close();
  }
  const until = request.until?.again() ?? new ReplayUntil(undefined);
  for (const reader of logged) await replayArchive(request, reader, until, 'only');
}

/** Where the log begins; what it changes of them is run once more with the events. */
async function setDefaults(
  session: Session,
  { characterSet, collation }: IndexHeader,
): Promise<void> {
  const clause = defaultsClause({ characterSet, collation });
  await session.execute(`ALTER DATABASE ${clause}`);
}

/** A state that its archive describes has the rows that it says, whatever was replaced on the way. */
function resultOf(request: ChainLoadRequest, loaded: ReadonlyMap<string, number>): LoadResult {
  const { archives, tables } = request;
  const rowsByTable = archives.describesState
    ? new Map(
        archives.index.tables
          .filter(({ name }) => tables?.has(name) ?? true)
          .map(({ name, rows }) => [name, rows]),
      )
    : loaded;
  let rows = 0;
  for (const count of rowsByTable.values()) rows += count;
  return { rowsByTable, rows };
}
