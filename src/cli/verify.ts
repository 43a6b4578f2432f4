/** `reshelve verify`: prove a backup by restoring it into a test database. */
import type { Command } from 'commander';
import { EXIT } from '../errors.js';
import type { Output } from '../operations/context.js';
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
    .action(async (file: string | undefined, options: { quick?: boolean }, command: Command) => {
      await withContext(command, async (context) => {
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

function printResult(output: Output, result: VerifyResult): void {
  output.line('');
  output.line('✓ Backup Verification Results:');
  output.line('================================');
  for (const line of formatRowCounts(result.tables)) output.line(line);
  output.line('');
  output.line('✓ Backup integrity check PASSED');
  output.line(
    result.method === 'restore'
      ? '✓ All critical tables present and accessible'
      : '✓ All critical tables present; the rows match their digests',
  );
  output.line(`✓ Backup file: ${result.name}`);
  output.line(`✓ File size: ${formatBytes(result.sizeBytes)}`);
  if (result.method === 'restore') {
    output.line('');
    output.line('✓ Test database removed');
  }
}
