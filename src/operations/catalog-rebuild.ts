/** Makes backup_logs.json anew from what the backups say of themselves. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import { parseBackupFileName } from '../catalog/names.js';
import type { CatalogEntry, RunType } from '../catalog/records.js';
import type { CatalogRecovery } from '../catalog/store.js';
import { ReshelveError } from '../errors.js';
import { chainFields } from './chains/chain-record.js';
import type { Context } from './context.js';

const FOLDERS = ['', 'incremental'] as const;

/** Reads every archive in the backup directory and merges what it says with what can be salvaged. */
export async function rebuildCatalog(context: Context): Promise<CatalogRecovery> {
  const { directory } = context.configuration.backup;
  const entries: CatalogEntry[] = [];
  for (const folder of FOLDERS) {
    for (const name of await listFolder(join(directory, folder))) {
      const parsed = parseBackupFileName(name);
      if (parsed === undefined || parsed.kind === 'emergency') continue;
      const entry = await readEntry(
        directory,
        folder === '' ? name : `${folder}/${name}`,
        parsed.kind,
      );
      if (entry === undefined) {
        context.output.warn({
          code: 'NOT_LISTED',
          message: `${name} is left out: it is not a sound archive; look at it with \`reshelve inspect --check\``,
        });
      } else entries.push(entry);
    }
  }
  return context.catalog.recoverDamaged(entries);
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** What a file says of itself; undefined where it is no sound archive. */
export async function readEntry(
  directory: string,
  file: string,
  type: RunType,
): Promise<CatalogEntry | undefined> {
  const path = join(directory, file);
  try {
    const reader = await openArchive(path);
    const { header } = reader.index;
    await reader.close();
    return {
      id: header.id,
      type,
      status: header.warnings.length > 0 ? 'warning' : 'success',
      database: header.database,
      file,
      startedAt: header.startedAt,
      finishedAt: header.finishedAt,
      durationMs: Math.max(0, Date.parse(header.finishedAt) - Date.parse(header.startedAt)),
      sizeBytes: (await stat(path)).size,
      host: '',
      trigger: 'manual',
      sha256: await hashFile(path),
      tables: header.totals.tables,
      rows: header.totals.rows,
      consistency: header.consistency,
      ...chainFields(header),
    };
  } catch (error) {
    if (error instanceof ReshelveError) return undefined;
    throw error;
  }
}

/** SHA-256 of a file's bytes, as `sha256sum` prints it. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
