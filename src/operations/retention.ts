/** Deletes the full backups that the plan drops: first unlisted, then removed. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../file-errors.js';
import type { CatalogEntry } from '../catalog/records.js';
import { planRetention } from '../catalog/retention.js';
import type { RetentionPlan } from '../catalog/retention.js';
import type { Run } from './run.js';

export interface RetentionOutcome {
  readonly kept: readonly { readonly file: string; readonly reasons: readonly string[] }[];
  readonly removed: readonly { readonly file: string; readonly reason: string }[];
}

/** Runs after a backup that succeeded and is recorded; never before. */
export async function applyRetention(run: Run, justMade: CatalogEntry): Promise<RetentionOutcome> {
  const { configuration, catalog, now } = run.context;
  const { directory, retention } = configuration.backup;
  const entries = await catalog.read();
  const files = entries.flatMap((entry) => entry.file ?? []);
  const plan = planRetention({
    entries,
    existingFiles: new Set(files.filter((file) => existsSync(join(directory, file)))),
    database: configuration.databaseName,
    keepFulls: retention,
    now: now(),
    protectedIds: new Set([justMade.id]),
  });
  for (const { entry, reason } of plan.remove) await removeBackup(run, entry, reason);
  return outcomeOf(plan);
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

function outcomeOf(plan: RetentionPlan): RetentionOutcome {
  return {
    kept: plan.keep.map(({ entry, reasons }) => ({ file: entry.file ?? '', reasons })),
    removed: plan.remove.map(({ entry, reason }) => ({ file: entry.file ?? '', reason })),
  };
}
