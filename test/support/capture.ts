/** Incrementals made in this process, without the command line around them. */
import { join } from 'node:path';
import { openArchive } from '../../src/archive/archive-reader.js';
import type { ArchiveIndex, IndexHeader } from '../../src/archive/index-types.js';
import { openCatalog } from '../../src/catalog/store.js';
import { loadConfiguration } from '../../src/config/load.js';
import type { Context } from '../../src/operations/context.js';
import { recordedRun } from '../../src/operations/run.js';
import { writeChanges } from '../../src/operations/changes/write-changes.js';
import type { Workspace } from './cli.js';

export async function readIndex(path: string): Promise<ArchiveIndex> {
  const reader = await openArchive(path);
  await reader.close();
  return reader.index;
}

export function contextOf(workspace: Workspace): Context {
  const configuration = loadConfiguration({ cwd: workspace.directory, environment: {} });
  return {
    configuration,
    catalog: openCatalog(configuration.backup.directory),
    output: { line: () => undefined, warn: () => undefined, progress: () => undefined },
    signal: new AbortController().signal,
    now: () => new Date(),
    trigger: 'manual',
  };
}

/** Captures what follows the archive with this header into `name` beside the backups. */
export async function captureAfter(
  workspace: Workspace,
  header: IndexHeader,
  name: string,
): Promise<{ path: string; result: Awaited<ReturnType<typeof writeChanges>> }> {
  const path = join(workspace.directory, name);
  const result = await recordedRun(contextOf(workspace), 'incremental', async (run) => {
    const written = await writeChanges(run, path, header, {
      fullId: header.chain?.fullId ?? header.id,
      previousId: header.id,
      method: 'binlog',
      from: { ...header.coordinates, serverUuid: header.serverUuid },
    });
    await run.record({});
    return written;
  });
  return { path, result };
}
