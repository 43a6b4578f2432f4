/** `reshelve catalog rebuild`: makes backup_logs.json anew from the backups themselves. */
import type { Command } from 'commander';
import { acquireDirectoryLock } from '../catalog/directory-lock.js';
import type { CatalogEntry } from '../catalog/records.js';
import { EXIT } from '../errors.js';
import { rebuildCatalog } from '../operations/catalog-rebuild.js';
import type { Context, Warning } from '../operations/context.js';
import { withContext } from './with-context.js';

export function catalogCommand(program: Command): void {
  const catalog = program.command('catalog').description('look after backup_logs.json');
  catalog
    .command('rebuild')
    .description('make backup_logs.json anew from what the backups say of themselves')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const warnings: Warning[] = [];
        const { entries, movedTo, salvaged } = await rebuildUnderLock({
          ...context,
          output: {
            line: (text) => {
              context.output.line(text);
            },
            progress: (progress) => {
              context.output.progress(progress);
            },
            warn: (warning) => {
              warnings.push(warning);
              context.output.warn(warning);
            },
          },
        });
        const backups = entries.filter(isBackup).length;
        if (movedTo !== undefined) {
          context.output.line(
            `The damaged catalog lies in ${movedTo} now; ${salvaged} of its runs could be read`,
          );
        }
        context.output.line(`✓ Catalog rebuilt: ${entries.length} runs, ${backups} backups`);
        return {
          exitCode: warnings.length === 0 ? EXIT.done : EXIT.warnings,
          document: {
            status: warnings.length === 0 ? 'success' : 'warning',
            runs: entries.length,
            backups,
            salvaged,
            movedTo: movedTo ?? null,
            warnings,
          },
        };
      });
    });
}

function isBackup(entry: CatalogEntry): boolean {
  const makesFile = entry.type === 'full' || entry.type === 'incremental';
  return makesFile && entry.file !== null && entry.removedAt === undefined;
}

/** Retention must not delete what is being listed. */
async function rebuildUnderLock(context: Context): ReturnType<typeof rebuildCatalog> {
  const { backup } = context.configuration;
  const lock = await acquireDirectoryLock(backup.directory, {
    operation: 'catalog rebuild',
    waitMs: backup.lockWaitMs,
    signal: context.signal,
  });
  try {
    return await rebuildCatalog(context);
  } finally {
    await lock.release();
  }
}
