/**
 * The last incremental of a chain: from its newest one to the very place where the next full backup
 * stands. Without it no instant between those two could be had, and nothing could prove the chain.
 */
import { join } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { ChainedBackup } from '../../catalog/chain.js';
import { isoOf } from '../../catalog/instant.js';
import { ReshelveError } from '../../errors.js';
import { discard, nameBackupFile } from '../backup-file.js';
import { writeChanges } from '../changes/write-changes.js';
import type { CaptureEnd } from '../changes/capture-types.js';
import type { Context } from '../context.js';
import { publishIncremental } from '../finish-backup.js';
import type { Run } from '../run.js';
import { recordedRun } from '../run.js';
import { readChains } from './read-chains.js';

export interface ClosedChain {
  /** The incremental as the user knows it. */
  readonly file: string;
  /** The one that it goes on from. */
  readonly previous: string;
}

/**
 * Closes the chain before a full backup: undefined where there is none, or it is closed already. Throws
 * CHAIN_GAP where the log does not say any more what happened in between.
 */
export async function closeChain(
  context: Context,
  fullId: string,
): Promise<ClosedChain | undefined> {
  const open = await findOpen(context, fullId);
  if (open === undefined) return undefined;
  return recordedRun(context, 'incremental', (run) => close(run, open.last, open.end));
}

async function findOpen(
  context: Context,
  fullId: string,
): Promise<{ readonly last: ChainedBackup; readonly end: CaptureEnd } | undefined> {
  const chains = await readChains(context);
  const full = chains.link(fullId);
  if (full === undefined) return undefined;
  const { binlogFile, binlogPosition: position } = full.end;
  if (binlogFile === null || position === null) return undefined;
  const before = chains.before(full);
  if (before === undefined || before.reaching !== undefined) return undefined;
  const at = new Date(isoOf(full.snapshotAt));
  return { last: before.last, end: { place: { binlogFile, position }, at } };
}

async function close(run: Run, last: ChainedBackup, end: CaptureEnd): Promise<ClosedChain> {
  const { directory } = run.context.configuration.backup;
  const reader = await openArchive(join(directory, last.file));
  await reader.close();
  const { header } = reader.index;
  const file = nameBackupFile(run, 'incremental');
  try {
    const from = { ...header.coordinates, serverUuid: header.serverUuid };
    const fullId = header.chain?.fullId ?? header.id;
    const link = { fullId, previousId: header.id, method: 'binlog', from } as const;
    const written = await writeChanges(run, file.partialPath, header, link, end);
    if (written.kind === 'break') throw gap(last, written.message);
    await publishIncremental(run, file, written);
    if (written.unreplayable !== null) throw gap(last, written.unreplayable);
    return { file: file.shown, previous: last.file };
  } catch (error) {
    await discard(file);
    throw error;
  }
}

function gap(last: ChainedBackup, reason: string): ReshelveError {
  return new ReshelveError(
    'CHAIN_GAP',
    `what happened between ${last.file} and the new full backup cannot be restored: ${reason}`,
    { hint: 'Nothing needs to be done: the next incrementals build on the new full backup.' },
  );
}
