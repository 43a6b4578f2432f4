/** What killed runs left behind: files with temporary names, which nobody will ever complete. */
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isSegmentPartialId,
  parseBackupPath,
  parsePartialPath,
  streamLockName,
} from '../catalog/names.js';
import { readLockState } from './doctor/doctor-lock.js';
import type { Run } from './run.js';

/**
 * Removes them; safe because the run holds the directory's lock, so none belongs to a living run. Only a
 * continuous capture writes without that lock, under one of its own.
 *
 * @param isCapture whether the run is of that capture itself, which has no file open now
 */
export async function removeLeftovers(run: Run, isCapture = false): Promise<void> {
  const { directory } = run.context.configuration.backup;
  for (const folder of ['', 'incremental', 'emergency']) {
    for (const name of await readdir(join(directory, folder))) {
      const partial = parsePartialPath(folder === '' ? name : `${folder}/${name}`);
      if (partial === undefined || (await isStreamed(run, partial, isCapture))) continue;
      const path = join(directory, folder, name);
      await rm(path, { force: true });
      run.context.output.line(`Removed ${name}, which an interrupted run left in ${dirname(path)}`);
    }
  }
}

/** It was listed before the lock is looked at: a capture takes its lock before it makes a file. */
async function isStreamed(
  { context }: Run,
  { path, id }: { readonly path: string; readonly id: string },
  isCapture: boolean,
): Promise<boolean> {
  const database = parseBackupPath(path)?.database;
  if (database === undefined || !isSegmentPartialId(id)) return false;
  const { directory } = context.configuration.backup;
  if (isCapture && database === context.configuration.databaseName) return false;
  const state = await readLockState(directory, context.now(), streamLockName(database));
  return state !== undefined && state.liveness !== 'gone';
}
