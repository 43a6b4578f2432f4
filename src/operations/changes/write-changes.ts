/** An incremental by the binary log: header, changes as logged, closing, index. */
import { ArchiveWriter } from '../../archive/archive-writer.js';
import type { FinishedArchive, IndexParts } from '../../archive/archive-writer.js';
import { SIGNATURE_LINE } from '../../archive/format.js';
import type { ChainLink, IndexHeader } from '../../archive/index-types.js';
import { spillPath } from '../../catalog/names.js';
import { changesClosing, changesHeader } from '../../sql/changes-text.js';
import { quoteString } from '../../sql/quote.js';
import { TOOL_VERSION } from '../../version.js';
import { captureBinlog } from './capture-binlog.js';
import type { Captured, ChainBreak } from './capture-types.js';
import type { Warning } from '../context.js';
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
): Promise<WrittenChanges | ChainBreak> {
  const { signal, configuration } = run.context;
  const facts = await readFacts(run);
  const level = configuration.backup.compressionLevel;
  const writer = await ArchiveWriter.create(path, { level, signal });
  try {
    const { sql, ...text } = changesHeader(facts.header, chain.previousId);
    const signed = Buffer.concat([Buffer.from(SIGNATURE_LINE), sql]);
    await writer.append({ kind: 'header', sql: signed, ...text });
    const captured = await captureBinlog(run, {
      from: chain.from,
      binlog: previous.binlog,
      flavour: previous.serverFlavour,
      writer,
      spillPath: spillPath(path),
    });
    if (captured.kind === 'break') {
      await writer.abort();
      return captured;
    }
    await writer.append({ kind: 'closing', ...changesClosing() });
    const header = headerOf(run, facts, captured, previous, chain);
    const archive = await writer.finish({ header, tables: [], ranges: [], objects: [] });
    return {
      kind: 'written',
      archive,
      warnings: captured.warnings,
      notes: [noteOf(captured)],
      unreplayable: captured.binlog.unreplayable,
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function noteOf({ totals, end }: Captured): string {
  const others = totals.seen - totals.transactions;
  const beside = others > 0 ? ` (${others} others did not touch the database)` : '';
  return (
    `${totals.transactions} transactions${beside} from ${totals.logBytes} bytes of the binary log, ` +
    `up to ${end.binlogFile ?? ''}:${end.binlogPosition ?? ''}`
  );
}

interface ServerSide {
  readonly header: Parameters<typeof changesHeader>[0];
  readonly characterSet: string;
  readonly collation: string;
  readonly version: string;
  readonly flavour: string;
}

async function readFacts(run: Run): Promise<ServerSide> {
  const { databaseName, server } = run.context.configuration;
  const session = await openServer(run.context, server);
  try {
    const { flavour, version } = session.facts;
    const [defaults] = await session.records(
      'SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation ' +
        `FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteString(databaseName)}`,
    );
    return {
      header: {
        database: databaseName,
        server: `${flavour} ${version}`,
        toolVersion: TOOL_VERSION,
        startedAt: run.startedAt.toISOString(),
      },
      characterSet: defaults?.['charset'] ?? 'utf8mb4',
      collation: defaults?.['collation'] ?? 'utf8mb4_general_ci',
      version,
      flavour,
    };
  } finally {
    await session.close();
  }
}

function headerOf(
  run: Run,
  facts: ServerSide,
  captured: Captured,
  previous: IndexHeader,
  chain: ChainLink,
): IndexParts['header'] {
  const { binlogFile, binlogPosition, gtidSet, serverUuid } = captured.end;
  const completeMs = Math.max(captured.completeUntil.getTime(), Date.parse(previous.snapshotAt));
  return {
    id: run.id,
    type: 'incremental',
    database: previous.database,
    characterSet: facts.characterSet,
    collation: facts.collation,
    serverVersion: facts.version,
    serverFlavour: facts.flavour,
    serverUuid,
    toolVersion: TOOL_VERSION,
    startedAt: run.startedAt.toISOString(),
    snapshotAt: new Date(completeMs).toISOString(),
    finishedAt: run.context.now().toISOString(),
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
