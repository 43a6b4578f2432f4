/**
 * The exercise of a recovery: the newest backup takes the way that it would take on the worst day, into
 * a database that nobody needs, and every step of it is timed.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CatalogEntry, Drill } from '../catalog/records.js';
import type { Comparison } from './load/compare-copy.js';
import type { Context } from './context.js';
import { chooseRestorePoint } from './chains/restore-point.js';
import { recordedRun } from './run.js';
import type { Run } from './run.js';
import { Stopwatch } from './stopwatch.js';
import type { TimedStep } from './stopwatch.js';
import { testRestore } from './load/test-restore.js';
import { rememberDamage, rememberVerification } from './verification.js';

export interface DrillResult {
  readonly file: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly tables: Comparison['tables'];
  readonly drill: Drill;
  /** What the backup of the present state takes, as the last one did; undefined where there was none. */
  readonly emergencyMs: number | undefined;
  readonly warnings: readonly string[];
}

/** Throws what the recovery would have met; the catalog then has it as a failed run. */
export async function runDrill(
  context: Context,
  options: { readonly file?: string },
): Promise<DrillResult> {
  return recordedRun(context, 'verify', (run) => exercise(run, options.file));
}

async function exercise(run: Run, file: string | undefined): Promise<DrillResult> {
  const watch = new Stopwatch();
  const point = await chooseRestorePoint(run.context, file);
  const backup = point.newest;
  const { databaseName } = run.context.configuration;
  run.context.output.line(`Recovery drill of ${databaseName}: ${backup.shown}`);
  let tables: Comparison['tables'];
  try {
    tables = await testRestore(run, point, watch);
  } catch (error) {
    await rememberDamage(run, backup, 'restore', error);
    throw error;
  }
  const emergencyMs = lastBackupMs(await run.context.catalog.read(), databaseName);
  const drill = measure(watch.steps, emergencyMs ?? 0);
  await run.record({ file: backup.entry?.file ?? backup.path, drill });
  await rememberVerification(run, backup, { status: 'success', method: 'restore', runId: run.id });
  return {
    file: backup.shown,
    name: basename(backup.path),
    sizeBytes: (await stat(backup.path)).size,
    tables,
    drill,
    emergencyMs,
    warnings: run.warnings.map((warning) => warning.message),
  };
}

/** Clearing up after the drill is no part of a recovery. */
export function measure(steps: readonly TimedStep[], emergencyMs: number): Drill {
  const recoveryMs = steps
    .filter(({ name }) => name !== 'drop')
    .reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { steps, recoveryMs, expectedMs: recoveryMs + emergencyMs };
}

function lastBackupMs(entries: readonly CatalogEntry[], database: string): number | undefined {
  return entries.findLast(
    ({ type, status, database: of }) => type === 'full' && status !== 'failed' && of === database,
  )?.durationMs;
}
