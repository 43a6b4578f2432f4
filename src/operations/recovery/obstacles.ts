/** What stands in the way of a restore or a recovery, told all at once. */
import { ReshelveError } from '../../errors.js';

export interface Obstacle {
  readonly text: string;
  /** What to do about it. */
  readonly next?: string;
}

/** `opening` ends without a colon. Throws PREFLIGHT where there is any. */
export function assertNoObstacles(opening: string, obstacles: readonly Obstacle[]): void {
  if (obstacles.length === 0) return;
  const lines = obstacles.map(
    ({ text, next }) => `\n  ${text}${next === undefined ? '' : `\n    ${next}`}`,
  );
  throw new ReshelveError('PREFLIGHT', `${opening}:${lines.join('')}`);
}
