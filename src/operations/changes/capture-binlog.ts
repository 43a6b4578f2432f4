/**
 * Reads the server's log from where the chain ends to the newest complete transaction, and writes what
 * concerns the database into an archive.
 */
import { inflateSync } from 'node:zlib';
import type { ArchiveWriter } from '../../archive/archive-writer.js';
import type { BinlogState, TableChanges } from '../../archive/index-types.js';
import { addChanges } from '../../binlog/change-members.js';
import { LogConverter } from '../../binlog/log-converter.js';
import type { Converted } from '../../binlog/log-converter.js';
import {
  listForeignParents,
  logsCascades,
  readCollations,
  readModes,
} from '../../mysql/binlog-state.js';
import { readBinlog, refusalOf } from '../../mysql/binlog-stream.js';
import type { Session } from '../../mysql/session.js';
import { chainBreak, findStart } from './capture-checks.js';
import type { CaptureStart } from './capture-checks.js';
import type { Captured, CaptureRequest, CaptureResult, ChainBreak } from './capture-types.js';
import type { Warning } from '../context.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';
import { lookAtDatabase } from '../load/target-database.js';
import { XaSpill } from './xa-spill.js';

/**
 * How long a transaction may take from its commit time to its place in the log: of the last moments
 * before reading nobody can tell whether all is there.
 */
const COMMIT_DELAY_MS = 1000;

/** Writes the change members; the caller writes header and closing, and finishes the archive. */
export async function captureBinlog(run: Run, request: CaptureRequest): Promise<CaptureResult> {
  const session = await openInNone(run);
  try {
    const start = await findStart(session, request, () => openInNone(run));
    if (start.kind === 'break') return start;
    return await new Capture(run, request, session, start).capture();
  } finally {
    await session.close();
  }
}

/** In no database, for a dump needs none, and what came before a DROP DATABASE is wanted all the same. */
function openInNone(run: Run): Promise<Session> {
  return openServer(run.context, run.context.configuration.server);
}

class Capture {
  readonly #run: Run;
  readonly #request: CaptureRequest;
  readonly #session: Session;
  readonly #start: CaptureStart;
  readonly #tables = new Map<string, { -readonly [K in keyof TableChanges]: TableChanges[K] }>();
  #logBytes = 0;
  #transactions = 0;

  constructor(run: Run, request: CaptureRequest, session: Session, start: CaptureStart) {
    this.#run = run;
    this.#request = request;
    this.#session = session;
    this.#start = start;
  }

  async capture(): Promise<CaptureResult> {
    const clock = await this.#session.value('SELECT UNIX_TIMESTAMP(NOW(6))');
    const readAt = Number(clock) * 1000;
    const { databaseName } = this.#run.context.configuration;
    const { exists } = await lookAtDatabase(this.#session, databaseName);
    const spill = new XaSpill(this.#request.spillPath);
    try {
      const converter = await this.#createConverter(spill);
      const refused = await this.#read(converter);
      if (refused !== undefined) return refused;
      const converted = converter.finish();
      if (!exists && converted.unreplayable === null) return notThere(this.#session, databaseName);
      await this.#append(converter);
      return await this.#result(converted, readAt);
    } finally {
      spill.close();
    }
  }

  async #createConverter(xaStore: XaSpill): Promise<LogConverter> {
    const { from, readFrom } = this.#start;
    const { flavour } = this.#session.facts;
    const lower = await this.#session.value('SELECT @@GLOBAL.lower_case_table_names');
    return new LogConverter({
      scope: {
        database: this.#run.context.configuration.databaseName,
        lowerCaseTableNames: Number(lower ?? 0),
      },
      from,
      readFrom,
      gtidSet: this.#request.from.gtidSet,
      flavour,
      pendingXa: this.#request.binlog?.pendingXa ?? [],
      collations: await readCollations(this.#session),
      inflate: (deflated, length) =>
        inflateSync(deflated, { maxOutputLength: Math.max(length, 1) }),
      xaStore,
    });
  }

  /** Feeds the converter to the log's end; gives the break where the server refuses the log. */
  async #read(converter: LogConverter): Promise<ChainBreak | undefined> {
    const { signal, output } = this.#run.context;
    const dump = await openInNone(this.#run);
    try {
      for await (const event of readBinlog(dump, this.#start.dump)) {
        this.#logBytes += event.loggedLength;
        converter.feed(event);
        if (converter.isEnded) break;
        if (converter.hasMembers) {
          signal.throwIfAborted();
          await this.#append(converter);
          const progress = { activity: 'Reading the binary log', done: this.#logBytes };
          output.progress({ ...progress, unit: 'bytes' });
        }
      }
      output.progress(null);
      return undefined;
    } catch (error) {
      const reason = refusalOf(error);
      if (reason === undefined || !(error instanceof Error)) throw error;
      return chainBreak(reason, error.message);
    } finally {
      dump.destroy(new Error('the log was read to its end'));
    }
  }

  async #append(converter: LogConverter): Promise<void> {
    const { writer } = this.#request;
    for (const member of converter.takeMembers()) {
      await appendMember(writer, member);
      this.#transactions += member.change.transactions;
      for (const table of member.change.tables) {
        const sum = this.#tables.get(table.name);
        if (sum === undefined) this.#tables.set(table.name, { ...table });
        else addChanges(sum, table);
      }
    }
  }

  async #result(converted: Converted, readAt: number): Promise<Captured> {
    const { end, gtidSet, fileCreatedAt, pendingXa, unreplayable, lastCommitAt } = converted;
    const lastCommitMs = lastCommitAt === null ? 0 : Number(lastCommitAt / 1000n);
    const isWhole = unreplayable === null;
    const completeMs = isWhole ? Math.max(readAt - COMMIT_DELAY_MS, lastCommitMs) : lastCommitMs;
    const modes = await readModes(this.#session);
    const binlog: BinlogState = { fileCreatedAt, ...modes, pendingXa, unreplayable };
    return {
      kind: 'captured',
      end: {
        binlogFile: end.binlogFile,
        binlogPosition: end.position,
        gtidSet,
        serverUuid: this.#start.serverUuid,
      },
      binlog,
      completeUntil: new Date(completeMs),
      totals: {
        transactions: this.#transactions,
        seen: converted.seen,
        logBytes: this.#logBytes,
        tables: [...this.#tables.values()],
      },
      warnings: await this.#warnings(binlog),
    };
  }

  async #warnings({ format, pendingXa }: BinlogState): Promise<Warning[]> {
    const { databaseName } = this.#run.context.configuration;
    const warnings: Warning[] = [];
    if (format !== null && format !== 'ROW' && this.#session.facts.flavour === 'mysql') {
      const message = `binlog_format is ${format}: statements that name other databases end the chain`;
      warnings.push({ code: 'BINLOG_FORMAT', message });
    }
    if (pendingXa.length > 0) {
      const message = `${pendingXa.length} XA transactions are prepared and not decided; the next incremental reads them again`;
      warnings.push({ code: 'XA_PENDING', message });
    }
    if (await logsCascades(this.#session)) return warnings;
    const tables = await listForeignParents(this.#session, databaseName);
    if (tables.length > 0) {
      const message = `foreign keys into other databases change ${tables.join(', ')} without a word in the binary log`;
      warnings.push({ code: 'HIDDEN_CASCADES', message });
    }
    return warnings;
  }
}

/** Missing before the log was read, and the log does not say why. */
function notThere(session: Session, database: string): ChainBreak {
  return chainBreak(
    'not-there',
    `there is no database ${database} at ${session.where} any more, and the binary log does not say who dropped it`,
  );
}

async function appendMember(
  writer: ArchiveWriter,
  member: ReturnType<LogConverter['takeMembers']>[number],
): Promise<void> {
  await writer.append({ kind: 'change', ...member });
}
