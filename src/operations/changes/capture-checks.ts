/** Before a byte of the log is read: whether the log still is the one that the chain stands in. */
import type { BinlogPlace } from '../../archive/index-types.js';
import { GtidSet } from '../../binlog/gtid-set.js';
import { listLogFiles, readFileCreatedAt } from '../../mysql/binlog-state.js';
import type { DumpStart } from '../../mysql/binlog-stream.js';
import { readGtidState, readServerUuid } from '../../mysql/coordinates.js';
import type { Session } from '../../mysql/session.js';
import type { CaptureRequest, ChainBreak, ChainBreakReason } from './capture-types.js';

export function chainBreak(reason: ChainBreakReason, message: string): ChainBreak {
  return { kind: 'break', reason, message };
}

/** Where to read from: the archive's end, and before it what prepared XA transactions need. */
export interface CaptureStart {
  readonly kind: 'start';
  readonly dump: DumpStart;
  readonly from: BinlogPlace;
  readonly readFrom: BinlogPlace;
  readonly serverUuid: string | null;
}

/** The end of an archive, of whose header the fields are. */
export type CaptureOrigin = Pick<CaptureRequest, 'from' | 'binlog' | 'flavour'>;

export type StartRequest = Pick<CaptureRequest, 'from' | 'binlog' | 'flavour'>;

/** `open` gives a session that is used up. */
export async function findStart(
  session: Session,
  request: CaptureOrigin,
  open: () => Promise<Session>,
): Promise<CaptureStart | ChainBreak> {
  const { from, binlog, flavour } = request;
  if (session.facts.flavour !== flavour) {
    return chainBreak('flavour', `the server is ${session.facts.flavour} now and was ${flavour}`);
  }
  if (typeof binlog?.unreplayable === 'string')
    return chainBreak('unreplayable', binlog.unreplayable);
  if ((await session.value('SELECT @@GLOBAL.log_bin')) !== '1') {
    return chainBreak('binlog-off', 'the server writes no binary log (log_bin)');
  }
  const serverUuid = await readServerUuid(session);
  const gtids = await judgeGtids(session, from.gtidSet);
  if (from.serverUuid !== null && serverUuid !== from.serverUuid) {
    return onOtherServer(request, serverUuid, gtids);
  }
  if (gtids.kind === 'break') return gtids;
  const { binlogFile, binlogPosition: position } = from;
  if (binlogFile === null || position === null) {
    return chainBreak('no-coordinates', 'the backup before did not record file and position');
  }
  const place = { binlogFile, position };
  const broken = await judgeFile(session, place, binlog?.fileCreatedAt ?? null, open);
  if (broken !== undefined) return broken;
  const readFrom = earliest(place, binlog?.pendingXa ?? []);
  return { kind: 'start', dump: { place: readFrom }, from: place, readFrom, serverUuid };
}

function earliest(
  place: BinlogPlace,
  pending: readonly { readonly file: string; readonly position: number }[],
): BinlogPlace {
  const [first] = [
    place,
    ...pending.map(({ file, position }) => ({ binlogFile: file, position })),
  ].sort(comparePlaces);
  return first ?? place;
}

function comparePlaces(left: BinlogPlace, right: BinlogPlace): number {
  if (left.binlogFile === right.binlogFile) return left.position - right.position;
  // Numbers have six digits and more, so shorter names come first.
  const byLength = left.binlogFile.length - right.binlogFile.length;
  return byLength === 0 ? (left.binlogFile < right.binlogFile ? -1 : 1) : byLength;
}

type GtidJudgement =
  { readonly kind: 'none' } | { readonly kind: 'holds'; readonly set: GtidSet } | ChainBreak;

/** All that the backup holds must have been run here, and nothing that it lacks may be purged. */
async function judgeGtids(session: Session, recorded: string | null): Promise<GtidJudgement> {
  if (recorded === null || session.facts.flavour !== 'mysql') return { kind: 'none' };
  const state = await readGtidState(session);
  if (state === undefined) return { kind: 'none' };
  const set = GtidSet.parse(recorded);
  const executed = GtidSet.parse(state.executed);
  if (!executed.contains(set)) {
    return chainBreak('reset', 'the server has not run all transactions that the backup holds');
  }
  if (!set.contains(GtidSet.parse(state.purged))) {
    return chainBreak('purged', 'the server has purged transactions that the backup lacks');
  }
  return { kind: 'holds', set };
}

/** A promoted replica goes on with the chain where GTIDs prove that it has the same transactions. */
function onOtherServer(
  request: CaptureOrigin,
  serverUuid: string | null,
  gtids: GtidJudgement,
): CaptureStart | ChainBreak {
  const { from, binlog } = request;
  if (gtids.kind === 'holds' && (binlog?.pendingXa ?? []).length === 0 && !gtids.set.isEmpty) {
    const place = { binlogFile: '', position: 4 };
    return {
      kind: 'start',
      dump: { gtidSet: gtids.set },
      from: place,
      readFrom: place,
      serverUuid,
    };
  }
  const why = gtids.kind === 'break' ? `: ${gtids.message}` : '';
  return chainBreak(
    'other-server',
    `the server is ${serverUuid ?? 'another one'}, and the backup is of ${from.serverUuid ?? ''}${why}`,
  );
}

async function judgeFile(
  session: Session,
  place: BinlogPlace,
  recordedCreatedAt: number | null,
  open: () => Promise<Session>,
): Promise<ChainBreak | undefined> {
  const { binlogFile, position } = place;
  const files = await listLogFiles(session);
  const file = files?.find(({ name }) => name === binlogFile);
  if (files !== undefined && file === undefined) {
    return chainBreak('purged', `the server does not have ${binlogFile} any more`);
  }
  if (file !== undefined && file.size < position) {
    return chainBreak(
      'reset',
      `${binlogFile} has ${file.size} bytes now, and the backup ends at ${position}`,
    );
  }
  if (recordedCreatedAt === null) return undefined;
  const createdAt = await readFileCreatedAt(open, { binlogFile, position: 4 });
  if (createdAt === null || createdAt === recordedCreatedAt) return undefined;
  return chainBreak('reset', `${binlogFile} is another file than the one that the backup ends in`);
}
