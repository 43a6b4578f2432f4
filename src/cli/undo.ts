/** `reshelve undo`: take one transaction back, and nothing else. */
import type { Command } from 'commander';
import { EXIT, ReshelveError } from '../errors.js';
import type { Output } from '../operations/context.js';
import type { UndoResult } from '../operations/undo.js';
import { runUndo, wayBack } from '../operations/undo.js';
import { writeFileOf, writeTo } from '../operations/undo/undo-text.js';
import { confirmOverwrite } from './confirm.js';
import { visible } from './table.js';
import { withContext } from './with-context.js';
import type { GlobalOptions } from './with-context.js';

interface UndoFlags {
  readonly gtid?: string;
  readonly position?: string;
  readonly output?: string;
  readonly apply?: boolean;
  readonly incomplete?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function undoCommand(program: Command): void {
  program
    .command('undo')
    .description('write the SQL that takes one transaction back, or run it with --apply')
    .option('--gtid <gtid>', 'the transaction, as `events` shows it')
    .option('--position <file:position>', 'the transaction that begins there in the binary log')
    .option('--output <file>', 'write the SQL to this file instead of printing it')
    .option('--apply', 'run it, in one transaction; refuses where a row was changed since')
    .option('--incomplete', 'go on although foreign keys changed rows that the log does not hold')
    .option('--dry-run', 'say what would be done; with --apply run everything and roll back')
    .option('--yes', 'with --apply, do not ask')
    .action(async (flags: UndoFlags, command: Command) => {
      const isJson = command.optsWithGlobals<GlobalOptions>().json === true;
      assertOneUse(flags, isJson);
      await withContext(command, async (context) => {
        const { gtid, position, output } = flags;
        const result = await runUndo(context, {
          ...(gtid === undefined ? {} : { gtid }),
          ...(position === undefined ? {} : { position }),
          apply: flags.apply === true,
          dryRun: flags.dryRun === true,
          acceptHidden: flags.incomplete === true,
          confirm: (database, loss) =>
            confirmOverwrite(database, loss, flags.yes === true, context),
          write: (text) =>
            output === undefined ? writeTo(process.stdout, text) : writeFileOf(output, text),
        });
        // Where the SQL itself was printed, nothing else may stand there.
        if (result.outcome !== 'written' || output !== undefined) {
          printResult(context.output, result, output);
        }
        const hasWarnings = result.warnings.length > 0;
        return {
          exitCode: hasWarnings ? EXIT.warnings : EXIT.done,
          document: { status: hasWarnings ? 'warning' : 'success', ...result },
        };
      });
    });
}

function assertOneUse({ apply, output, dryRun }: UndoFlags, isJson: boolean): void {
  if (apply === true && output !== undefined) {
    throw new ReshelveError('USAGE', 'expected either --apply or --output, not both');
  }
  if (isJson && apply !== true && dryRun !== true && output === undefined) {
    throw new ReshelveError('USAGE', '--json needs --output FILE, for the SQL has to go somewhere');
  }
}

function printResult(output: Output, result: UndoResult, file: string | undefined): void {
  const { gtid, tables, outcome } = result;
  const name = gtid ?? `${result.file}:${result.position}`;
  for (const table of tables) output.line(`  ${visible(table.name)}: ${wayBack(table)}`);
  switch (outcome) {
    case 'applied':
      output.line(`✓ Transaction ${name} is undone`);
      break;
    case 'tried':
      output.line(`✓ Transaction ${name} can be undone: all of it was run and rolled back`);
      break;
    case 'written':
      output.line(
        `✓ Written to ${file ?? ''}; run it with: mysql --binary-mode DBNAME < ${file ?? ''}`,
      );
      break;
    case 'described':
      output.line(`Nothing was done. --apply undoes transaction ${name}`);
      break;
  }
}
