/** `reshelve full`: a full backup now. */
import type { Command } from 'commander';
import { EXIT } from '../errors.js';
import { runFullBackup } from '../operations/full-backup.js';
import { formatBytes, formatDuration } from './terminal-output.js';
import { withContext } from './with-context.js';

export function fullCommand(program: Command): void {
  program
    .command('full')
    .description('make a full backup now')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const result = await runFullBackup(context);
        const { entry } = result;
        const { output } = context;
        for (const note of result.notes) output.line(`  ${note}`);
        const size = formatBytes(entry.sizeBytes ?? 0);
        const rows =
          entry.rows === undefined ? '' : `, ${entry.tables ?? 0} tables, ${entry.rows} rows`;
        output.line(
          `✓ Backup saved: ${result.file} (${size}${rows}, ${formatDuration(entry.durationMs)})`,
        );
        return {
          exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
          document: result,
        };
      });
    });
}
