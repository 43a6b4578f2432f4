/** Which full backups stay and which go, and why: arithmetic over catalog entries. */
import { assert } from '../errors.js';
import { compareText, parseBackupPath } from './names.js';
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

/**
 * Only full backups of `database` that the catalog lists, that exist, and whose names are ours are
 * judged at all. Those that failed a verification, or that a wrong clock dates into the future, do
 * not count towards `keepFulls`; nor do those whose file several entries claim, which stay.
 */
export function planRetention(input: RetentionInput): RetentionPlan {
  assert(Number.isSafeInteger(input.keepFulls) && input.keepFulls >= 1, 'retention keeps one full');
  const fulls = existingFulls(input);
  const reasons = new Map<CatalogEntry, string[]>(fulls.map((entry) => [entry, []]));
  const keepFor = (entry: CatalogEntry | undefined, reason: string): void => {
    if (entry !== undefined) reasons.get(entry)?.push(reason);
  };
  const ambiguous = fulls.filter(({ file, id }) =>
    fulls.some((other) => other.file === file && other.id !== id),
  );
  for (const entry of ambiguous) keepFor(entry, 'listed more than once, so not judged');
  const counted = fulls.filter(
    (entry) => isGood(entry) && !isFuture(entry, input.now) && !ambiguous.includes(entry),
  );
  const newest = counted.slice(0, input.keepFulls);
  for (const entry of newest) keepFor(entry, `one of the newest ${input.keepFulls} full backups`);
  keepFor(counted.find(isRestoreProven), 'the newest one proven by a test restore');
  keepFor(counted.find(isVerified), 'the newest verified one');
  const neededIds = idsNeededByIncrementals(input);
  const windowStart = newest.length === input.keepFulls ? newest.at(-1) : undefined;
  for (const entry of fulls) {
    if (input.protectedIds?.has(entry.id) === true) keepFor(entry, 'in use by this run');
    if (neededIds.has(entry.id)) keepFor(entry, 'an incremental backup builds on it');
    if (isFuture(entry, input.now)) keepFor(entry, 'dated in the future, so not judged');
    const isRecent = windowStart === undefined || compareAge(entry, windowStart) < 0;
    if (!isGood(entry) && isRecent)
      keepFor(entry, 'failed verification; newer ones are too few yet');
  }
  return { ...divide(fulls, reasons, input.keepFulls), unlisted: unlistedFulls(input) };
}

function divide(
  fulls: readonly CatalogEntry[],
  reasons: ReadonlyMap<CatalogEntry, readonly string[]>,
  keepFulls: number,
): Pick<RetentionPlan, 'keep' | 'remove'> {
  const reasonsOf = (entry: CatalogEntry): readonly string[] => reasons.get(entry) ?? [];
  const kept = fulls.filter((entry) => reasonsOf(entry).length > 0);
  const superseded = fulls.filter((entry) => reasonsOf(entry).length === 0);
  return {
    keep: kept.map((entry) => ({ entry, reasons: reasonsOf(entry) })),
    remove: superseded.reverse().map((entry) => ({
      entry,
      reason: isGood(entry)
        ? `older than the newest ${keepFulls} full backups`
        : `failed verification, and ${keepFulls} newer full backups are good`,
    })),
  };
}

/** Newest first. */
function existingFulls({ entries, existingFiles, database }: RetentionInput): CatalogEntry[] {
  const fulls = entries.filter(
    (entry) =>
      entry.type === 'full' &&
      entry.database === database &&
      isListed(entry, existingFiles) &&
      isFullOf(entry.file ?? '', database),
  );
  return fulls.sort(compareAge);
}

/** The backup was made, is not marked as removed, and its file is there. */
export function isListed(entry: CatalogEntry, existingFiles: ReadonlySet<string>): boolean {
  const isMade = entry.status !== 'failed' && entry.file !== null;
  return isMade && entry.removedAt === undefined && existingFiles.has(entry.file);
}

function isFullOf(path: string, database: string): boolean {
  const name = parseBackupPath(path);
  return name?.kind === 'full' && name.database === database;
}

/** Negative where `left` is newer. File and id decide between equals so that plans repeat. */
export function compareAge(left: CatalogEntry, right: CatalogEntry): number {
  return (
    Date.parse(right.startedAt) - Date.parse(left.startedAt) ||
    compareText(right.file ?? '', left.file ?? '') ||
    compareText(right.id, left.id)
  );
}

export function isGood(entry: CatalogEntry): boolean {
  return entry.verification?.status !== 'failed';
}

function isVerified(entry: CatalogEntry): boolean {
  return entry.verification?.status === 'success';
}

function isRestoreProven(entry: CatalogEntry): boolean {
  return isVerified(entry) && entry.verification?.method === 'restore';
}

export function isFuture(entry: CatalogEntry, now: Date): boolean {
  return Date.parse(entry.startedAt) > now.getTime();
}

/** Every entry that an existing incremental builds on, directly or through others. */
function idsNeededByIncrementals({ entries, existingFiles }: RetentionInput): Set<string> {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const needed = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== 'incremental' || !isListed(entry, existingFiles)) continue;
    let baseId = entry.baseId;
    while (baseId !== undefined && !needed.has(baseId)) {
      needed.add(baseId);
      baseId = byId.get(baseId)?.baseId;
    }
  }
  return needed;
}

function unlistedFulls({ entries, existingFiles, database }: RetentionInput): string[] {
  const listed = new Set(
    entries.map((entry) => (entry.removedAt === undefined ? entry.file : null)),
  );
  return [...existingFiles]
    .filter((path) => !listed.has(path) && isFullOf(path, database))
    .sort(compareText);
}
