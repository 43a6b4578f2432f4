/**
 * Finds the files that a wanted state needs: the newest that can be had, the one that a file brings, or
 * that of an instant.
 */
import { join } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import type { IndexHeader } from '../archive/index-types.js';
import { probeFile } from '../archive/probe-file.js';
import type { ChainedBackup, ChainModel } from '../catalog/chain.js';
import { formatInstant, microsOf } from '../catalog/instant.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import { ChainArchives } from './chain-archives.js';
import { assertSound } from './check-file.js';
import type { ChosenBackup } from './choose-backup.js';
import { chooseNamed, chooseNewest, readEntries } from './choose-backup.js';
import type { Context } from './context.js';
import { chainsOf } from './read-chains.js';

export interface RestorePoint {
  /** The full backup and the incrementals on it, in their order; a foreign dump stands alone. */
  readonly backups: readonly [ChosenBackup, ...ChosenBackup[]];
  /** The last of them. */
  readonly newest: ChosenBackup;
}

/** Throws BACKUP_NOT_FOUND, and CHAIN_GAP where the file's chain is not whole. */
export async function chooseRestorePoint(
  context: Context,
  file: string | undefined,
): Promise<RestorePoint> {
  const entries = await readEntries(context);
  const { databaseName, backup } = context.configuration;
  const chains = await chainsOf(entries, databaseName, backup.directory);
  return file === undefined
    ? newestPoint(context, entries, chains)
    : namedPoint(context, entries, chains, file);
}

/** Checks every byte of every file and that they belong together; then they are open. */
export async function openSound(
  context: Pick<Context, 'output' | 'signal'>,
  point: RestorePoint,
): Promise<ChainArchives> {
  for (const backup of point.backups) await assertSound(context, backup.path, backup.shown);
  const archives = await ChainArchives.open(point.backups.map(({ path }) => path));
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

function pointOf(
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
