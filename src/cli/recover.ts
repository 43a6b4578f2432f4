/** `reshelve recover`: the full recovery with its emergency backup and its way back. */
import type { Command } from 'commander';
import { EXIT, ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import type { OnlineEnd } from '../operations/online/online-continue.js';
import type { OnlineResult } from '../operations/online/online-plan.js';
import { runContinue } from '../operations/recovery/recover-continue.js';
import type { RecoverOptions, RecoverResult } from '../operations/recover.js';
import { runRecover } from '../operations/recover.js';
import { confirmOverwrite } from './confirm.js';
import type { OnlineFlags } from './recover-online.js';
import { printEnd, printOnline, runOnline } from './recover-online.js';
import { formatRowCounts } from './row-counts.js';
import type { TargetFlags } from './target-options.js';
import { addTargetOptions, namesTarget, targetOf } from './target-options.js';
import { withContext } from './with-context.js';

interface RecoverFlags extends OnlineFlags, TargetFlags {
  readonly resume?: boolean;
  readonly rollback?: boolean;
  readonly wait?: string | true;
  readonly proveEmergency?: boolean;
}

const WAIT_SECONDS_DEFAULT = 300;
const WAIT_SECONDS_MAX = 86_400;

export function recoverCommand(program: Command): void {
  const recover = program
    .command('recover')
    .description(
      'replace the database by a backup, with an emergency backup and automatic rollback',
    )
    .argument('[file]', 'the backup to recover from (default: the newest state that can be had)')
    .option('--resume', 'finish an interrupted recovery')
    .option('--rollback', 'go back to the state before an interrupted recovery')
    .option('--online', 'load and prove it beside the database, then swap all tables at once')
    .option('--undo', 'take the old tables of an online recovery back')
    .option('--finish', 'drop what online recoveries have set aside');
  addTargetOptions(recover)
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
          assertOneMode(file, flags);
          const online = await runOnline(context, file, flags);
          if (online !== undefined) return online;
          const result = await run(context, file, flags);
          if ('previous' in result) printOnline(context, result);
          else if ('aside' in result) printEnd(context, result);
          else if (!result.dryRun && result.outcome === 'recovered') printSuccess(context, result);
          return {
            exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
            document: { status: 'success', ...result },
          };
        },
        { speaksOfRecoveries: true },
      );
    });
}

function assertOneMode(file: string | undefined, flags: RecoverFlags): void {
  const modes = [flags.online, flags.undo, flags.finish, flags.resume, flags.rollback];
  const chosen = modes.filter((mode) => mode === true).length;
  const takesFile = chosen === 0 || flags.online === true;
  const isBare = file === undefined && flags.dryRun !== true;
  if (chosen > 1 || (!takesFile && !isBare)) {
    throw new ReshelveError(
      'USAGE',
      'expected one of --online, --undo, --finish, --resume and --rollback; only --online takes a file and --dry-run',
    );
  }
  if (chosen === 1 && namesTarget(flags)) {
    throw new ReshelveError(
      'USAGE',
      'a point in time is only for a recovery that begins, and not for one with --online',
      {
        hint: 'Run `reshelve recover` with the point alone; --resume keeps the point that it began with.',
      },
    );
  }
}

async function run(
  context: Context,
  file: string | undefined,
  flags: RecoverFlags,
): Promise<RecoverResult | OnlineEnd | OnlineResult> {
  const options: RecoverOptions = {
    ...(file === undefined ? {} : { file }),
    dryRun: flags.dryRun === true,
    force: flags.force === true,
    waitSeconds: waitSeconds(flags.wait),
    otherDatabase: flags.otherDatabase === true,
    proveEmergency: flags.proveEmergency === true,
    ...targetOf(flags),
    confirm: (database, loss) => confirmOverwrite(database, loss, flags.yes === true, context),
  };
  if (flags.resume !== true && flags.rollback !== true) return runRecover(context, options);
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
