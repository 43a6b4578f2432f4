/** Which segments of a continuous capture become one file. Pure. */
import type { ChainedBackup, ChainModel } from './chain.js';
import { segmentHour } from './incremental-retention.js';
import type { CatalogEntry } from './records.js';

/** A merged file stays handy. */
const MERGED_BYTES_MAX = 256 * 1024 * 1024;
/** `2026-01-02T15` of an ISO 8601 time. */
const HOUR_CHARACTERS = 13;

/**
 * Runs of segments, each oldest first: of one chain, one right after the other, of one hour that is over, and
 * nothing but the next one builds on any of them but the last.
 */
export function planMerges(
  entries: readonly CatalogEntry[],
  chains: ChainModel,
  now: Date,
): CatalogEntry[][] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const thisHour = now.toISOString().slice(0, HOUR_CHARACTERS);
  const isOver = ({ chain }: CatalogEntry): boolean =>
    (chain?.snapshotAt ?? thisHour).slice(0, HOUR_CHARACTERS) < thisHour;
  return chains.chains().flatMap(({ incrementals }) =>
    runsOf(incrementals)
      .map((links) => links.flatMap(({ id }) => byId.get(id) ?? []))
      .flatMap((run) => hoursOf(run))
      .filter((run) => run.length > 1 && run.every(isOver)),
  );
}

/** Each follows on the one before, and is alone in that. */
function runsOf(incrementals: readonly ChainedBackup[]): ChainedBackup[][] {
  const followers = new Map<string, number>();
  for (const { step } of incrementals) {
    const id = step?.previousId ?? '';
    followers.set(id, (followers.get(id) ?? 0) + 1);
  }
  const runs: ChainedBackup[][] = [];
  for (const link of incrementals) {
    const run = runs.at(-1);
    const previous = run?.at(-1);
    const follows = previous !== undefined && link.step?.previousId === previous.id;
    if (follows && followers.get(previous.id) === 1) run?.push(link);
    else runs.push([link]);
  }
  return runs;
}

function hoursOf(run: readonly CatalogEntry[]): CatalogEntry[][] {
  const hours: CatalogEntry[][] = [];
  let hour: string | undefined;
  let bytes = 0;
  for (const entry of run) {
    const own = segmentHour(entry);
    if (own === undefined) {
      hour = undefined;
      continue;
    }
    bytes += entry.sizeBytes ?? 0;
    if (own === hour && bytes <= MERGED_BYTES_MAX) hours.at(-1)?.push(entry);
    else {
      hours.push([entry]);
      bytes = entry.sizeBytes ?? 0;
    }
    hour = own;
  }
  return hours;
}
