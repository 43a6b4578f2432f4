/**
 * Reads the server's log from where the chain ends to the newest complete transaction, and writes what
 * concerns the database into an archive.
 */
import type { ArchiveWriter } from '../../archive/archive-writer.js';
import type { BinlogPlace } from '../../archive/index-types.js';
import type { ChangeMember } from '../../binlog/change-members.js';
import { isBefore } from '../../binlog/log-position.js';
import { readBinlog, refusalOf } from '../../mysql/binlog-stream.js';
import type { Session } from '../../mysql/session.js';
import { chainBreak, findStart } from './capture-checks.js';
import type { CaptureStart } from './capture-checks.js';
import type { CaptureRequest, CaptureResult, ChainBreak } from './capture-types.js';
import { describeCapture, LogCapture, readClockMs } from './log-capture.js';
import type { Context } from '../context.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';
import { lookAtDatabase } from '../load/target-database.js';

/** Writes the change members; the caller writes header and closing, and finishes the archive. */
export async function captureBinlog(run: Run, request: CaptureRequest): Promise<CaptureResult> {
  const session = await openInNone(run.context);
  try {
    const start = await findStart(session, request, () => openInNone(run.context));
    if (start.kind === 'break') return start;
    return await capture(run, request, session, start);
  } finally {
    await session.close();
  }
}

/** In no database, for a dump needs none, and what came before a DROP DATABASE is wanted all the same. */
function openInNone(context: Context): Promise<Session> {
  return openServer(context, context.configuration.server);
}

async function capture(
  run: Run,
  request: CaptureRequest,
  session: Session,
  start: CaptureStart,
): Promise<CaptureResult> {
  const { databaseName: database, backup } = run.context.configuration;
  const readAtMs = await readClockMs(session);
  const { exists } = await lookAtDatabase(session, database);
  const { from, binlog, writer } = request;
  const spillDirectory = backup.directory;
  const log = await LogCapture.create(session, { database, start, from, binlog, spillDirectory });
  try {
    const refused = await readToItsEnd(run, start, log, request);
    if (refused !== undefined) return refused;
    const { members, part } = log.finish();
    const { end, unreplayable } = part.converted;
    if (!exists && unreplayable === null) return notThere(session, database);
    const { until } = request;
    if (until !== undefined && unreplayable === null && !isSame(end, until.place)) {
      return chainBreak('end-not-met', `the log was read up to ${end.binlogFile}:${end.position}`);
    }
    await appendMembers(writer, members);
    const captured = await describeCapture(session, database, start.serverUuid, part, readAtMs);
    return until === undefined || unreplayable !== null
      ? captured
      : { ...captured, completeUntil: until.at };
  } finally {
    log.close();
  }
}

function isSame(left: BinlogPlace, right: BinlogPlace): boolean {
  return left.binlogFile === right.binlogFile && left.position === right.position;
}

/** Up to the wanted place, or to the log's end. Gives the break where the server refuses the log. */
async function readToItsEnd(
  run: Run,
  start: CaptureStart,
  log: LogCapture,
  { writer, until }: CaptureRequest,
): Promise<ChainBreak | undefined> {
  const { signal, output } = run.context;
  const isThere = (place: BinlogPlace): boolean =>
    until !== undefined && !isBefore(place, until.place);
  if (isThere(start.from)) return undefined;
  const dump = await openInNone(run.context);
  try {
    for await (const event of readBinlog(dump, start.dump)) {
      log.feed(event);
      if (log.hasMembers) {
        signal.throwIfAborted();
        await appendMembers(writer, log.takeMembers());
        const progress = { activity: 'Reading the binary log', done: log.logBytes };
        output.progress({ ...progress, unit: 'bytes' });
      }
      if (log.isEnded || isThere(log.place)) break;
    }
    output.progress(null);
    return undefined;
  } catch (error) {
    return breakOf(error);
  } finally {
    dump.destroy(new Error('the log was read to its end'));
  }
}

/** The break that a server's refusal of its log stands for; throws any other error on. */
export function breakOf(error: unknown): ChainBreak {
  const reason = refusalOf(error);
  if (reason === undefined || !(error instanceof Error)) throw error;
  return chainBreak(reason, error.message);
}

/** Missing before the log was read, and the log does not say why. */
export function notThere(session: Session, database: string): ChainBreak {
  return chainBreak(
    'not-there',
    `there is no database ${database} at ${session.where} any more, and the binary log does not say who dropped it`,
  );
}

export async function appendMembers(
  writer: ArchiveWriter,
  members: Iterable<ChangeMember>,
): Promise<void> {
  for (const member of members) await writer.append({ kind: 'change', ...member });
}
