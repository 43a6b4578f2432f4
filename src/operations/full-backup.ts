/** A full backup: lock, snapshot, archive, check, name, record, and only then retention. */
import type { CatalogEntry } from '../catalog/records.js';
import type { BackupFile } from './backup-file.js';
import { discard, nameBackupFile } from './backup-file.js';
import { hashFile } from './catalog-rebuild.js';
import { chainFields } from './chains/chain-record.js';
import { closeChain } from './chains/close-chain.js';
import type { Context, Warning } from './context.js';
import { withDatabaseLock } from './database-guard.js';
import {
  applyRetentionOrWarn,
  assertReadsBack,
  countByType,
  publishAndRecord,
} from './finish-backup.js';
import { removeLeftovers } from './leftovers.js';
import { writeWithMysqldump } from './dump/mysqldump-engine.js';
import { finishExpired } from './online/online-finish.js';
import type { RetentionOutcome } from './retention.js';
import type { Run, RunFields } from './run.js';
import { describeFailure, recordedRun } from './run.js';
import { writeArchive } from './dump/write-archive.js';

export interface FullBackupResult {
  readonly entry: CatalogEntry;
  /** The file as the user knows it. */
  readonly file: string;
  readonly notes: readonly string[];
  readonly retention: RetentionOutcome;
  readonly warnings: readonly Warning[];
}

export async function runFullBackup(context: Context): Promise<FullBackupResult> {
  const result = await recordedRun(context, 'full', async (run) => {
    await removeLeftovers(run);
    return withDatabaseLock(run, (locked) => backUp(locked));
  });
  return withChainClosed(context, result);
}

/** The full backup stands, whatever becomes of the chain before it. */
async function withChainClosed(
  context: Context,
  result: FullBackupResult,
): Promise<FullBackupResult> {
  try {
    const closed = await closeChain(context, result.entry.id);
    if (closed === undefined) return result;
    const note = `${closed.file} goes on from ${closed.previous} to where this backup stands`;
    return { ...result, notes: [...result.notes, note] };
  } catch (error) {
    const { message } = describeFailure(error);
    const warning = { code: 'CHAIN_NOT_CLOSED', message };
    context.output.warn(warning);
    return { ...result, warnings: [...result.warnings, warning] };
  }
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
    await dropExpiredTables(run);
    return { entry, file: file.shown, notes, retention, warnings: run.warnings };
  } catch (error) {
    await discard(file);
    throw error;
  }
}

/** That the old tables of an online recovery could not go is no failure of the backup. */
async function dropExpiredTables(run: Run): Promise<void> {
  try {
    const dropped = await finishExpired(run);
    if (dropped !== undefined) {
      run.context.output.line(`Removed ${dropped}: kept for BACKUP_BEFORE_RETENTION_DAYS`);
    }
  } catch (error) {
    const { message } = describeFailure(error);
    run.warn({ code: 'RETENTION_FAILED', message: `old tables were not removed: ${message}` });
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
  return {
    fields: {
      sha256: await hashFile(file.partialPath),
      tables: header.totals.tables,
      rows: header.totals.rows,
      objects: countByType(objects),
      consistency: header.consistency,
      ...chainFields(header),
    },
    notes: [`consistency: ${written.snapshot.consistencyNote}`, ...written.notes],
  };
}
