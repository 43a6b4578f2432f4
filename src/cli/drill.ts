/** `reshelve drill`: exercise a recovery into a scratch database, and measure it. */
import type { Command } from 'commander';
import { EXIT } from '../errors.js';
import type { Output } from '../operations/context.js';
import type { DrillResult } from '../operations/drill.js';
import { runDrill } from '../operations/drill.js';
import { formatTable } from './table.js';
import { formatBytes, formatCount, formatPreciseDuration } from './terminal-output.js';
import { withContext } from './with-context.js';

export function drillCommand(program: Command): void {
  program
    .command('drill')
    .description('exercise a recovery into a scratch database, timed step by step')
    .argument('[file]', 'the backup to recover from (default: the newest)')
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const result = await runDrill(context, file === undefined ? {} : { file });
        print(context.output, result);
        return {
          exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
          document: { status: 'success', ...result },
        };
      });
    });
}

const STEP_NAMES: ReadonlyMap<string, string> = new Map([
  ['check', 'Check every byte of the file'],
  ['create', 'Create the database'],
  ['load', 'Load the backup'],
  ['compare', 'Compare every row'],
  ['drop', 'Drop the scratch database'],
]);

function print(output: Output, result: DrillResult): void {
  const { drill, tables, emergencyMs } = result;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  output.line('');
  output.line('✓ Recovery drill PASSED');
  output.line('================================');
  const lines = formatTable(
    [
      ['Step', 'Took'],
      ...drill.steps.map(({ name, durationMs }) => [
        STEP_NAMES.get(name) ?? name,
        formatPreciseDuration(durationMs),
      ]),
    ],
    ['left', 'right'],
  );
  for (const line of lines) output.line(line);
  output.line('');
  output.line(`✓ Backup file: ${result.name} (${formatBytes(result.sizeBytes)})`);
  output.line(`✓ ${tables.length} tables and ${formatCount(rows)} rows, the same as backed up`);
  output.line(`✓ Measured recovery time: ${formatPreciseDuration(drill.recoveryMs)}`);
  output.line(
    emergencyMs === undefined
      ? 'A recovery also backs up the present state first; how long that takes is not known yet.'
      : `A recovery now would take about ${formatPreciseDuration(drill.expectedMs)}: ` +
          `it also backs up the present state first (${formatPreciseDuration(emergencyMs)} the last time).`,
  );
}
