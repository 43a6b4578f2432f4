/** Deletes the backups that the plans drop: first unlisted, then removed. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../file-errors.js';
import type { CatalogEntry } from '../catalog/records.js';
import { planIncrementalRetention } from '../catalog/incremental-retention.js';
import type { IncrementalRetentionInput } from '../catalog/incremental-retention.js';
import { planRetention } from '../catalog/retention.js';
import type { RetentionPlan } from '../catalog/retention.js';
import type { Run } from './run.js';

export interface RetentionOutcome {
  readonly kept: readonly { readonly file: string; readonly reasons: readonly string[] }[];
  readonly removed: readonly { readonly file: string; readonly reason: string }[];
}

/** Runs after a backup that succeeded and is recorded; never before. */
export async function applyRetention(run: Run, justMade: CatalogEntry): Promise<RetentionOutcome> {
  const { retention, incrementalRetention } = run.context.configuration.backup;
  const incrementals = planIncrementalRetention({
    ...(await judgedNow(run, justMade)),
    keepIncrementals: incrementalRetention,
  });
  for (const { entry, reason } of incrementals.remove) await removeBackup(run, entry, reason);
  // A full backup that only removed incrementals built on may go at once.
  const fulls = planRetention({ ...(await judgedNow(run, justMade)), keepFulls: retention });
  for (const { entry, reason } of fulls.remove) await removeBackup(run, entry, reason);
  return outcomeOf(fulls, incrementals);
}

async function judgedNow(
  run: Run,
  justMade: CatalogEntry,
): Promise<Omit<IncrementalRetentionInput, 'keepIncrementals'>> {
  const { configuration, catalog, now } = run.context;
  const entries = await catalog.read();
  const files = entries.flatMap((entry) => entry.file ?? []);
  return {
    entries,
    existingFiles: new Set(
      files.filter((file) => existsSync(join(configuration.backup.directory, file))),
    ),
    database: configuration.databaseName,
    now: now(),
    protectedIds: new Set([justMade.id]),
  };
}

/** The record goes first: a crash in between leaves a file too many, never a listed file too few. */
async function removeBackup(run: Run, entry: CatalogEntry, reason: string): Promise<void> {
  if (entry.file === null) return;
  await run.confirmLock();
  await run.context.catalog.update(entry.id, {
    removedAt: run.context.now().toISOString(),
    removedReason: reason,
  });
  const path = join(run.context.configuration.backup.directory, entry.file);
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw fileError(error, 'remove', path);
  }
  run.context.output.line(`Removed ${entry.file}: ${reason}`);
}

function outcomeOf(...plans: readonly Pick<RetentionPlan, 'keep' | 'remove'>[]): RetentionOutcome {
  return {
    kept: plans.flatMap(({ keep }) =>
      keep.map(({ entry, reasons }) => ({ file: entry.file ?? '', reasons })),
    ),
    removed: plans.flatMap(({ remove }) =>
      remove.map(({ entry, reason }) => ({ file: entry.file ?? '', reason })),
    ),
  };
}
