/**
 * Chains: a full backup and the incrementals that build on it, link by link. Says which states can
 * be had again and which files each of them needs. Pure arithmetic over what archives say of
 * themselves.
 */
import type { Micros } from './instant.js';

export type ChainMethod = 'binlog' | 'ranges';

/** Where in the server's change stream a backup begins or ends. */
export interface ChainPosition {
  readonly binlogFile: string | null;
  readonly binlogPosition: number | null;
  readonly gtidSet: string | null;
}

/** A backup as a chain sees it. */
export interface ChainedBackup {
  readonly id: string;
  readonly type: 'full' | 'incremental';
  /** Relative to BACKUP_DIR. */
  readonly file: string;
  /** The newest state that the backup brings, by the server's clock. */
  readonly snapshotAt: Micros;
  readonly serverUuid: string | null;
  readonly serverFlavour: string;
  /** Where the state of `snapshotAt` stands in the binlog. */
  readonly end: ChainPosition;
  /** Why no incremental can follow by the binlog. */
  readonly endsBinlog?: string;
  /** The file is there, with the size that it was made with. */
  readonly exists: boolean;
  /** No verification has failed. */
  readonly isGood: boolean;
  /** Incrementals only. */
  readonly step?: ChainStep;
}

export interface ChainStep {
  readonly fullId: string;
  readonly previousId: string;
  readonly method: ChainMethod;
  readonly from: ChainPosition;
}

/** The links that a state needs, the full backup first; or why it cannot be had. */
export type ChainPath =
  | { readonly links: readonly [ChainedBackup, ...ChainedBackup[]]; readonly problem?: undefined }
  | { readonly links?: undefined; readonly problem: string };

/** Every instant from `from` to `to`, both included, can be had; of a single state both are equal. */
export interface RecoverableSpan {
  readonly from: Micros;
  readonly to: Micros;
}

interface ReachableSpan extends RecoverableSpan {
  readonly link: ChainedBackup;
  readonly links: readonly [ChainedBackup, ...ChainedBackup[]];
}

export interface Chain {
  readonly full: ChainedBackup;
  /** All that build on it and can be reached, oldest first. */
  readonly incrementals: readonly ChainedBackup[];
  /** Incrementals that cannot be had any more, and why; oldest first. */
  readonly unreachable: readonly UnreachableBackup[];
}

export interface UnreachableBackup {
  readonly link: ChainedBackup;
  readonly reason: string;
}

/**
 * What a wanted instant needs (`isWhole`: all of the last file), or the nearest ones that can be had
 * on either side.
 */
export type InstantAnswer =
  | { readonly links: readonly [ChainedBackup, ...ChainedBackup[]]; readonly isWhole: boolean }
  | { readonly links?: undefined; readonly before?: Micros; readonly after?: Micros };

export class ChainModel {
  readonly #byId: ReadonlyMap<string, ChainedBackup>;
  readonly #links: readonly ChainedBackup[];

  /** @param links of one database; in any order, each id once. */
  constructor(links: readonly ChainedBackup[]) {
    this.#byId = new Map(links.map((link) => [link.id, link]));
    this.#links = [...links].sort(
      (left, right) =>
        byInstant(left, right) || this.#depth(left) - this.#depth(right) || byId(left, right),
    );
  }

  link(id: string): ChainedBackup | undefined {
    return this.#byId.get(id);
  }

  /** An incremental may be of the very instant of what it builds on, and still is the newer one. */
  #depth(link: ChainedBackup): number {
    let depth = 0;
    for (let at = link; at.step !== undefined && depth <= this.#byId.size; depth += 1) {
      const previous = this.#byId.get(at.step.previousId);
      if (previous === undefined) break;
      at = previous;
    }
    return depth;
  }

  /** Walks from a backup back to its full one; every file and every link on the way must be good. */
  pathTo(target: ChainedBackup): ChainPath {
    const links: ChainedBackup[] = [];
    for (let link: ChainedBackup = target; ;) {
      const broken = ownProblem(link);
      if (broken !== undefined) return { problem: broken };
      links.unshift(link);
      if (link.step === undefined) break;
      const previous = this.#byId.get(link.step.previousId);
      if (previous === undefined) {
        return { problem: `the backup that ${link.file} builds on is not there any more` };
      }
      const problem = linkProblem(previous, link);
      if (problem !== undefined) return { problem };
      if (links.includes(previous)) return { problem: `${link.file} builds on itself` };
      link = previous;
    }
    const [full, ...others] = links;
    if (full === undefined) return { problem: 'there is no backup' };
    const stranger = others.find((link) => link.step?.fullId !== full.id);
    if (stranger !== undefined) {
      return { problem: `${stranger.file} says that it belongs to another full backup` };
    }
    return { links: [full, ...others] };
  }

  /** The newest state that can be had; undefined where there is none. */
  newest(): readonly [ChainedBackup, ...ChainedBackup[]] | undefined {
    for (const link of [...this.#links].reverse()) {
      const { links } = this.pathTo(link);
      if (links !== undefined) return links;
    }
    return undefined;
  }

  /**
   * The end of the newest full backup's chain, which is what the next incremental builds on; undefined where
   * there is none. An older chain may have gone on beyond that full backup.
   */
  tip(): readonly [ChainedBackup, ...ChainedBackup[]] | undefined {
    const full = this.newestFull();
    if (full === undefined) return undefined;
    const last = this.#links.findLast(
      (link) => link.step?.fullId === full.id && this.pathTo(link).links !== undefined,
    );
    return this.pathTo(last ?? full).links;
  }

  /** Of those that can be had. */
  newestFull(): ChainedBackup | undefined {
    return this.#links.findLast(
      (link) => link.type === 'full' && this.pathTo(link).links !== undefined,
    );
  }

  /** It can be had, and nothing builds on it yet. */
  isEnd(id: string): boolean {
    const link = this.#byId.get(id);
    if (link === undefined || this.pathTo(link).links === undefined) return false;
    return !this.#links.some(
      (other) => other.step?.previousId === id && this.pathTo(other).links !== undefined,
    );
  }

  /** What can be had, as few spans as possible, oldest first; between them are the gaps. */
  spans(): RecoverableSpan[] {
    const spans: RecoverableSpan[] = [];
    for (const { from, to } of this.#reachable().sort(bySpan)) {
      const last = spans.at(-1);
      if (last === undefined || from > last.to) spans.push({ from, to });
      else if (to > last.to) spans[spans.length - 1] = { from: last.from, to };
    }
    return spans;
  }

  /** The files for the state at an instant: of several ways the one with the newest full backup. */
  at(instant: Micros): InstantAnswer {
    const reachable = this.#reachable();
    const [best] = reachable
      .filter(({ from, to }) => from <= instant && instant <= to)
      .sort(
        (left, right) =>
          oldestFirst(right.links[0], left.links[0]) || left.links.length - right.links.length,
      );
    if (best !== undefined) {
      return { links: best.links, isWhole: best.link.snapshotAt === instant };
    }
    const before = greatest(reachable.map(({ to }) => to).filter((to) => to < instant));
    const after = least(reachable.map(({ from }) => from).filter((from) => from > instant));
    return {
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    };
  }

  /** One chain for each full backup, oldest first. */
  chains(): Chain[] {
    return this.#links
      .filter((link) => link.type === 'full')
      .map((full) => {
        const own = this.#links.filter((link) => link.step?.fullId === full.id);
        return {
          full,
          incrementals: own.filter((link) => this.pathTo(link).links !== undefined),
          unreachable: this.#unreachable(own),
        };
      });
  }

  /** Incrementals whose full backup is not known at all. */
  orphans(): UnreachableBackup[] {
    return this.#unreachable(
      this.#links.filter((link) => link.step !== undefined && !this.#byId.has(link.step.fullId)),
    );
  }

  #unreachable(links: readonly ChainedBackup[]): UnreachableBackup[] {
    return links.flatMap((link) => {
      const { problem } = this.pathTo(link);
      return problem === undefined ? [] : [{ link, reason: problem }];
    });
  }

  #reachable(): ReachableSpan[] {
    return this.#links.flatMap((link) => {
      const { links } = this.pathTo(link);
      if (links === undefined) return [];
      const previous = link.step?.method === 'binlog' ? links.at(-2) : undefined;
      const from = previous === undefined ? link.snapshotAt : previous.snapshotAt;
      return [{ link, links, from, to: link.snapshotAt }];
    });
  }
}

function ownProblem(link: ChainedBackup): string | undefined {
  if (!link.exists) return `${link.file} is missing or not the file that was made`;
  if (!link.isGood) return `${link.file} failed its verification`;
  return undefined;
}

/** Why `link` does not follow on `previous`, whatever it says; undefined where it does. */
export function linkProblem(previous: ChainedBackup, link: ChainedBackup): string | undefined {
  const { step } = link;
  if (step === undefined) return `${link.file} is a full backup and follows on nothing`;
  if (link.snapshotAt < previous.snapshotAt) {
    return `${link.file} is of an earlier instant than ${previous.file}, which it builds on`;
  }
  if (previous.serverFlavour !== link.serverFlavour) {
    return `${link.file} is of ${link.serverFlavour} but ${previous.file} of ${previous.serverFlavour}`;
  }
  return step.method === 'ranges'
    ? comparisonProblem(previous, link)
    : binlogProblem(previous, link, step);
}

/** What is compared is the state that an archive describes; one of the binlog describes none. */
function comparisonProblem(previous: ChainedBackup, link: ChainedBackup): string | undefined {
  if (previous.step?.method !== 'binlog') return undefined;
  return `${link.file} was made by comparison, but ${previous.file} has no state to compare with`;
}

function binlogProblem(
  previous: ChainedBackup,
  link: ChainedBackup,
  step: ChainStep,
): string | undefined {
  if (previous.endsBinlog !== undefined) {
    return `nothing can follow on ${previous.file}: ${previous.endsBinlog}`;
  }
  const samePlace =
    step.from.binlogFile === previous.end.binlogFile &&
    step.from.binlogPosition === previous.end.binlogPosition;
  if (previous.serverUuid === link.serverUuid && !samePlace) {
    return (
      `${link.file} begins at ${describePosition(step.from)} but ${previous.file} ends at ` +
      describePosition(previous.end)
    );
  }
  // On another server (a failover) positions mean nothing, and only the GTID set carries on.
  const sameSet = step.from.gtidSet !== null && step.from.gtidSet === previous.end.gtidSet;
  if (previous.serverUuid !== link.serverUuid && !sameSet) {
    return `${link.file} is of another server than ${previous.file}, and no GTID set joins them`;
  }
  return undefined;
}

export function describePosition({ binlogFile, binlogPosition, gtidSet }: ChainPosition): string {
  if (binlogFile !== null) return `${binlogFile}:${binlogPosition ?? '?'}`;
  return gtidSet === null ? 'no known position' : `GTID set ${gtidSet}`;
}

function oldestFirst(left: ChainedBackup, right: ChainedBackup): number {
  return byInstant(left, right) || byId(left, right);
}

function byInstant(left: ChainedBackup, right: ChainedBackup): number {
  if (left.snapshotAt === right.snapshotAt) return 0;
  return left.snapshotAt < right.snapshotAt ? -1 : 1;
}

function byId(left: ChainedBackup, right: ChainedBackup): number {
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}

function bySpan(left: RecoverableSpan, right: RecoverableSpan): number {
  if (left.from !== right.from) return left.from < right.from ? -1 : 1;
  return 0;
}

function greatest(instants: readonly Micros[]): Micros | undefined {
  return instants.reduce<Micros | undefined>(
    (most, one) => (most === undefined || one > most ? one : most),
    undefined,
  );
}

function least(instants: readonly Micros[]): Micros | undefined {
  return instants.reduce<Micros | undefined>(
    (most, one) => (most === undefined || one < most ? one : most),
    undefined,
  );
}
