/** Putting a catalog together again, and keeping it from growing for ever. Pure. */
import { compareText } from './names.js';
import { entryProblem } from './records.js';
import type { CatalogEntry } from './records.js';

/**
 * The catalog after a rebuild: `known` entries with `rebuilt` ones added, oldest first. A known
 * entry of the same backup wins field by field, since verification, trigger and the like are not in
 * the backup itself; if it is marked as removed, it is listed again, because the file is there. A run
 * that is known to have failed stays so, whatever file it left.
 */
export function mergeRebuilt(
  known: readonly CatalogEntry[],
  rebuilt: readonly CatalogEntry[],
): CatalogEntry[] {
  const entries = [...known];
  for (const found of rebuilt) {
    const index = entries.findIndex((entry) => entry.id === found.id || isSameBackup(entry, found));
    const entry = entries[index];
    if (entry === undefined) entries.push(found);
    else if (entry.status !== 'failed') entries[index] = listedAgain({ ...found, ...entry });
  }
  return entries.sort(byStart);
}

/** Same name and same content, as far as both are known: a file may have been replaced. */
function isSameBackup(entry: CatalogEntry, found: CatalogEntry): boolean {
  const isSameFile = entry.type === found.type && entry.file !== null && entry.file === found.file;
  const differs = (left: unknown, right: unknown): boolean =>
    left !== undefined && right !== undefined && left !== right;
  return (
    isSameFile &&
    !differs(entry.sizeBytes ?? undefined, found.sizeBytes ?? undefined) &&
    !differs(entry.sha256, found.sha256)
  );
}

function listedAgain(entry: CatalogEntry): CatalogEntry {
  const listed: { -readonly [Field in keyof CatalogEntry]: CatalogEntry[Field] } = { ...entry };
  delete listed.removedAt;
  delete listed.removedReason;
  return listed;
}

/** Oldest start first; the ids decide between equals so that the result is always the same. */
function byStart(left: CatalogEntry, right: CatalogEntry): number {
  const difference = Date.parse(left.startedAt) - Date.parse(right.startedAt);
  return difference === 0 ? compareText(left.id, right.id) : difference;
}

/**
 * The entries that can still be read out of a damaged catalog: each top-level object that is
 * complete and valid. Ids that occur again are left out.
 */
export function salvageEntries(damagedText: string): CatalogEntry[] {
  const entries = new Map<string, CatalogEntry>();
  // formatCatalog indents by two, so an entry is what stands between these lines.
  for (const [candidate] of damagedText.matchAll(/^ {2}\{$[\s\S]*?^ {2}\}(?=,?$)/gm)) {
    const value = parseOrUndefined(candidate);
    if (value === undefined || entryProblem(value) !== undefined) continue;
    const entry = value as CatalogEntry;
    if (!entries.has(entry.id)) entries.set(entry.id, entry);
  }
  return [...entries.values()];
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Without the oldest runs beyond `limit`. Runs that made a backup which still exists stay however
 * old they are, and so does what they build on.
 */
export function trimEntries(
  entries: readonly CatalogEntry[],
  limit: number,
  exists: (path: string) => boolean,
): CatalogEntry[] {
  const old = entries.slice(0, Math.max(0, entries.length - limit));
  const needed = new Set<string>();
  // Newest first, so that the base of a kept incremental is seen after it.
  for (const entry of [...entries].reverse()) {
    if (entry.baseId === undefined) continue;
    if (!old.includes(entry) || needed.has(entry.id) || madeExisting(entry, exists)) {
      needed.add(entry.baseId);
    }
  }
  return entries.filter(
    (entry, index) => index >= old.length || needed.has(entry.id) || madeExisting(entry, exists),
  );
}

function madeExisting(entry: CatalogEntry, exists: (path: string) => boolean): boolean {
  const made = entry.type === 'full' || entry.type === 'incremental' ? entry.file : null;
  return [made, entry.emergencyFile ?? null].some((path) => path !== null && exists(path));
}
