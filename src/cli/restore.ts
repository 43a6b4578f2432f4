/** `reshelve restore`: load a backup. */
import type { Command } from 'commander';
import { EXIT } from '../errors.js';
import { runRestore } from '../operations/restore.js';
import { confirmOverwrite } from './confirm.js';
import type { TargetFlags } from './target-options.js';
import { addTargetOptions, collect, targetOf } from './target-options.js';
import { withContext } from './with-context.js';

interface RestoreFlags extends TargetFlags {
  readonly into?: string;
  readonly table?: string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly withoutBinlog?: boolean;
}

export function restoreCommand(program: Command): void {
  const restore = program
    .command('restore')
    .description('restore a backup (default: the newest state that can be had)')
    .argument('[file]', 'the backup to restore; also a dump of mysqldump or mariadb-dump')
    .option('--into <database>', 'restore into this database instead of DB_NAME')
    .option('--table <name>', 'restore only this table (repeatable)', collect, []);
  addTargetOptions(restore)
    .option('--dry-run', 'check everything and say what would be done')
    .option('--yes', 'overwrite without asking')
    .option('--without-binlog', 'keep the restore out of the binary log (replicas do not follow)')
    .action(async (file: string | undefined, flags: RestoreFlags, command: Command) => {
      await withContext(command, async (context) => {
        const result = await runRestore(context, {
          ...(file === undefined ? {} : { file }),
          ...(flags.into === undefined ? {} : { into: flags.into }),
          tables: flags.table ?? [],
          dryRun: flags.dryRun === true,
          ...targetOf(flags),
          withoutBinlog: flags.withoutBinlog === true,
          confirm: (database, loss) =>
            confirmOverwrite(database, loss, flags.yes === true, context),
        });
        if (!result.dryRun) {
          const seconds = result.seconds.toFixed(2);
          context.output.line(`✓ Restore completed in ${seconds} seconds (${result.rows} rows)`);
        }
        return {
          exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
          document: { status: 'success', ...result },
        };
      });
    });
}
