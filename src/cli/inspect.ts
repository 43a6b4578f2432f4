/** `reshelve inspect FILE`: what a backup, or another tool's dump, says of itself. */
import type { Command } from 'commander';
import type { ExitCode } from '../errors.js';
import { EXIT, ReshelveError } from '../errors.js';
import type { Inspection } from '../operations/inspect.js';
import { inspectFile } from '../operations/inspect.js';
import { inspectionLines } from './inspect-lines.js';
import { withoutSettings } from './without-settings.js';

export function inspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('say what a file holds, and with --check whether every byte of it is sound')
    .argument('<file>', 'a backup; also a dump of another tool')
    .option('--check', 'read every byte and every row, and list all damage')
    .action(async (file: string, options: { check?: boolean }, command: Command) => {
      await withoutSettings(command, async ({ output, signal, directory, timeZone }) => {
        const check = options.check === true;
        const inspection = await inspectFile(
          { output, signal },
          { file, check, ...(directory === undefined ? {} : { directory }) },
        );
        assertCheckable(inspection, check);
        for (const line of inspectionLines(inspection, timeZone)) output.line(line);
        const exitCode = exitCodeOf(inspection);
        const status = exitCode === EXIT.done ? 'success' : 'failed';
        return { exitCode, document: { status, ...inspection } };
      });
    });
}

function exitCodeOf({ kind, damages }: Inspection): ExitCode {
  return damages.length > 0 || kind === 'unknown' ? EXIT.integrity : EXIT.done;
}

/** Who asks for a check must not take "could not be looked at" for "sound". */
function assertCheckable(inspection: Inspection, check: boolean): void {
  if (!check || inspection.kind !== 'encrypted-gpg') return;
  throw new ReshelveError('NOT_A_BACKUP', `${inspection.file} is encrypted and cannot be checked`, {
    hint: 'Decrypt it first: `gpg --decrypt --output backup.sql.gz FILE`.',
  });
}
