/** `reshelve incremental`: what has changed since the newest backup of the chain. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { EXIT } from '../errors.js';
import type { Output } from '../operations/context.js';
import type { IncrementalResult, MethodWish } from '../operations/incremental.js';
import { runIncremental } from '../operations/incremental.js';
import { formatBytes, formatDuration } from './terminal-output.js';
import { withContext } from './with-context.js';

export function incrementalCommand(program: Command): void {
  program
    .command('incremental')
    .description('back up what has changed since the newest backup')
    .addOption(
      new Option('--method <how>', 'how changes are found; auto prefers the binary log')
        .choices(['auto', 'binlog', 'ranges'])
        .default('auto'),
    )
    .action(async (flags: { method: MethodWish }, command: Command) => {
      await withContext(command, async (context) => {
        const result = await runIncremental(context, { method: flags.method });
        printIncremental(context.output, result);
        return {
          exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
          document: result,
        };
      });
    });
}

export function printIncremental(output: Output, result: IncrementalResult): void {
  const { entry, file, notes } = result;
  for (const note of notes) output.line(`  ${note}`);
  const size = formatBytes(entry.sizeBytes ?? 0);
  output.line(`✓ Incremental saved: ${file} (${size}, ${formatDuration(entry.durationMs)})`);
}
