/** How an online recovery ends: with the new state proven, or with the old one back. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { ReshelveError } from '../../errors.js';
import type { Comparison } from '../load/compare-copy.js';
import { liveOf, noteOnline, swapRecord, unstoppable } from './online-recovery.js';
import type { Online } from './online-recovery.js';
import { bringBack } from './online-return.js';
import { dropStagings } from './online-staging.js';
import { isUnswapped, swapAndAlign } from './online-swap.js';
import { describeFailure } from '../run.js';

/** A failure before the swap was announced has changed nothing but the copy. */
export async function giveUp(online: Online, error: unknown): Promise<unknown> {
  online.context.output.progress(null);
  if (swapRecord(online) !== undefined) return goBack(online, error);
  try {
    await dropStagings(online);
    await noteOnline(online, { step: 'finish', detail: { outcome: 'abandoned' } });
  } catch {
    // An unfinished journal that changed nothing stops nobody; the next recovery drops the copy.
  }
  return error;
}

/** The swap and its proof, or the way back. Also what `--resume` goes on with. */
export async function swapOrReturn(
  online: Online,
  reader: ArchiveReader,
  tables: Comparison['tables'],
): Promise<{ readonly heldMs: number }> {
  let heldMs: number;
  try {
    heldMs = await swapAndAlign(online, reader);
  } catch (error) {
    throw await goBack(online, error);
  }
  online.context.output.line(
    `✓ Swapped: readers and writers were held up for ${Math.round(heldMs)} ms at most`,
  );
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  await noteOnline(online, { step: 'proven', detail: { tables: tables.length, rows } });
  await dropStagings(online).catch((error: unknown) => {
    online.run.warn({ code: 'STAGING_LEFT', message: describeFailure(error).message });
  });
  return { heldMs };
}

/** Gives the error that says what became of the database; throws ROLLBACK_FAILED. */
export async function goBack(online: Online, error: unknown): Promise<unknown> {
  const { output } = online.context;
  output.progress(null);
  const { code, message } = describeFailure(error);
  const record = swapRecord(online);
  const isUntouched =
    record !== undefined && (await isUnswapped(unstoppable(online), record).catch(() => false));
  output.warn({ code, message: `the online recovery failed: ${message}` });
  output.line('[FAILURE] → Automatic Rollback');
  const { aside } = await bringBack(online, error);
  output.line('[ROLLBACK] ✓ Database restored to pre-recovery state');
  const outcome = isUntouched ? 'abandoned' : 'rolled-back';
  await noteOnline(online, { step: 'finish', detail: { outcome } });
  if (isUntouched) return error;
  const kept = aside === null ? '' : `; what had been swapped in is kept in ${aside}`;
  return new ReshelveError(
    'ROLLED_BACK',
    `the online recovery of ${liveOf(online)} failed and was rolled back: ${message}${kept}`,
    { ...(error instanceof ReshelveError ? { hint: error.hint } : {}), cause: error },
  );
}
