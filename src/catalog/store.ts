/** backup_logs.json on disk: read, appended to and repaired so that no crash can spoil it. */
import type { CatalogEntry } from './records.js';

export interface CatalogStore {
  /** Absolute path of backup_logs.json. */
  readonly path: string;
  /** All entries, oldest first; none where the file does not exist. Throws CATALOG_DAMAGED. */
  read(): Promise<CatalogEntry[]>;
  /** Durable once it resolves. Throws CATALOG_DAMAGED, LOCKED, DISK_FULL, DIRECTORY or IO. */
  append(entry: CatalogEntry): Promise<void>;
  /**
   * Replaces the named fields of one entry and gives the result, or undefined where no entry has
   * this id. Throws as `append` does.
   */
  update(id: string, patch: CatalogPatch): Promise<CatalogEntry | undefined>;
  /**
   * Moves a damaged file aside (never deletes it) and writes a new one from the entries that can
   * still be read and from `rebuilt`, what the caller found in the backups themselves. Where the file is
   * sound, `rebuilt` is merged into it and nothing is moved.
   */
  recoverDamaged(rebuilt: readonly CatalogEntry[]): Promise<CatalogRecovery>;
}

export type CatalogPatch = Partial<Omit<CatalogEntry, 'id'>>;

export interface CatalogRecovery {
  /** Where the damaged file lies now; undefined where it was not damaged. */
  readonly movedTo: string | undefined;
  /** How many entries could be read from the damaged file. */
  readonly salvaged: number;
  readonly entries: readonly CatalogEntry[];
}
