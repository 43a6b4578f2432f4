/**
 * Finds the files that a wanted state needs: the newest that can be had, the one that a file brings, or
 * that of an instant.
 */
import { join } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { IndexHeader } from '../../archive/index-types.js';
import { probeFile } from '../../archive/probe-file.js';
import type { ReplayEnd } from '../../binlog/replay-until.js';
import { ReplayUntil } from '../../binlog/replay-until.js';
import type { ChainedBackup, ChainModel } from '../../catalog/chain.js';
import { formatInstant, microsOf } from '../../catalog/instant.js';
import type { CatalogEntry } from '../../catalog/records.js';
import { ReshelveError } from '../../errors.js';
import { ChainArchives } from './chain-archives.js';
import { assertSound } from '../check-file.js';
import type { ChosenBackup } from '../choose-backup.js';
import { chooseNamed, chooseNewest, readEntries } from '../choose-backup.js';
import type { Context } from '../context.js';
import { linksWith, nearestWords } from './logged-point.js';
import { chainsOf } from './read-chains.js';
import type { TargetWish } from '../load/restore-target.js';
import { findGtids, NO_TARGET, readTarget } from '../load/restore-target.js';

export interface RestorePoint {
  /** The full backup and the incrementals on it, in their order; a foreign dump stands alone. */
  readonly backups: readonly [ChosenBackup, ...ChosenBackup[]];
  /** The last of them. */
  readonly newest: ChosenBackup;
  /** Which of the logged changes are applied; all where it is left out. */
  readonly until?: ReplayUntil;
}

/**
 * Throws BACKUP_NOT_FOUND, USAGE, and CHAIN_GAP where the chain of the file is not whole or what is
 * wanted lies in none.
 */
export async function chooseRestorePoint(
  context: Context,
  file: string | undefined,
  wish: TargetWish = NO_TARGET,
): Promise<RestorePoint> {
  const { databaseName, backup } = context.configuration;
  const end = readTarget(wish, backup.timeZone);
  const entries = await readEntries(context);
  const chains = await chainsOf(entries, databaseName, backup.directory);
  if (end !== undefined && file !== undefined) {
    throw new ReshelveError('USAGE', 'a file says by itself which state it brings', {
      hint: 'Leave the file out, or the option: the files that a point in time needs are found.',
    });
  }
  const point = await choose(context, entries, chains, file, end);
  const { skipGtids } = wish;
  if (skipGtids.length > 0) await assertInside(point, skipGtids);
  if (end === undefined && skipGtids.length === 0) return point;
  return { ...point, until: new ReplayUntil(end, skipGtids) };
}

async function choose(
  context: Context,
  entries: readonly CatalogEntry[],
  chains: ChainModel,
  file: string | undefined,
  end: ReplayEnd | undefined,
): Promise<RestorePoint> {
  if (file !== undefined) return namedPoint(context, entries, chains, file);
  if (end === undefined) return newestPoint(context, entries, chains);
  if (end.kind === 'instant') {
    return pointOf(context, entries, linksAt(context, chains, end.instant));
  }
  const { directory } = context.configuration.backup;
  return pointOf(context, entries, await linksWith(chains, end, directory));
}

async function assertInside(point: RestorePoint, gtids: readonly string[]): Promise<void> {
  const missing = new Set(gtids);
  for (const { path } of point.backups) {
    if (missing.size === 0) return;
    if ((await probeFile(path)).kind !== 'reshelve') continue;
    for (const found of await findGtids(path, missing)) missing.delete(found);
  }
  const [first] = missing;
  if (first === undefined) return;
  throw new ReshelveError(
    'USAGE',
    `--skip-gtid ${first}: no transaction of that GTID is restored`,
    {
      hint: 'Run `reshelve events` to see the transactions and their GTIDs.',
    },
  );
}

function linksAt(
  context: Context,
  chains: ChainModel,
  instant: bigint,
): readonly [ChainedBackup, ...ChainedBackup[]] {
  const answer = chains.at(instant);
  if (answer.links !== undefined) return answer.links;
  const { timeZone } = context.configuration.backup;
  const show = (at: bigint): string => `--to '${formatInstant(at, timeZone)}'`;
  const { before, after } = answer;
  const nearest = [before, after].flatMap((at) => (at === undefined ? [] : [show(at)]));
  const isLater = before !== undefined && after === undefined;
  throw new ReshelveError(
    'CHAIN_GAP',
    `the state of ${formatInstant(instant, timeZone)} cannot be restored: ` +
      (nearest.length === 0 ? 'there is no backup' : nearestWords(nearest)),
    {
      hint: isLater
        ? 'Run `reshelve incremental`: what happened since then is still on the server, if anywhere.'
        : 'Run `reshelve list` to see what can be restored.',
    },
  );
}

/** Checks every byte of every file and that they belong together; then they are open. */
export async function openSound(
  context: Pick<Context, 'output' | 'signal'>,
  { backups }: { readonly backups: readonly Pick<ChosenBackup, 'path' | 'shown'>[] },
): Promise<ChainArchives> {
  for (const { path, shown } of backups) await assertSound(context, path, shown);
  const archives = await ChainArchives.open(backups.map(({ path }) => path));
  try {
    archives.assertLinked();
    return archives;
  } catch (error) {
    await archives.close();
    throw error;
  }
}

/** A dump of another tool in the catalog belongs to no chain, but it may be the newest backup. */
function newestPoint(
  context: Context,
  entries: readonly CatalogEntry[],
  chains: ChainModel,
): RestorePoint {
  const links = chains.newest();
  const last = links?.at(-1);
  if (links === undefined || last?.step === undefined) {
    return singlePoint(chooseNewest(context, entries));
  }
  const full = chooseNewest(context, entries);
  const isLater = microsOf(full.entry?.startedAt ?? '') > last.snapshotAt;
  return isLater ? singlePoint(full) : pointOf(context, entries, links);
}

async function namedPoint(
  context: Context,
  entries: readonly CatalogEntry[],
  chains: ChainModel,
  file: string,
): Promise<RestorePoint> {
  const chosen = chooseNamed(context, entries, file);
  const header = await readHeader(chosen.path);
  if (header?.chain === undefined) return singlePoint(chosen);
  const link = chains.link(chosen.entry?.id ?? header.id);
  if (link?.step === undefined) {
    throw new ReshelveError(
      'CHAIN_GAP',
      `${chosen.shown} is an incremental, and the backups that it builds on are not known`,
      {
        hint: 'Put it and them into BACKUP_DIR and run `reshelve catalog rebuild`, then this command again.',
      },
    );
  }
  const { links, problem } = chains.pathTo(link);
  if (links === undefined) {
    const nearest = chains.newest()?.at(-1);
    throw new ReshelveError('CHAIN_GAP', `${chosen.shown} cannot be restored: ${problem}`, {
      hint: nearest === undefined ? 'Run `reshelve full`.' : restoreHint(context, nearest),
    });
  }
  return pointOf(context, entries, links);
}

function restoreHint(context: Context, nearest: ChainedBackup): string {
  const { timeZone } = context.configuration.backup;
  return (
    `The newest state that can be restored is that of ${formatInstant(nearest.snapshotAt, timeZone)}: ` +
    `\`reshelve restore ${nearest.file}\`.`
  );
}

async function readHeader(path: string): Promise<IndexHeader | undefined> {
  if ((await probeFile(path)).kind !== 'reshelve') return undefined;
  const reader = await openArchive(path);
  await reader.close();
  return reader.index.header;
}

/** A file that needs no other. */
export function singlePoint(backup: ChosenBackup): RestorePoint {
  return { backups: [backup], newest: backup };
}

export function pointOf(
  context: Context,
  entries: readonly CatalogEntry[],
  links: readonly [ChainedBackup, ...ChainedBackup[]],
): RestorePoint {
  const { directory, directoryShown } = context.configuration.backup;
  const chosen = (link: ChainedBackup): ChosenBackup => ({
    path: join(directory, link.file),
    shown: join(directoryShown, link.file),
    entry: entries.find((entry) => entry.id === link.id),
  });
  const [full, ...others] = links;
  const backups: RestorePoint['backups'] = [chosen(full), ...others.map(chosen)];
  return { backups, newest: backups.at(-1) ?? backups[0] };
}
