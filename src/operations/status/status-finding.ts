/** What `status` goes by, and one line of what it says; whatever is looked up is in the facts. */
import type { CatalogEntry } from '../../catalog/records.js';
import type { ReshelveError } from '../../errors.js';
import type { UnfinishedRecovery } from '../recovery/unfinished-recovery.js';
import type { Recoverable } from '../chains/recoverable.js';
import type { StreamSight } from '../stream/stream-state.js';

export interface StatusFacts {
  readonly now: Date;
  readonly database: string;
  /** As the user wrote it. */
  readonly directoryShown: string;
  readonly entries: readonly CatalogEntry[];
  readonly catalogProblem: ReshelveError | undefined;
  /** Those of the entries' files that exist. */
  readonly existingFiles: ReadonlySet<string>;
  readonly schedule: ScheduleFacts | ReshelveError;
  /** Undefined where the directory does not exist. */
  readonly freeBytes: number | undefined;
  /** Databases on the server that an online recovery has set aside; or why nobody could ask. */
  readonly setAside: readonly SetAsideDatabase[] | ReshelveError;
  /** Of this database; those that only keep old tables are among them. */
  readonly unfinished: readonly UnfinishedRecovery[];
  /** Undefined where the catalog cannot be read. */
  readonly recoverable?: Recoverable | undefined;
  readonly stream?: StreamFacts;
}

export interface StreamFacts {
  /** BACKUP_STREAM. */
  readonly isWanted: boolean;
  readonly segmentMs: number;
  readonly sight: StreamSight | undefined;
}

export interface ScheduleFacts {
  readonly expression: string;
  readonly next: Date;
  /** The longest time between two runs of the next ones. */
  readonly intervalMs: number;
  readonly incremental?: { readonly expression: string; readonly next: Date };
}

export interface SetAsideDatabase {
  readonly name: string;
  readonly role: 'before' | 'undone' | 'staging';
}

export type StatusTopic =
  | 'newest backup'
  | 'newest proof'
  | 'last chain'
  | 'recoverable'
  | 'continuous capture'
  | 'last runs'
  | 'recovery drill'
  | 'next run'
  | 'recovery'
  | 'set aside'
  | 'disk';

export interface StatusFinding {
  readonly topic: StatusTopic;
  readonly status: 'ok' | 'attention';
  readonly text: string;
  /** The next command, or what to do. */
  readonly next?: string;
}

export function ok(topic: StatusTopic, text: string, next?: string): StatusFinding {
  return { topic, status: 'ok', text, ...(next === undefined ? {} : { next }) };
}

export function attention(topic: StatusTopic, text: string, next: string): StatusFinding {
  return { topic, status: 'attention', text, next };
}

/** Good backups of the database whose files exist, oldest first. */
export function backupsOf(facts: StatusFacts): CatalogEntry[] {
  return facts.entries.filter(
    ({ type, status, database, file, removedAt }) =>
      (type === 'full' || type === 'incremental') &&
      status !== 'failed' &&
      database === facts.database &&
      removedAt === undefined &&
      file !== null &&
      facts.existingFiles.has(file),
  );
}

/** `3 days`, `5 h`, `12 min`: how long ago something was, from the largest unit that says enough. */
export function age(fromMs: number): string {
  const minutes = Math.max(0, Math.floor(fromMs / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
