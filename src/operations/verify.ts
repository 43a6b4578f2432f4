/** The proof of a backup: restored into a database of its own, compared, and removed again. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import { probeFile } from '../archive/probe-file.js';
import type { Verification } from '../catalog/records.js';
import { assertSound } from './check-file.js';
import type { ChosenBackup } from './choose-backup.js';
import type { Comparison } from './load/compare-copy.js';
import type { Context } from './context.js';
import { examineDump } from './load/load-foreign.js';
import { guardDatabase } from './database-guard.js';
import { chooseRestorePoint } from './chains/restore-point.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';
import { Stopwatch } from './stopwatch.js';
import { assertCriticalTables, testRestore } from './load/test-restore.js';
import { rememberDamage, rememberVerification } from './verification.js';

export interface VerifyOptions {
  readonly file?: string;
  /** Only the file by itself; no server is asked. */
  readonly quick: boolean;
}

export interface VerifyResult {
  readonly file: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly method: Verification['method'];
  /** Whether the file holds digests of its rows; dumps of other tools do not. */
  readonly hasDigests: boolean;
  readonly tables: Comparison['tables'];
  readonly warnings: readonly string[];
}

export async function runVerify(context: Context, options: VerifyOptions): Promise<VerifyResult> {
  return recordedRun(context, 'verify', async (run) => {
    const point = await chooseRestorePoint(run.context, options.file);
    const backup = point.newest;
    run.context.output.line(`Verifying backup: ${backup.shown}`);
    try {
      const tables = options.quick
        ? await verifyFile(run, backup)
        : await guardDatabase(run, (guarded) => testRestore(guarded, point, new Stopwatch()));
      return await succeed(run, backup, options, tables);
    } catch (error) {
      await rememberDamage(run, backup, options.quick ? 'file' : 'restore', error);
      throw error;
    }
  });
}

async function succeed(
  run: Run,
  backup: ChosenBackup,
  options: VerifyOptions,
  tables: Comparison['tables'],
): Promise<VerifyResult> {
  const method = options.quick ? 'file' : 'restore';
  await run.record({ file: backup.entry?.file ?? backup.path });
  await rememberVerification(run, backup, { status: 'success', method, runId: run.id });
  return {
    file: backup.shown,
    name: basename(backup.path),
    sizeBytes: (await stat(backup.path)).size,
    method,
    hasDigests: (await probeFile(backup.path)).kind === 'reshelve',
    tables,
    warnings: run.warnings.map((warning) => warning.message),
  };
}

async function verifyFile(run: Run, backup: ChosenBackup): Promise<Comparison['tables']> {
  const probe = await probeFile(backup.path);
  if (probe.kind !== 'reshelve') {
    const { databaseName, backup: settings } = run.context.configuration;
    await examineDump(run.context, backup, databaseName);
    if (settings.criticalTables.length > 0) {
      run.warn({
        code: 'CRITICAL_TABLES_NOT_LOOKED_FOR',
        message:
          'which tables a dump of another tool holds shows only where it is restored: verify it without --quick',
      });
    }
    return [];
  }
  await assertSound(run.context, backup.path, backup.shown);
  const reader = await openArchive(backup.path);
  try {
    const { tables } = reader.index;
    assertCriticalTables(run, tables);
    return tables.map(({ name, rows }) => ({ name, rows }));
  } finally {
    await reader.close();
  }
}
