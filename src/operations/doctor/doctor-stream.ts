/** Judges continuous capture as `status` does: a doctor that is silent on it would say that all is well. */
import type { Context } from '../context.js';
import { judgeStream } from '../status/status-chain.js';
import { readStreamFacts } from '../status/stream-facts.js';
import type { Finding } from './doctor-finding.js';
import { findingsOf } from './doctor-finding.js';

const THIS_COMMAND = 'npx reshelve doctor';

export async function judgeCapture(context: Context): Promise<Finding[]> {
  const say = findingsOf('schedule');
  const stream = await readStreamFacts(context);
  return judgeStream({ now: context.now(), stream }).map(({ topic, status, text, next }) => {
    const line = `${topic}: ${text}`;
    if (status === 'ok') return say.ok(line);
    return say.warning(line, next === THIS_COMMAND ? undefined : next);
  });
}
