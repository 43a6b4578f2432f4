/** `reshelve verify`: prove a backup by restoring it into a test database. */
import type { Command } from 'commander';
import type { ExitCode } from '../errors.js';
import { EXIT, ReshelveError } from '../errors.js';
import type { Context, Output } from '../operations/context.js';
import { runVerifyChain } from '../operations/verify-chain.js';
import type { VerifyResult } from '../operations/verify.js';
import { runVerify } from '../operations/verify.js';
import { formatRowCounts } from './row-counts.js';
import { formatBytes } from './terminal-output.js';
import { withContext } from './with-context.js';

export function verifyCommand(program: Command): void {
  program
    .command('verify')
    .description('test-restore a backup (default: the newest), compare it, remove the copy')
    .argument('[file]', 'the backup to verify')
    .option('--quick', 'check the file alone: structure, checksums and row digests')
    .option('--chain', 'prove the incrementals before a full backup by what that one holds')
    .action(async (file: string | undefined, options: VerifyFlags, command: Command) => {
      await withContext(command, async (context) => {
        if (options.chain === true) return verifyChain(context, file, options.quick === true);
        const quick = options.quick === true;
        const result = await runVerify(context, { ...(file === undefined ? {} : { file }), quick });
        printResult(context.output, result);
        return {
          exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
          document: { status: 'success', ...result },
        };
      });
    });
}

interface VerifyFlags {
  readonly quick?: boolean;
  readonly chain?: boolean;
}

async function verifyChain(
  context: Context,
  file: string | undefined,
  quick: boolean,
): Promise<{ exitCode: ExitCode; document: unknown }> {
  if (quick) throw new ReshelveError('USAGE', '--chain restores, and --quick does not');
  const result = await runVerifyChain(context, file);
  if (result === undefined) {
    context.output.warn({
      code: 'NOTHING_TO_PROVE',
      message:
        'no full backup follows on incrementals of the binary log, so no chain was proven. ' +
        'Run `reshelve full` after an incremental, then the command again.',
    });
    return { exitCode: EXIT.warnings, document: { status: 'warning', proven: false } };
  }
  const { output } = context;
  output.line('');
  for (const line of formatRowCounts(result.tables)) output.line(line);
  output.line('');
  output.line(`✓ Chain PROVEN: ${result.chain} and its ${result.incrementals} incrementals give`);
  output.line(`  exactly what ${result.by} holds; every change up to ${result.until} is in them`);
  return {
    exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
    document: { status: 'success', proven: true, ...result },
  };
}

function printResult(output: Output, result: VerifyResult): void {
  output.line('');
  output.line('✓ Backup Verification Results:');
  output.line('================================');
  if (isCheckedAsText(result)) {
    output.line('✓ The dump is whole, as far as a file without digests lets one tell');
  } else {
    for (const line of formatRowCounts(result.tables)) output.line(line);
    output.line('');
    output.line('✓ Backup integrity check PASSED');
    output.line(
      result.method === 'restore'
        ? '✓ All critical tables present and accessible'
        : '✓ All critical tables present; the rows match their digests',
    );
  }
  output.line(`✓ Backup file: ${result.name}`);
  output.line(`✓ File size: ${formatBytes(result.sizeBytes)}`);
  if (result.method === 'restore') {
    output.line('');
    output.line('✓ Test database removed');
  }
}

/** A dump of another tool was read to its end and loaded nowhere: its tables and rows are not known. */
function isCheckedAsText(result: VerifyResult): boolean {
  return result.method === 'file' && !result.hasDigests;
}
