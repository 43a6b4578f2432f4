/**
 * How every backup ends, once its file is written: read back, named, recorded, and only then are older
 * ones judged.
 */
import { stat } from 'node:fs/promises';
import { checkArchive } from '../archive/archive-check-file.js';
import type { FinishedArchive } from '../archive/archive-writer.js';
import { openFileSource } from '../archive/byte-source.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import type { BackupFile } from './backup-file.js';
import { publish, withdraw } from './backup-file.js';
import { hashFile } from './catalog-rebuild.js';
import { chainFields } from './chains/chain-record.js';
import type { Warning } from './context.js';
import { applyRetention } from './retention.js';
import type { RetentionOutcome } from './retention.js';
import type { Run, RunFields } from './run.js';
import { describeFailure } from './run.js';

/** A run that cannot be recorded has failed, and a failed run leaves no finished name. */
export async function publishAndRecord(
  run: Run,
  file: BackupFile,
  fields: RunFields,
): Promise<CatalogEntry> {
  await publish(run, file);
  try {
    const { size } = await stat(file.finalPath);
    return await run.record({ file: file.relative, sizeBytes: size, ...fields });
  } catch (error) {
    await withdraw(file);
    throw error;
  }
}

/** Tells its warnings, reads it back, names it and enters it. */
export async function publishIncremental(
  run: Run,
  file: BackupFile,
  written: { readonly archive: FinishedArchive; readonly warnings: readonly Warning[] },
): Promise<CatalogEntry> {
  for (const warning of written.warnings) run.warn(warning);
  await assertReadsBack(run, file);
  const { header, objects } = written.archive.index;
  return publishAndRecord(run, file, {
    sha256: await hashFile(file.partialPath),
    tables: header.totals.tables,
    rows: header.totals.rows,
    objects: countByType(objects),
    consistency: header.consistency,
    ...chainFields(header),
  });
}

/** The backup is safe and recorded by now; that old ones could not go is no failure of it. */
export async function applyRetentionOrWarn(
  run: Run,
  entry: CatalogEntry,
): Promise<RetentionOutcome> {
  try {
    return await applyRetention(run, entry);
  } catch (error) {
    const { message } = describeFailure(error);
    run.warn({ code: 'RETENTION_FAILED', message: `old backups were not removed: ${message}` });
    return { kept: [], removed: [] };
  }
}

/** What was just written is read again from the disk, every member of it, before it counts. */
export async function assertReadsBack(run: Run, file: BackupFile): Promise<void> {
  const { signal, output } = run.context;
  const source = await openFileSource(file.partialPath);
  try {
    const report = await checkArchive(source, {
      deep: () => [],
      signal,
      onProgress: (done, total) => {
        output.progress({ activity: 'Checking the file', done, total, unit: 'bytes' });
      },
    });
    output.progress(null);
    const [damage] = report.damages;
    if (damage !== undefined) {
      throw new ReshelveError('DAMAGED', `${file.shown} does not read back: ${damage.message}`, {
        hint: 'The disk or the memory of this machine is failing: check both before you rely on it.',
      });
    }
  } finally {
    await source.close();
  }
}

export function countByType(objects: readonly { readonly type: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of objects) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
