/** The end of a segment: finished, read back, named and entered, as every incremental is. */
import type { IndexHeader } from '../../archive/index-types.js';
import { STREAM_OPERATION } from '../../catalog/directory-lock.js';
import type { CatalogEntry } from '../../catalog/records.js';
import { nameBackupFile } from '../backup-file.js';
import { hashFile } from '../catalog-rebuild.js';
import { chainFields } from '../chains/chain-record.js';
import { readChains } from '../chains/read-chains.js';
import type { Captured } from '../changes/capture-types.js';
import { describeChanges, indexHeader } from '../changes/write-changes.js';
import type { ServerSide } from '../changes/write-changes.js';
import type { Context } from '../context.js';
import {
  applyRetentionOrWarn,
  assertReadsBack,
  countByType,
  publishAndRecord,
} from '../finish-backup.js';
import { linkAfter } from '../incremental.js';
import { listFinished } from '../list-finished.js';
import { removeLeftovers } from '../leftovers.js';
import type { Run } from '../run.js';
import { describeFailure, mustWait, recordedRun } from '../run.js';
import { mergeSegments, removeMergeLeftovers } from './merge-segments.js';
import type { OpenSegment } from './open-segment.js';

export interface SegmentEnd {
  readonly segment: OpenSegment;
  /** Of the archive that the segment builds on. */
  readonly base: IndexHeader;
  readonly captured: Captured;
  readonly server: ServerSide;
}

export type Published =
  | {
      readonly kind: 'saved';
      readonly entry: CatalogEntry;
      readonly header: IndexHeader;
      readonly file: string;
      readonly note: string;
    }
  /** Something else builds on the base by now, or it is gone: the segment belongs nowhere. */
  | { readonly kind: 'moved' }
  /** Another run, or an interrupted recovery, is in the way. */
  | { readonly kind: 'held-up'; readonly by: string };

export async function publishSegment(context: Context, end: SegmentEnd): Promise<Published> {
  return shortRun(context, async (run) => {
    const chains = await readChains(run.context);
    if (!chains.isEnd(end.base.id)) return { kind: 'moved' };
    return save(run, end);
  });
}

/**
 * Before a capture begins: what a killed one has left is entered or removed, so that nothing is
 * captured twice. Gives who is in the way, if anybody is.
 */
export async function enterFinished(context: Context): Promise<string | undefined> {
  const done = await shortRun(context, async (run): Promise<Published> => {
    await removeLeftovers(run, true);
    await removeMergeLeftovers(run);
    await listFinished(run);
    return { kind: 'moved' };
  });
  return done.kind === 'held-up' ? done.by : undefined;
}

async function shortRun(
  context: Context,
  work: (run: Run) => Promise<Published>,
): Promise<Published> {
  const { configuration } = context;
  const backup = { ...configuration.backup, lockWaitMs: 0 };
  const impatient = { ...context, configuration: { ...configuration, backup } };
  try {
    return await recordedRun(impatient, 'incremental', work, { shortRunOf: STREAM_OPERATION });
  } catch (error) {
    if (mustWait(error)) return { kind: 'held-up', by: error.message };
    throw error;
  }
}

async function save(run: Run, end: SegmentEnd): Promise<Published> {
  const { segment, base, captured, server } = end;
  const link = { ...linkAfter(base, 'binlog'), segment: true } as const;
  const { index } = await segment.finish(indexHeader(run, server, captured, base, link));
  const { header, objects } = index;
  const file = { ...nameBackupFile(run, 'incremental'), partialPath: segment.path };
  for (const warning of captured.warnings) run.warn(warning);
  await assertReadsBack(run, file);
  const entry = await publishAndRecord(run, file, {
    sha256: await hashFile(file.partialPath),
    tables: header.totals.tables,
    rows: header.totals.rows,
    objects: countByType(objects),
    consistency: header.consistency,
    ...chainFields(header),
  });
  await mergeOrWarn(run);
  await applyRetentionOrWarn(run, entry);
  return { kind: 'saved', entry, header, file: file.shown, note: describeChanges(captured) };
}

/** The segment is safe and entered by now; segments that are not merged cost room and nothing else. */
async function mergeOrWarn(run: Run): Promise<void> {
  try {
    await mergeSegments(run);
  } catch (error) {
    const { message } = describeFailure(error);
    run.warn({ code: 'MERGE_FAILED', message: `segments were not merged: ${message}` });
  }
}
