/** `reshelve recover --online`, and what belongs to it: `--undo` and `--finish`. */
import { EXIT } from '../errors.js';
import type { Context } from '../operations/context.js';
import type { OnlineEnd } from '../operations/online/online-continue.js';
import { runUndo } from '../operations/online/online-continue.js';
import { runFinish } from '../operations/online/online-finish.js';
import type { OnlineResult } from '../operations/online/online-plan.js';
import { runRecoverOnline } from '../operations/recover-online.js';
import { confirmOverwrite } from './confirm.js';
import { formatRowCounts } from './row-counts.js';
import type { VerbResult } from './with-context.js';

export interface OnlineFlags {
  readonly online?: boolean;
  readonly undo?: boolean;
  readonly finish?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly otherDatabase?: boolean;
}

/** Undefined where none of the flags is one of ours. */
export async function runOnline(
  context: Context,
  file: string | undefined,
  flags: OnlineFlags,
): Promise<VerbResult | undefined> {
  const confirm = (database: string, loss: string): Promise<void> =>
    confirmOverwrite(database, loss, flags.yes === true, context);
  if (flags.finish === true) {
    const result = await runFinish(context, confirm);
    for (const name of result.dropped) context.output.line(`✓ Dropped ${name}`);
    return { exitCode: EXIT.done, document: { status: 'success', ...result } };
  }
  if (flags.undo === true) {
    const result = await runUndo(context, { force: flags.force === true, confirm });
    printEnd(context, result);
    return verbResult(result);
  }
  if (flags.online !== true) return undefined;
  const result = await runRecoverOnline(context, {
    ...(file === undefined ? {} : { file }),
    dryRun: flags.dryRun === true,
    otherDatabase: flags.otherDatabase === true,
    confirm,
  });
  if (result.outcome === 'recovered') printOnline(context, result);
  return verbResult(result);
}

function verbResult(result: OnlineResult | OnlineEnd): VerbResult {
  return {
    exitCode: result.warnings.length > 0 ? EXIT.warnings : EXIT.done,
    document: { status: 'success', ...result },
  };
}

export function printOnline({ output }: Context, result: OnlineResult): void {
  output.line('');
  output.line('✓ Database verification results:');
  output.line('================================');
  for (const line of formatRowCounts(result.tables)) output.line(line);
  output.line('');
  output.line('=== RECOVERY SUCCESSFUL ===');
  output.line(`Restored from: ${result.name}`);
  output.line(`Recovery time: ${result.seconds.toFixed(2)} seconds`);
  output.line(`Readers and writers were held up for ${result.heldMs} ms at most`);
  output.line(`Emergency backup available at: ${result.emergencyFile ?? ''}`);
  output.line(
    `The old tables are kept in ${result.previous ?? ''}, with all that was written up to the swap:`,
  );
  output.line(
    '  `reshelve recover --undo` takes them back, `reshelve recover --finish` drops them',
  );
}

export function printEnd({ output }: Context, { aside, outcome }: OnlineEnd): void {
  if (outcome !== 'rolled-back') return;
  output.line(
    aside === null
      ? 'The old state is back.'
      : `The old state is back; what was seen until now is kept in ${aside} until \`reshelve recover --finish\``,
  );
}
