/** The chains of the configured database, as catalog and backup directory have them now. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import type { ChainedBackup, ChainPosition } from '../../catalog/chain.js';
import { ChainModel } from '../../catalog/chain.js';
import { microsOf } from '../../catalog/instant.js';
import type { CatalogEntry, RecordedChain, RecordedCoordinates } from '../../catalog/records.js';
import { ReshelveError } from '../../errors.js';
import { chainFields } from './chain-record.js';
import type { Context } from '../context.js';

/** Of all backups that the catalog lists. Throws CATALOG_DAMAGED and file errors. */
export async function readChains(
  context: Pick<Context, 'configuration' | 'catalog'>,
): Promise<ChainModel> {
  const { configuration, catalog } = context;
  return chainsOf(await catalog.read(), configuration.databaseName, configuration.backup.directory);
}

export async function chainsOf(
  entries: readonly CatalogEntry[],
  database: string,
  directory: string,
): Promise<ChainModel> {
  const backups: ChainedBackup[] = [];
  for (const entry of entries) {
    const isBackup = entry.type === 'full' || entry.type === 'incremental';
    if (!isBackup || entry.database !== database || entry.status === 'failed') continue;
    if (entry.file === null || entry.removedAt !== undefined) continue;
    const backup = await toChained(entry, entry.file, directory);
    if (backup !== undefined) backups.push(backup);
  }
  return new ChainModel(backups);
}

async function toChained(
  entry: CatalogEntry,
  file: string,
  directory: string,
): Promise<ChainedBackup | undefined> {
  const fields = entry.chain === undefined ? await readFields(join(directory, file)) : entry;
  const chain = fields?.chain;
  if (fields === undefined || chain === undefined) return undefined;
  const { coordinates, baseId } = fields;
  return {
    id: entry.id,
    type: entry.type === 'full' ? 'full' : 'incremental',
    file,
    snapshotAt: microsOf(chain.snapshotAt),
    serverUuid: coordinates?.serverUuid ?? null,
    serverFlavour: chain.serverFlavour,
    end: positionOf(coordinates),
    ...(chain.endsBinlog === undefined ? {} : { endsBinlog: chain.endsBinlog }),
    exists: sizeOf(join(directory, file)) === (entry.sizeBytes ?? undefined),
    isGood: entry.verification?.status !== 'failed',
    ...(chain.method === 'full' ? {} : { step: stepOf(chain, chain.method, baseId) }),
  };
}

function stepOf(
  chain: RecordedChain,
  method: 'binlog' | 'ranges',
  baseId: string | undefined,
): NonNullable<ChainedBackup['step']> {
  return {
    fullId: chain.fullId,
    previousId: baseId ?? '',
    method,
    from: positionOf(chain.from),
  };
}

/** Of entries that know less; a file that is no sound archive belongs to no chain. */
async function readFields(
  path: string,
): Promise<Pick<CatalogEntry, 'chain' | 'coordinates' | 'baseId'> | undefined> {
  try {
    const reader = await openArchive(path);
    await reader.close();
    return chainFields(reader.index.header);
  } catch (error) {
    if (error instanceof ReshelveError) return undefined;
    throw error;
  }
}

function positionOf(coordinates: RecordedCoordinates | undefined): ChainPosition {
  return {
    binlogFile: coordinates?.binlogFile ?? null,
    binlogPosition: coordinates?.position ?? null,
    gtidSet: coordinates?.gtidSet ?? null,
  };
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
