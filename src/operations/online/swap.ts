/** What a swap of tables is about. */
import type { Session } from '../../mysql/session.js';
import type { Alignment } from '../changes/align-objects.js';
import type { Context } from '../context.js';
import type { Move } from './swap-plan.js';

export interface Swap {
  readonly context: Context;
  /** Opens one more session in the live database. */
  readonly open: () => Promise<Session>;
  readonly live: string;
  /** What is left to be moved, as the databases stand. */
  readonly moves: () => Promise<readonly Move[]>;
  /** What the triggers are afterwards. */
  readonly after: Alignment;
  /** What the triggers are if it does not come about. */
  readonly before: Alignment | undefined;
}
