/** `reshelve recover`: the full recovery with its emergency backup and its way back. */
import type { Command } from 'commander';
import { EXIT, ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { runContinue } from '../operations/recover-continue.js';
import type { RecoverOptions, RecoverResult } from '../operations/recover.js';
import { runRecover } from '../operations/recover.js';
import { confirmOverwrite } from './confirm.js';
import { formatRowCounts } from './row-counts.js';
import { withContext } from './with-context.js';

interface RecoverFlags {
  readonly resume?: boolean;
  readonly rollback?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly wait?: string | true;
  readonly otherDatabase?: boolean;
  readonly proveEmergency?: boolean;
}

const WAIT_SECONDS_DEFAULT = 300;
const WAIT_SECONDS_MAX = 86_400;

export function recoverCommand(program: Command): void {
  program
    .command('recover')
    .description(
      'replace the database by a backup, with an emergency backup and automatic rollback',
    )
    .argument('[file]', 'the backup to recover from (default: the newest)')
    .option('--resume', 'finish an interrupted recovery')
    .option('--rollback', 'go back to the state before an interrupted recovery')
    .option('--dry-run', 'check everything, print the plan and change nothing')
    .option('--yes', 'overwrite without asking')
    .option('--force', 'go on although others are connected to the database')
    .option('--wait [seconds]', 'wait for others to disconnect (300 s unless given)')
    .option('--other-database', 'the backup may be of a database of another name')
    .option('--prove-emergency', 'test-restore the emergency backup before anything is dropped')
    .action(async (file: string | undefined, flags: RecoverFlags, command: Command) => {
      await withContext(
        command,
        async (context) => {
          const result = await run(context, file, flags);
          if (!result.dryRun && result.outcome === 'recovered') printSuccess(context, result);
          return {
            exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
            document: { status: 'success', ...result },
          };
        },
        { speaksOfRecoveries: true },
      );
    });
}

async function run(
  context: Context,
  file: string | undefined,
  flags: RecoverFlags,
): Promise<RecoverResult> {
  const options: RecoverOptions = {
    ...(file === undefined ? {} : { file }),
    dryRun: flags.dryRun === true,
    force: flags.force === true,
    waitSeconds: waitSeconds(flags.wait),
    otherDatabase: flags.otherDatabase === true,
    proveEmergency: flags.proveEmergency === true,
    confirm: (database, loss) => confirmOverwrite(database, loss, flags.yes === true, context),
  };
  if (flags.resume !== true && flags.rollback !== true) return runRecover(context, options);
  if (flags.resume === flags.rollback || file !== undefined || options.dryRun) {
    throw new ReshelveError(
      'USAGE',
      'expected either --resume or --rollback, without a file and without --dry-run',
    );
  }
  const direction = flags.resume === true ? 'resume' : 'rollback';
  return runContinue(context, { ...options, direction });
}

function waitSeconds(wait: string | true | undefined): number {
  if (wait === undefined) return 0;
  if (wait === true) return WAIT_SECONDS_DEFAULT;
  const seconds = /^\d{1,6}$/.test(wait) ? Number(wait) : Number.NaN;
  if (seconds >= 1 && seconds <= WAIT_SECONDS_MAX) return seconds;
  throw new ReshelveError(
    'USAGE',
    `--wait: expected seconds from 1 to ${WAIT_SECONDS_MAX} but found ${wait}`,
  );
}

function printSuccess({ output }: Context, result: RecoverResult): void {
  if (result.tables.length > 0) {
    output.line('✓ Database verification results:');
    output.line('================================');
    for (const line of formatRowCounts(result.tables)) output.line(line);
  }
  output.line('');
  output.line('=== RECOVERY SUCCESSFUL ===');
  output.line(`Restored from: ${result.name}`);
  output.line(`Recovery time: ${result.seconds.toFixed(2)} seconds`);
  output.line(
    result.emergencyFile === null
      ? 'Emergency backup: none, because there was no database'
      : `Emergency backup available at: ${result.emergencyFile}`,
  );
}
