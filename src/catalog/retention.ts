/** Which full backups stay and which go, and why: arithmetic over catalog entries. */
import type { CatalogEntry } from './records.js';

export interface RetentionInput {
  /** The whole catalog. */
  readonly entries: readonly CatalogEntry[];
  /** Relative paths of the files that BACKUP_DIR really holds. */
  readonly existingFiles: ReadonlySet<string>;
  readonly database: string;
  /** BACKUP_RETENTION, at least 1. */
  readonly keepFulls: number;
  readonly now: Date;
  /** Ids that stay in any case: the run that has just ended, a backup being restored. */
  readonly protectedIds?: ReadonlySet<string>;
}

export interface RetentionPlan {
  /** Newest first. */
  readonly keep: readonly { readonly entry: CatalogEntry; readonly reasons: readonly string[] }[];
  /** Oldest first: the order to delete in. */
  readonly remove: readonly { readonly entry: CatalogEntry; readonly reason: string }[];
  /** Full backups of this database by name that no entry lists; they are reported and never touched. */
  readonly unlisted: readonly string[];
}
