/** `reshelve restore`: load a backup. */
import type { Command } from 'commander';
import { EXIT } from '../errors.js';
import { runRestore } from '../operations/restore.js';
import type { TargetWish } from '../operations/restore-target.js';
import { confirmOverwrite } from './confirm.js';
import { withContext } from './with-context.js';

interface RestoreFlags {
  readonly into?: string;
  readonly table?: string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly withoutBinlog?: boolean;
  readonly to?: string;
  readonly toGtid?: string;
  readonly beforeGtid?: string;
  readonly toPosition?: string;
  readonly skipGtid?: string[];
  readonly idempotent?: boolean;
}

export function restoreCommand(program: Command): void {
  program
    .command('restore')
    .description('restore a backup (default: the newest state that can be had)')
    .argument('[file]', 'the backup to restore; also a dump of mysqldump or mariadb-dump')
    .option('--into <database>', 'restore into this database instead of DB_NAME')
    .option('--table <name>', 'restore only this table (repeatable)', collect, [])
    .option('--to <time>', "the state of an instant, such as '2026-01-02 15:29:00'")
    .option('--to-gtid <gtid>', 'the state right after a transaction')
    .option('--before-gtid <gtid>', 'the state right before a transaction')
    .option('--to-position <file:position>', 'the state before a place in the binary log')
    .option('--skip-gtid <gtid>', 'leave this transaction out (repeatable)', collect, [])
    .option('--idempotent', 'go on where a change does not find its row (MySQL)')
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
          target: targetOf(flags),
          idempotent: flags.idempotent === true,
          withoutBinlog: flags.withoutBinlog === true,
          confirm: (database, loss) =>
            confirmOverwrite(database, loss, flags.yes === true, context),
        });
        if (!result.dryRun) {
          const seconds = result.seconds.toFixed(2);
          context.output.line(`✓ Restore completed in ${seconds} seconds (${result.rows} rows)`);
        }
        return { exitCode: EXIT.done, document: { status: 'success', ...result } };
      });
    });
}

function targetOf(flags: RestoreFlags): TargetWish {
  const { to, toGtid, beforeGtid, toPosition, skipGtid } = flags;
  return {
    ...(to === undefined ? {} : { to }),
    ...(toGtid === undefined ? {} : { toGtid }),
    ...(beforeGtid === undefined ? {} : { beforeGtid }),
    ...(toPosition === undefined ? {} : { toPosition }),
    skipGtids: (skipGtid ?? []).map((gtid) => gtid.trim().toLowerCase()),
  };
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}
