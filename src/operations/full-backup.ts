/** A full backup: lock, snapshot, archive, check, name, record, and only then retention. */
import { stat } from 'node:fs/promises';
import { checkArchive } from '../archive/archive-check-file.js';
import { openFileSource } from '../archive/byte-source.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import { acquireDatabaseLock } from '../mysql/database-lock.js';
import type { BackupFile } from './backup-file.js';
import { discard, nameBackupFile, publish, withdraw } from './backup-file.js';
import { hashFile } from './catalog-rebuild.js';
import type { Context, Warning } from './context.js';
import { withSignals } from './context.js';
import { removeLeftovers } from './leftovers.js';
import { writeWithMysqldump } from './mysqldump-engine.js';
import { applyRetention } from './retention.js';
import type { RetentionOutcome } from './retention.js';
import type { Run, RunFields } from './run.js';
import { describeFailure, recordedRun } from './run.js';
import { openDatabase } from './sessions.js';
import { writeArchive } from './write-archive.js';

export interface FullBackupResult {
  readonly entry: CatalogEntry;
  /** The file as the user knows it. */
  readonly file: string;
  readonly notes: readonly string[];
  readonly retention: RetentionOutcome;
  readonly warnings: readonly Warning[];
}

export async function runFullBackup(context: Context): Promise<FullBackupResult> {
  return recordedRun(context, 'full', async (run) => {
    await removeLeftovers(run);
    return withDatabaseLock(run, (locked) => backUp(locked));
  });
}

async function backUp(run: Run): Promise<FullBackupResult> {
  const { configuration, output } = run.context;
  const file = nameBackupFile(run, 'full');
  output.line(`Backing up ${configuration.databaseName} to ${file.shown}...`);
  try {
    const { fields, notes } =
      configuration.backup.engine === 'mysqldump'
        ? await writeWithMysqldump(run, file)
        : await writeNatively(run, file);
    const entry = await publishAndRecord(run, file, fields);
    const retention = await applyRetentionOrWarn(run, entry);
    return { entry, file: file.shown, notes, retention, warnings: run.warnings };
  } catch (error) {
    await discard(file);
    throw error;
  }
}

/** A run that cannot be recorded has failed, and a failed run leaves no finished name. */
async function publishAndRecord(
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

/** The backup is safe and recorded by now; that old ones could not go is no failure of it. */
async function applyRetentionOrWarn(run: Run, entry: CatalogEntry): Promise<RetentionOutcome> {
  try {
    return await applyRetention(run, entry);
  } catch (error) {
    const { message } = describeFailure(error);
    run.warn({ code: 'RETENTION_FAILED', message: `old backups were not removed: ${message}` });
    return { kept: [], removed: [] };
  }
}

interface EngineResult {
  readonly fields: RunFields;
  readonly notes: readonly string[];
}

async function writeNatively(run: Run, file: BackupFile): Promise<EngineResult> {
  const written = await writeArchive(run, file.partialPath);
  for (const warning of written.warnings) run.warn(warning);
  await assertReadsBack(run, file);
  const { header, objects } = written.archive.index;
  const { coordinates } = written.snapshot;
  return {
    fields: {
      sha256: await hashFile(file.partialPath),
      tables: header.totals.tables,
      rows: header.totals.rows,
      objects: countByType(objects),
      consistency: header.consistency,
      coordinates: {
        binlogFile: coordinates.binlogFile,
        position: coordinates.binlogPosition,
        gtidSet: coordinates.gtidSet,
        serverUuid: written.serverUuid,
      },
    },
    notes: [`consistency: ${written.snapshot.consistencyNote}`, ...written.notes],
  };
}

/** What was just written is read again from the disk, every member of it, before it counts. */
async function assertReadsBack(run: Run, file: BackupFile): Promise<void> {
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

function countByType(objects: readonly { readonly type: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of objects) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** Runs `work` while nobody else backs up or restores this database, wherever they are. */
export async function withDatabaseLock<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
  const { configuration } = run.context;
  const session = await openDatabase(run.context);
  try {
    const lock = await acquireDatabaseLock(
      session,
      configuration.databaseName,
      configuration.backup.lockWaitMs / 1000,
    );
    try {
      return await work({ ...run, context: withSignals(run.context, lock.lost) });
    } finally {
      await lock.release();
    }
  } finally {
    await session.close();
  }
}
