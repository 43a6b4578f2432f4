/**
 * An incremental backup: what has changed since the newest state that can be restored. It has the same
 * life as a full one; where nothing can follow on the chain, the run fails with CHAIN_GAP.
 */
import { join } from 'node:path';
import type { ChainLink, IndexHeader } from '../archive/index-types.js';
import type { ChainedBackup, ChainMethod } from '../catalog/chain.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import type { BackupFile } from './backup-file.js';
import { discard, nameBackupFile } from './backup-file.js';
import { ChainArchives } from './chains/chain-archives.js';
import type { ChainBreakReason } from './changes/capture-types.js';
import type { Context, Warning } from './context.js';
import { withDatabaseLock } from './database-guard.js';
import { applyRetentionOrWarn, publishIncremental } from './finish-backup.js';
import { removeLeftovers } from './leftovers.js';
import { listFinished } from './list-finished.js';
import { readChains } from './chains/read-chains.js';
import type { RetentionOutcome } from './retention.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';
import { openDatabaseIfThere, openServer } from './sessions.js';
import { lookAtDatabase } from './load/target-database.js';
import { writeChanges } from './changes/write-changes.js';
import { writeRanges } from './changes/write-ranges.js';
import type { WrittenIncremental } from './changes/write-ranges.js';

export interface IncrementalResult {
  readonly entry: CatalogEntry;
  readonly file: string;
  /** The backup that it builds on. */
  readonly previous: string;
  readonly method: ChainMethod;
  readonly notes: readonly string[];
  readonly retention: RetentionOutcome;
  readonly warnings: readonly Warning[];
}

/** `auto`: by the binlog where that is possible, else by comparison. */
export type MethodWish = 'auto' | ChainMethod;

export interface IncrementalOptions {
  readonly method: MethodWish;
}

/** Throws CHAIN_GAP where only a new full backup helps, besides what a full backup throws. */
export async function runIncremental(
  context: Context,
  options: IncrementalOptions = { method: 'auto' },
): Promise<IncrementalResult> {
  return recordedRun(context, 'incremental', async (run) => {
    await removeLeftovers(run);
    await listFinished(run);
    const base = await findBase(run.context);
    return withDatabaseLock(run, (locked) => backUp(locked, base, options), openDatabaseIfThere);
  });
}

/** What is missing from the end of the newest chain comes with this run. Throws CHAIN_GAP. */
export async function findBase(
  context: Context,
): Promise<readonly [ChainedBackup, ...ChainedBackup[]]> {
  const { databaseName, backup } = context.configuration;
  const chains = await readChains(context);
  const links = chains.tip();
  if (links !== undefined) return links;
  const [lost] = [...chains.chains(), { unreachable: chains.orphans() }].flatMap(
    ({ unreachable }) => unreachable,
  );
  throw new ReshelveError(
    'CHAIN_GAP',
    `there is no full backup of ${databaseName} in ${backup.directoryShown} that an incremental ` +
      `can build on${lost === undefined ? '' : ` (${lost.reason})`}`,
    { hint: 'Run `reshelve full` first.' },
  );
}

async function backUp(
  run: Run,
  links: readonly [ChainedBackup, ...ChainedBackup[]],
  options: IncrementalOptions,
): Promise<IncrementalResult> {
  const { configuration, output } = run.context;
  const { directory } = configuration.backup;
  const base = links.at(-1) ?? links[0];
  const archives = await ChainArchives.open(links.map(({ file }) => join(directory, file)));
  const file = nameBackupFile(run, 'incremental');
  output.line(`Backing up what changed in ${configuration.databaseName} since ${base.file}...`);
  try {
    const written = await write(run, file, archives, options);
    const { header } = written.archive.index;
    const entry = await publishIncremental(run, file, written);
    const retention = await applyRetentionOrWarn(run, entry);
    const unreplayable = header.binlog?.unreplayable ?? null;
    if (header.chain?.method === 'binlog' && unreplayable !== null) {
      output.line(`Saved what came before: ${file.shown}`);
      throw gap(unreplayable, await dropHint(run.context));
    }
    return {
      entry,
      file: file.shown,
      previous: base.file,
      method: header.chain?.method ?? 'ranges',
      notes: written.notes,
      retention,
      warnings: run.warnings,
    };
  } catch (error) {
    await discard(file);
    throw error;
  } finally {
    await archives.close();
  }
}

/** Reasons for which a comparison does what the binlog cannot. */
const COMPARABLE: readonly ChainBreakReason[] = ['no-coordinates', 'binlog-off', 'privilege'];

async function write(
  run: Run,
  file: BackupFile,
  archives: ChainArchives,
  { method }: IncrementalOptions,
): Promise<WrittenIncremental> {
  const { header } = archives.index;
  const notes: string[] = [];
  if (method !== 'ranges') {
    const link = linkAfter(header, 'binlog');
    const written = await writeChanges(run, file.partialPath, header, link);
    if (written.kind === 'written') return written;
    const mayCompare = COMPARABLE.includes(written.reason) && archives.describesState;
    if (method === 'binlog' || !mayCompare) {
      throw gap(written.message, await dropHint(run.context));
    }
    notes.push(`compared instead of reading the binary log: ${written.message}`);
  } else if (!archives.describesState) {
    throw gap('the newest backup was made from the binary log and has no state to compare with');
  }
  const hint = await dropHint(run.context);
  if (hint !== undefined) throw gap('the database is not there any more', hint);
  const written = await writeRanges(run, file.partialPath, archives, linkAfter(header, 'ranges'));
  return { ...written, notes: [...notes, ...written.notes] };
}

/** A full backup, which is else the next step, needs the database too; undefined where it is there. */
export async function dropHint(context: Context): Promise<string | undefined> {
  const { databaseName, server } = context.configuration;
  const session = await openServer(context, server);
  try {
    const { exists } = await lookAtDatabase(session, databaseName);
    if (exists) return undefined;
    return (
      `${databaseName} is gone from ${session.where}: \`reshelve recover\` brings back its newest state ` +
      'that was saved, or check DB_NAME and the grants of DB_USER; then `reshelve full`.'
    );
  } finally {
    await session.close();
  }
}

export function gap(reason: string, hint?: string): ReshelveError {
  return new ReshelveError(
    'CHAIN_GAP',
    `no incremental can follow: ${reason}`,
    hint === undefined ? {} : { hint },
  );
}

export function linkAfter(header: IndexHeader, method: ChainMethod): ChainLink {
  return {
    fullId: header.chain?.fullId ?? header.id,
    previousId: header.id,
    method,
    from: { ...header.coordinates, serverUuid: header.serverUuid },
  };
}
