/** Finds the chain that has a transaction or a place in the log, and says what is nearest where none has. */
import { join } from 'node:path';
import { NearestGtids } from '../../binlog/nearest-gtids.js';
import type { ReplayEnd, ReplayPosition } from '../../binlog/replay-until.js';
import { isBefore } from '../../binlog/replay-until.js';
import type { ChainedBackup, ChainModel, ChainPosition } from '../../catalog/chain.js';
import { ReshelveError } from '../../errors.js';
import { allGtids, findGtids } from '../load/restore-target.js';

export type LoggedEnd = Exclude<ReplayEnd, { kind: 'instant' }>;

/** Of the newest chain that has it. Throws CHAIN_GAP, with the nearest ones that can be had. */
export async function linksWith(
  chains: ChainModel,
  end: LoggedEnd,
  directory: string,
): Promise<readonly [ChainedBackup, ...ChainedBackup[]]> {
  const logged: ChainedBackup[] = [];
  for (const { incrementals } of chains.chains().reverse()) {
    for (const link of incrementals) {
      if (link.step?.method !== 'binlog') continue;
      const { links } = chains.pathTo(link);
      if (links === undefined) continue;
      if (await holds(link, end, directory)) return links;
      logged.push(link);
    }
  }
  const what =
    end.kind === 'position'
      ? `the place ${end.place.file}:${end.place.position}`
      : `a transaction ${end.gtid} of this database`;
  const nearest =
    end.kind === 'position'
      ? nearestPlaces(logged, end.place)
      : await nearestTransactions(logged, end.gtid, directory);
  const named = nearest.length === 0 ? '' : `; ${nearestWords(nearest)}`;
  throw new ReshelveError(
    'CHAIN_GAP',
    `no incremental that can be restored holds ${what}${named}`,
    {
      hint: 'Run `reshelve events` to see what there is; `reshelve incremental` fetches what is newer.',
    },
  );
}

/** Of one or two options that name states which can be had. */
export function nearestWords(options: readonly string[]): string {
  const opening = options.length === 1 ? 'one that can is' : 'ones that can are';
  return `the nearest ${opening} ${options.join(' and ')}`;
}

async function holds(link: ChainedBackup, end: LoggedEnd, directory: string): Promise<boolean> {
  if (end.kind !== 'position') {
    return (await findGtids(join(directory, link.file), new Set([end.gtid]))).size > 0;
  }
  const [from, to] = [placeOf(link.step?.from), placeOf(link.end)];
  if (from === undefined || to === undefined) return false;
  return !isBefore(end.place, from) && !isBefore(to, end.place);
}

function placeOf(position: ChainPosition | undefined): ReplayPosition | undefined {
  const { binlogFile, binlogPosition } = position ?? { binlogFile: null, binlogPosition: null };
  if (binlogFile === null || binlogPosition === null) return undefined;
  return { file: binlogFile, position: binlogPosition };
}

/** The end of what lies before the place, and the beginning of what lies behind it. */
function nearestPlaces(links: readonly ChainedBackup[], wanted: ReplayPosition): string[] {
  let before: ReplayPosition | undefined;
  let after: ReplayPosition | undefined;
  for (const link of links) {
    const [from, to] = [placeOf(link.step?.from), placeOf(link.end)];
    if (to !== undefined && isBefore(to, wanted)) {
      if (before === undefined || isBefore(before, to)) before = to;
    }
    if (from !== undefined && isBefore(wanted, from)) {
      if (after === undefined || isBefore(from, after)) after = from;
    }
  }
  return [before, after].flatMap((place) =>
    place === undefined ? [] : [`--to-position ${place.file}:${place.position}`],
  );
}

/** A transaction of another database has none of its own here: its state is that after the one before it. */
async function nearestTransactions(
  links: readonly ChainedBackup[],
  wanted: string,
  directory: string,
): Promise<string[]> {
  const nearest = new NearestGtids(wanted);
  for (const { file } of links) {
    for await (const gtid of allGtids(join(directory, file))) nearest.add(gtid);
  }
  const { before, after } = nearest.neighbours;
  return [
    ...(before === undefined ? [] : [`--to-gtid ${before}`]),
    ...(after === undefined ? [] : [`--before-gtid ${after}`]),
  ];
}
