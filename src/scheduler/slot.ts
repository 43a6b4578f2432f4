/** What the scheduler makes and when, and what it tells of it. */
import type { FullBackupResult } from '../operations/full-backup.js';
import type { IncrementalResult } from '../operations/incremental.js';
import type { KeeperEvent } from './stream-keeper.js';
import type { ChainVerification } from '../operations/verify-chain.js';

export type ScheduledTask = 'full' | 'incremental';

/** One time at which a task is due. */
export interface Slot {
  readonly task: ScheduledTask;
  readonly at: Date;
}

export type Made =
  | { readonly task: 'full'; readonly result: FullBackupResult }
  | { readonly task: 'incremental'; readonly result: IncrementalResult };

/** What happens, for whoever prints or counts it. */
export type SchedulerEvent =
  | KeeperEvent
  /** The next slot of each task. */
  | { readonly kind: 'next'; readonly slots: readonly Slot[] }
  | { readonly kind: 'waiting'; readonly slot: Slot; readonly holder: string }
  | { readonly kind: 'started'; readonly slot: Slot }
  | { readonly kind: 'saved'; readonly slot: Slot; readonly made: Made }
  /** The incrementals before the full backup that was just made give what that one holds. */
  | { readonly kind: 'proven'; readonly slot: Slot; readonly proof: ChainVerification }
  /** No incremental can follow, so that a full backup is made at once. */
  | { readonly kind: 'gap'; readonly slot: Slot; readonly reason: string }
  | { readonly kind: 'failed'; readonly slot: Slot; readonly error: unknown }
  /** Another scheduler has made, or is making, the backup of this slot. */
  | { readonly kind: 'served'; readonly slot: Slot; readonly by: string }
  /** The slot came while the run of an earlier one was under way; told once for each run. */
  | { readonly kind: 'passed-over'; readonly slot: Slot; readonly underWay: ScheduledTask }
  | { readonly kind: 'missed'; readonly task: ScheduledTask; readonly slots: readonly Date[] }
  | { readonly kind: 'finishing'; readonly graceMs: number };
