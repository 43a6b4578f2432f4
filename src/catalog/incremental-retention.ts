/**
 * Which incremental backups stay and which go, and why. The newest `keepIncrementals` are restore
 * points, and whatever they build on stays with them: a chain loses its incrementals from its end or
 * not at all, never one in the middle.
 */
import { assert } from '../errors.js';
import { parseBackupPath } from './names.js';
import type { CatalogEntry } from './records.js';
import type { RetentionInput, RetentionPlan } from './retention.js';
import { compareAge, isFuture, isGood, isListed } from './retention.js';

export interface IncrementalRetentionInput extends Omit<RetentionInput, 'keepFulls'> {
  /** BACKUP_INCREMENTAL_RETENTION, at least 1. */
  readonly keepIncrementals: number;
}

/** In `remove` what builds on another comes before it: that is the order to delete in. */
export type IncrementalRetentionPlan = Pick<RetentionPlan, 'keep' | 'remove'>;

/**
 * Only incrementals of `database` that the catalog lists and that exist are judged. One that cannot
 * be restored, because its chain is broken or a verification failed, is no restore point and does not
 * count; nor does one that a wrong clock dates into the future.
 */
export function planIncrementalRetention(
  input: IncrementalRetentionInput,
): IncrementalRetentionPlan {
  const { keepIncrementals, now, protectedIds } = input;
  assert(
    Number.isSafeInteger(keepIncrementals) && keepIncrementals >= 1,
    'retention keeps one incremental',
  );
  const bases = new Bases(input);
  const judged = existingIncrementals(input);
  const counted = judged.filter((entry) => bases.isWhole(entry) && !isFuture(entry, now));
  const points = restorePoints(counted);
  const newest = points.slice(0, keepIncrementals).flat();
  const windowStart = points.length >= keepIncrementals ? newest.at(-1) : undefined;
  const reasons = new Map<CatalogEntry, string[]>(judged.map((entry) => [entry, []]));
  const keepFor = (entry: CatalogEntry, reason: string): void => {
    reasons.get(entry)?.push(reason);
  };
  for (const entry of newest) {
    keepFor(entry, `one of the newest ${keepIncrementals} incremental backups`);
  }
  for (const entry of judged) {
    if (protectedIds?.has(entry.id) === true) keepFor(entry, 'in use by this run');
    if (isFuture(entry, now)) keepFor(entry, 'dated in the future, so not judged');
    const isRecent = windowStart === undefined || compareAge(entry, windowStart) < 0;
    if (!bases.isWhole(entry) && isRecent) {
      keepFor(entry, 'cannot be restored; newer restore points are too few yet');
    }
  }
  const isKept = (entry: CatalogEntry): boolean => (reasons.get(entry)?.length ?? 0) > 0;
  const needed = new Set(judged.filter(isKept).flatMap((entry) => bases.of(entry)));
  for (const entry of judged) {
    if (needed.has(entry)) keepFor(entry, 'an incremental backup that is kept builds on it');
  }
  return {
    keep: judged.filter(isKept).map((entry) => ({ entry, reasons: reasons.get(entry) ?? [] })),
    remove: judged
      .filter((entry) => !isKept(entry))
      .sort((left, right) => bases.of(right).length - bases.of(left).length)
      .map((entry) => ({ entry, reason: reasonToGo(entry, bases, keepIncrementals) })),
  };
}

/**
 * Each incremental is one, and so are all segments of a continuous capture that fall into one hour: they
 * become one file by and by, and one a minute must not drive everything else out.
 */
function restorePoints(newestFirst: readonly CatalogEntry[]): CatalogEntry[][] {
  const points = new Map<string, CatalogEntry[]>();
  for (const entry of newestFirst) {
    const key = segmentHour(entry) ?? entry.id;
    const point = points.get(key);
    if (point === undefined) points.set(key, [entry]);
    else point.push(entry);
  }
  return [...points.values()];
}

/** Which segments belong together; undefined for an incremental that is none. */
export function segmentHour({ chain }: Pick<CatalogEntry, 'chain'>): string | undefined {
  if (chain?.segment !== true) return undefined;
  return `${chain.fullId} ${chain.snapshotAt.slice(0, HOUR_CHARACTERS)}`;
}

/** `2026-01-02T15` of an ISO 8601 time. */
const HOUR_CHARACTERS = 13;

function reasonToGo(entry: CatalogEntry, bases: Bases, keepIncrementals: number): string {
  return bases.isWhole(entry)
    ? `older than the newest ${keepIncrementals} incremental backups`
    : `cannot be restored, and ${keepIncrementals} newer incremental backups can`;
}

/** Newest first. */
function existingIncrementals(input: IncrementalRetentionInput): CatalogEntry[] {
  const { entries, existingFiles, database } = input;
  return entries
    .filter((entry) => {
      if (entry.type !== 'incremental' || entry.database !== database) return false;
      if (!isListed(entry, existingFiles)) return false;
      const name = parseBackupPath(entry.file ?? '');
      return name?.kind === 'incremental' && name.database === database;
    })
    .sort(compareAge);
}

/** What each incremental builds on. */
class Bases {
  readonly #byId: ReadonlyMap<string, CatalogEntry>;
  readonly #input: IncrementalRetentionInput;

  constructor(input: IncrementalRetentionInput) {
    this.#input = input;
    this.#byId = new Map(input.entries.map((entry) => [entry.id, entry]));
  }

  /** Nearest first, as far as the catalog knows them. */
  of(entry: CatalogEntry): CatalogEntry[] {
    const bases: CatalogEntry[] = [];
    let base = this.#byId.get(entry.baseId ?? '');
    while (base !== undefined && base !== entry && !bases.includes(base)) {
      bases.push(base);
      base = this.#byId.get(base.baseId ?? '');
    }
    return bases;
  }

  /** It and all that it builds on exist and are good, down to a full backup. */
  isWhole(entry: CatalogEntry): boolean {
    const chain = [entry, ...this.of(entry)];
    return (
      chain.at(-1)?.type === 'full' &&
      chain.every((one) => isGood(one) && isListed(one, this.#input.existingFiles))
    );
  }
}
