/** What is known of continuous capture. */
import type { Context } from '../context.js';
import { readStreamState } from '../stream/stream-state.js';
import type { StreamFacts } from './status-finding.js';

export async function readStreamFacts(context: Context): Promise<StreamFacts> {
  const { stream } = context.configuration.backup;
  return {
    isWanted: stream.isOn,
    segmentMs: stream.segmentMs,
    sight: await readStreamState(context),
  };
}
