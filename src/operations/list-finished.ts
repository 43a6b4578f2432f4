/**
 * A run that is killed between the naming of its file and the entry of it leaves a complete incremental
 * that nobody knows. The next one goes on from it: made once more, its changes would be there twice.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBackupPath } from '../catalog/names.js';
import { readEntry } from './catalog-rebuild.js';
import { readChains } from './chains/read-chains.js';
import type { Run } from './run.js';

const FOLDER = 'incremental';

/** Enters what follows on the end of a chain; other files that the catalog does not know stay as they are. */
export async function listFinished(run: Run): Promise<void> {
  const { configuration, catalog, output } = run.context;
  const { directory } = configuration.backup;
  // Runs that loaded or checked a file name it too.
  const incrementals = (await catalog.read()).filter(({ type }) => type === 'incremental');
  const known = new Set(incrementals.map(({ file }) => file));
  const names = (await readdir(join(directory, FOLDER))).sort();
  for (const file of names.map((name) => `${FOLDER}/${name}`)) {
    const isOurs = parseBackupPath(file)?.database === configuration.databaseName;
    if (!isOurs || known.has(file)) continue;
    const entry = await readEntry(directory, file, 'incremental');
    const chains = await readChains(run.context);
    if (entry?.baseId === undefined || !chains.isEnd(entry.baseId)) continue;
    await catalog.append(entry);
    output.line(`Listed ${file}, which an interrupted run had finished`);
  }
}
