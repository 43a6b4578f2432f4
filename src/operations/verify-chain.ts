/**
 * The proof of a chain by the next full backup: the older full one and its incrementals, restored to the
 * very place where the newer one stands, must give what that one holds.
 */
import { join } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import { ReplayUntil } from '../binlog/replay-until.js';
import type { ChainBefore, ChainedBackup, ChainModel } from '../catalog/chain.js';
import { isoOf } from '../catalog/instant.js';
import type { CatalogEntry, ChainProof } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import { ChainArchives } from './chains/chain-archives.js';
import { closeChain } from './chains/close-chain.js';
import { readChains } from './chains/read-chains.js';
import { pointOf } from './chains/restore-point.js';
import type { RestorePoint } from './chains/restore-point.js';
import { chooseNamed, readEntries } from './choose-backup.js';
import type { Context } from './context.js';
import { guardDatabase } from './database-guard.js';
import type { Comparison } from './load/compare-copy.js';
import { proveChain } from './load/test-restore.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';

export interface ChainVerification {
  /** The full backup that the chain begins with, and the one that proves it; relative to BACKUP_DIR. */
  readonly chain: string;
  readonly by: string;
  /** Every state up to this instant follows from files that gave the newer backup's content. */
  readonly until: string;
  readonly incrementals: number;
  readonly tables: Comparison['tables'];
  readonly warnings: readonly string[];
}

/**
 * Proves the chain before `file`, a full backup; before the newest one that has any where it is left out.
 * Undefined where no full backup follows on a chain of logged changes. Throws VERIFY_FAILED where the two
 * differ, and CHAIN_GAP where the chain does not come to the newer backup's place.
 */
export async function runVerifyChain(
  context: Context,
  file?: string,
): Promise<ChainVerification | undefined> {
  const entries = await readEntries(context);
  const wanted = file === undefined ? undefined : chooseNamed(context, entries, file).entry?.id;
  if (file !== undefined && wanted === undefined) {
    throw new ReshelveError('USAGE', `${file} is no full backup that the catalog lists`);
  }
  const full = findProving(await readChains(context), wanted);
  if (full === undefined) return undefined;
  await closeChain(context, full.id);
  return recordedRun(context, 'verify', (run) =>
    guardDatabase(run, (guarded) => prove(guarded, full)),
  );
}

function findProving(chains: ChainModel, wanted: string | undefined): ChainedBackup | undefined {
  return chains
    .chains()
    .map(({ full }) => full)
    .findLast((full) => (wanted ?? full.id) === full.id && chains.before(full) !== undefined);
}

async function prove(run: Run, full: ChainedBackup): Promise<ChainVerification> {
  const { context } = run;
  const { directory } = context.configuration.backup;
  const chains = await readChains(context);
  const before = chains.before(full);
  const reaching = before?.reaching;
  const path = reaching === undefined ? undefined : chains.pathTo(reaching).links;
  if (before === undefined || reaching === undefined || path === undefined)
    throw notClosed(before, full);
  const point = pointAt(context, await readEntries(context), path, full);
  context.output.line(
    `Proving the chain of ${before.full.file} (${path.length - 1} incrementals) by ${full.file}...`,
  );
  const proving = await openArchive(join(directory, full.file));
  try {
    const state = new ChainArchives([proving]).asState();
    const tables = await proveChain(run, point, state).catch((error: unknown) => {
      throw refuted(error, before.full, full);
    });
    const until = isoOf(full.snapshotAt);
    const proof: ChainProof = { fullId: before.full.id, byId: full.id, until };
    await run.record({ file: full.file, chainProof: proof });
    const warnings = run.warnings.map(({ message }) => message);
    const { file } = before.full;
    return { chain: file, by: full.file, until, incrementals: path.length - 1, tables, warnings };
  } finally {
    await proving.close();
  }
}

/** The newer backup was read from the server itself, so it is the chain that is in doubt. */
function refuted(error: unknown, chain: ChainedBackup, by: ChainedBackup): unknown {
  if (!(error instanceof ReshelveError) || error.code !== 'VERIFY_FAILED') return error;
  return new ReshelveError(
    'VERIFY_FAILED',
    `the incrementals of ${chain.file} do not give what ${by.file} holds: ${error.message}`,
    {
      hint:
        'Something changed the database past its binary log (sql_log_bin=0, cascades from another ' +
        `database, a replica's own writes). Rely on ${by.file} and what follows on it.`,
      cause: error,
    },
  );
}

/** An incremental that was under way while the full backup came may go beyond its place. */
function pointAt(
  context: Context,
  entries: readonly CatalogEntry[],
  path: readonly [ChainedBackup, ...ChainedBackup[]],
  { end }: ChainedBackup,
): RestorePoint {
  const point = pointOf(context, entries, path);
  const { binlogFile, binlogPosition } = path.at(-1)?.end ?? end;
  if (binlogFile === end.binlogFile && binlogPosition === end.binlogPosition) return point;
  const place = { file: end.binlogFile ?? '', position: end.binlogPosition ?? 0 };
  return { ...point, until: new ReplayUntil({ kind: 'position', place }) };
}

function notClosed(before: ChainBefore | undefined, full: ChainedBackup): ReshelveError {
  const chain = before === undefined ? 'the chain' : `the chain up to ${before.last.file}`;
  return new ReshelveError(
    'CHAIN_GAP',
    `${chain} does not come to the place of ${full.file}, which therefore cannot prove it`,
    { hint: 'Run `reshelve verify` with an incremental to test-restore the chain up to there.' },
  );
}
