/** An incremental by the binary log: header, changes as logged, closing, index. */
import { ArchiveWriter } from '../../archive/archive-writer.js';
import type { FinishedArchive, IndexParts, MemberInput } from '../../archive/archive-writer.js';
import { SIGNATURE_LINE } from '../../archive/format.js';
import type { ChainLink, IndexHeader } from '../../archive/index-types.js';
import { changesClosing, changesHeader } from '../../sql/changes-text.js';
import { readDatabaseDefaults } from '../../mysql/database-defaults.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { TOOL_VERSION } from '../../version.js';
import { captureBinlog } from './capture-binlog.js';
import type { Captured, CaptureEnd, ChainBreak } from './capture-types.js';
import type { Context, Warning } from '../context.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';

export interface WrittenChanges {
  readonly kind: 'written';
  readonly archive: FinishedArchive;
  readonly warnings: readonly Warning[];
  readonly notes: readonly string[];
  /** Why nothing can follow on this archive; null where the chain goes on. */
  readonly unreplayable: string | null;
}

/**
 * Writes the archive at `path`, which follows the one whose header is `previous`. A chain break
 * leaves no file.
 */
export async function writeChanges(
  run: Run,
  path: string,
  previous: IndexHeader,
  chain: ChainLink,
  until?: CaptureEnd,
): Promise<WrittenChanges | ChainBreak> {
  const { signal, configuration } = run.context;
  const facts = await readServerSide(run.context);
  const level = configuration.backup.compressionLevel;
  const writer = await ArchiveWriter.create(path, { level, signal });
  try {
    await writer.append(headerMember(run, facts, chain.previousId));
    const captured = await captureBinlog(run, {
      from: chain.from,
      binlog: previous.binlog,
      flavour: previous.serverFlavour,
      writer,
      ...(until === undefined ? {} : { until }),
    });
    if (captured.kind === 'break') {
      await writer.abort();
      return captured;
    }
    await writer.append({ kind: 'closing', ...changesClosing() });
    const header = indexHeader(run, facts, captured, previous, chain);
    const archive = await writer.finish({ header, tables: [], ranges: [], objects: [] });
    return {
      kind: 'written',
      archive,
      warnings: captured.warnings,
      notes: [describeChanges(captured)],
      unreplayable: captured.binlog.unreplayable,
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

export function describeChanges({ totals, end }: Captured): string {
  const others = totals.seen - totals.transactions;
  const beside = others > 0 ? ` (${others} others did not touch the database)` : '';
  return (
    `${totals.transactions} transactions${beside} from ${totals.logBytes} bytes of the binary log, ` +
    `up to ${end.binlogFile ?? ''}:${end.binlogPosition ?? ''}`
  );
}

/** Of whom an archive of logged changes says that it is. */
export type Author = Pick<Run, 'id' | 'startedAt' | 'context'>;

export interface ServerSide {
  readonly defaults: DatabaseDefaults;
  readonly version: string;
  readonly flavour: string;
}

export async function readServerSide(context: Context): Promise<ServerSide> {
  const { databaseName, server } = context.configuration;
  const session = await openServer(context, server);
  try {
    const { flavour, version } = session.facts;
    const defaults = await readDatabaseDefaults(session, databaseName);
    return {
      defaults: defaults ?? { characterSet: 'utf8mb4', collation: 'utf8mb4_general_ci' },
      version,
      flavour,
    };
  } finally {
    await session.close();
  }
}

/** The archive's first member. */
export function headerMember(
  { context, startedAt }: Pick<Author, 'context' | 'startedAt'>,
  { flavour, version }: Pick<ServerSide, 'flavour' | 'version'>,
  previousId: string,
): MemberInput {
  const { sql, ...text } = changesHeader(
    {
      database: context.configuration.databaseName,
      server: `${flavour} ${version}`,
      toolVersion: TOOL_VERSION,
      startedAt: startedAt.toISOString(),
    },
    previousId,
  );
  return { kind: 'header', sql: Buffer.concat([Buffer.from(SIGNATURE_LINE), sql]), ...text };
}

export function indexHeader(
  author: Author,
  facts: ServerSide,
  captured: Captured,
  previous: IndexHeader,
  chain: ChainLink,
): IndexParts['header'] {
  const { binlogFile, binlogPosition, gtidSet, serverUuid } = captured.end;
  const completeMs = Math.max(captured.completeUntil.getTime(), Date.parse(previous.snapshotAt));
  return {
    id: author.id,
    type: 'incremental',
    database: previous.database,
    ...facts.defaults,
    serverVersion: facts.version,
    serverFlavour: facts.flavour,
    serverUuid,
    toolVersion: TOOL_VERSION,
    startedAt: author.startedAt.toISOString(),
    snapshotAt: new Date(completeMs).toISOString(),
    finishedAt: author.context.now().toISOString(),
    consistency: 'binlog',
    consistencyNote: 'every transaction as the server logged it, in its order',
    coordinates: { binlogFile, binlogPosition, gtidSet },
    binlog: captured.binlog,
    chain,
    timeZone: '',
    sqlMode: '',
    warnings: captured.warnings.map(({ code, message }) => ({ code, message })),
  };
}
