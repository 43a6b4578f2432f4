/** Where in the chains a capture stands, and where it goes on. */
import type { BinlogPlace, IndexHeader } from '../../archive/index-types.js';
import { isBefore } from '../../binlog/log-position.js';
import type { ChainPosition } from '../../catalog/chain.js';
import { readChains } from '../chains/read-chains.js';
import type { Context } from '../context.js';

/**
 * `ours`: the chain goes on with us. `last`: there is a newer full backup, whose coordinates we have passed;
 * with one more segment the chain before it has no gap to it. `moved`: somebody else builds on our base, or
 * the newer full backup is of another server.
 */
export type BaseVerdict = 'ours' | 'last' | 'moved';

/** `place`: how far the log was read. */
export async function judgeBase(
  context: Context,
  base: IndexHeader,
  place: BinlogPlace,
): Promise<BaseVerdict> {
  const chains = await readChains(context);
  if (!chains.isEnd(base.id)) return 'moved';
  const full = chains.newestFull();
  const end = full === undefined ? undefined : placeOf(full.end);
  // A full backup without coordinates is none that a log could follow on.
  if (full === undefined || end === undefined || full.id === (base.chain?.fullId ?? base.id)) {
    return 'ours';
  }
  if (full.serverUuid !== base.serverUuid) return 'moved';
  if (isBefore(place, end)) return 'ours';
  const baseEnd = placeOf(base.coordinates);
  return baseEnd !== undefined && isBefore(baseEnd, end) ? 'last' : 'moved';
}

function placeOf({ binlogFile, binlogPosition }: ChainPosition): BinlogPlace | undefined {
  if (binlogFile === null || binlogPosition === null) return undefined;
  return { binlogFile, position: binlogPosition };
}
