/** The lines of `status` about chains and about continuous capture. */
import { age, attention, ok } from './status-finding.js';
import type { StatusFacts, StatusFinding } from './status-finding.js';

/** A capture tells each second what it does; one that was silent for so long does not run. */
const STREAM_SILENCE_MS_MAX = 60_000;
/** Changes are saved within a segment's time; twice that, and a little, is late. */
const STREAM_SLACK_MS = 60_000;

export function judgeChain({ now, recoverable }: StatusFacts): StatusFinding[] {
  if (recoverable === undefined) return [];
  const newest = recoverable.spans.at(-1);
  if (newest === undefined) return [];
  const older = recoverable.spans.length - 1;
  const beside = older === 0 ? '' : `, and ${older} older ${older === 1 ? 'span' : 'spans'}`;
  const text =
    newest.from === newest.to
      ? `the state of ${newest.to}${beside}`
      : `every instant from ${newest.from} to ${newest.to}${beside}`;
  const lost = recoverable.unreachable.length;
  const finding = ok('recoverable', `${text} (${age(now.getTime() - Date.parse(newest.to))} ago)`);
  if (lost === 0) return [finding];
  const incrementals = lost === 1 ? 'incremental cannot' : 'incrementals cannot';
  const problem = `${lost} ${incrementals} be restored any more`;
  return [finding, attention('recoverable', problem, 'npx reshelve list')];
}

export function judgeStream({ now, stream }: Pick<StatusFacts, 'now' | 'stream'>): StatusFinding[] {
  if (stream === undefined) return [];
  const { isWanted, segmentMs, sight } = stream;
  if (sight === undefined) {
    if (!isWanted) return [];
    const text = 'BACKUP_STREAM is on, but nothing captures';
    return [attention('continuous capture', text, START)];
  }
  const { state, isAlive } = sight;
  const silentMs = now.getTime() - Date.parse(state.updatedAt);
  if (!isAlive || silentMs > STREAM_SILENCE_MS_MAX) {
    const text = `it ended without a word ${age(silentMs)} ago`;
    return [attention('continuous capture', text, START)];
  }
  const { capturedUntil, lagSeconds, phase, reason } = state;
  const saved = capturedUntil === null ? 'nothing saved yet' : `all saved up to ${capturedUntil}`;
  if (phase === 'waiting') {
    return [
      attention('continuous capture', `waiting (${reason}), ${saved}`, 'npx reshelve doctor'),
    ];
  }
  const text = `following, ${lagSeconds} s behind the server, ${saved}`;
  const savedMs = capturedUntil === null ? 0 : now.getTime() - Date.parse(capturedUntil);
  const isLate = savedMs > 2 * segmentMs + STREAM_SLACK_MS;
  return [
    isLate
      ? attention('continuous capture', text, 'npx reshelve doctor')
      : ok('continuous capture', text),
  ];
}

const START = 'npx reshelve schedule';
