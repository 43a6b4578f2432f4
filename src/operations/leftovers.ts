/** What killed runs left behind: files with temporary names, which nobody will ever complete. */
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parsePartialPath } from '../catalog/names.js';
import type { Run } from './run.js';

/** Removes them; safe because the run holds the directory's lock, so none belongs to a living run. */
export async function removeLeftovers(run: Run): Promise<void> {
  const { directory } = run.context.configuration.backup;
  for (const folder of ['', 'incremental', 'emergency']) {
    for (const name of await readdir(join(directory, folder))) {
      if (parsePartialPath(folder === '' ? name : `${folder}/${name}`) === undefined) continue;
      const path = join(directory, folder, name);
      await rm(path, { force: true });
      run.context.output.line(`Removed ${name}, which an interrupted run left in ${dirname(path)}`);
    }
  }
}
