/**
 * Chains: a full backup and the incrementals that build on it, link by link. Says which states can
 * be had again and which files each of them needs. Pure arithmetic over what archives say of
 * themselves.
 */
import { linkProblem, ownProblem, reaches } from './chain-link.js';
import type { ChainedBackup } from './chain-link.js';
import type { Micros } from './instant.js';

export { describePosition, linkProblem } from './chain-link.js';
export type { ChainedBackup, ChainMethod, ChainPosition } from './chain-link.js';

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
}

export interface Chain {
  readonly full: ChainedBackup;
  /** All that build on it and can be reached, oldest first. */
  readonly incrementals: readonly ChainedBackup[];
  /** Incrementals that cannot be had any more, and why; oldest first. */
  readonly unreachable: readonly UnreachableBackup[];
}

export interface ChainBefore {
  readonly full: ChainedBackup;
  readonly last: ChainedBackup;
  /** The first incremental whose changes go up to the later full backup's place or beyond. */
  readonly reaching?: ChainedBackup;
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
  readonly #problems = new Map<ChainedBackup, string | undefined>();

  /** @param links of one database; in any order, each id once. */
  constructor(links: readonly ChainedBackup[]) {
    this.#byId = new Map(links.map((link) => [link.id, link]));
    this.#links = [...links].sort(
      (left, right) =>
        byInstant(left, right) ||
        byInstant(this.#fullOf(left), this.#fullOf(right)) ||
        this.#depth(left) - this.#depth(right) ||
        byId(left, right),
    );
  }

  /** What closes a chain is of the very instant of the next full backup, and that one is newer. */
  #fullOf(link: ChainedBackup): ChainedBackup {
    return this.#byId.get(link.step?.fullId ?? link.id) ?? link;
  }

  link(id: string): ChainedBackup | undefined {
    return this.#byId.get(id);
  }

  /** An incremental may be of the very instant of what it builds on, and still is the newer one. */
  #depth(link: ChainedBackup): number {
    let depth = 0;
    let previous = this.#previous(link);
    for (; previous !== undefined && depth <= this.#byId.size; depth += 1) {
      previous = this.#previous(previous);
    }
    return depth;
  }

  /** The files of a state, from the full backup on; every file and every link on the way must be good. */
  pathTo(target: ChainedBackup): ChainPath {
    const problem = this.#problemOf(target);
    if (problem !== undefined) return { problem };
    const links: ChainedBackup[] = [];
    for (let link: ChainedBackup | undefined = target; link !== undefined;) {
      links.push(link);
      link = this.#previous(link);
    }
    const [full, ...others] = links.reverse();
    return full === undefined ? { problem: 'there is no backup' } : { links: [full, ...others] };
  }

  #previous({ step }: ChainedBackup): ChainedBackup | undefined {
    return step === undefined ? undefined : this.#byId.get(step.previousId);
  }

  /** Why a state cannot be had. Asked of every link again and again, so each is judged once. */
  #problemOf(target: ChainedBackup): string | undefined {
    const toJudge: ChainedBackup[] = [];
    const onTheWay = new Set<ChainedBackup>();
    for (let link: ChainedBackup | undefined = target; link !== undefined;) {
      if (this.#problems.has(link)) break;
      if (onTheWay.has(link)) {
        this.#problems.set(link, `${link.file} builds on itself`);
        break;
      }
      onTheWay.add(link);
      toJudge.push(link);
      link = this.#previous(link);
    }
    for (const link of toJudge.reverse()) {
      if (!this.#problems.has(link)) this.#problems.set(link, this.#judge(link));
    }
    return this.#problems.get(target);
  }

  /** What it builds on has been judged before it. */
  #judge(link: ChainedBackup): string | undefined {
    const broken = ownProblem(link);
    if (broken !== undefined || link.step === undefined) return broken;
    const previous = this.#byId.get(link.step.previousId);
    if (previous === undefined) {
      return `the backup that ${link.file} builds on is not there any more`;
    }
    const before = linkProblem(previous, link) ?? this.#problems.get(previous);
    if (before !== undefined) return before;
    return link.step.fullId === (previous.step?.fullId ?? previous.id)
      ? undefined
      : `${link.file} says that it belongs to another full backup`;
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
      (link) => link.step?.fullId === full.id && this.#problemOf(link) === undefined,
    );
    return this.pathTo(last ?? full).links;
  }

  /** Of those that can be had. */
  newestFull(): ChainedBackup | undefined {
    return this.#links.findLast(
      (link) => link.type === 'full' && this.#problemOf(link) === undefined,
    );
  }

  /** It can be had, and nothing builds on it yet. */
  isEnd(id: string): boolean {
    const link = this.#byId.get(id);
    if (link === undefined || this.#problemOf(link) !== undefined) return false;
    return !this.#links.some(
      (other) => other.step?.previousId === id && this.#problemOf(other) === undefined,
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
        ({ link: left }, { link: right }) =>
          oldestFirst(this.#fullOf(right), this.#fullOf(left)) ||
          this.#depth(left) - this.#depth(right),
      );
    const { links } = best === undefined ? {} : this.pathTo(best.link);
    if (best !== undefined && links !== undefined) {
      return { links, isWhole: best.link.snapshotAt === instant };
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
          incrementals: own.filter((link) => this.#problemOf(link) === undefined),
          unreachable: this.#unreachable(own),
        };
      });
  }

  /**
   * The chain before a full backup and how it comes to that one's place in the log: undefined where
   * none of the same server has incrementals of the binlog.
   */
  before(full: ChainedBackup): ChainBefore | undefined {
    const chain = this.chains().findLast(
      (one) =>
        byInstant(one.full, full) < 0 &&
        one.full.serverUuid === full.serverUuid &&
        one.incrementals.some(({ step }) => step?.method === 'binlog'),
    );
    const last = chain?.incrementals.at(-1);
    if (chain === undefined || last?.step?.method !== 'binlog') return undefined;
    const reaching = chain.incrementals.find((link) => reaches(link, full.end));
    return { full: chain.full, last, ...(reaching === undefined ? {} : { reaching }) };
  }

  /** Incrementals whose full backup is not known at all. */
  orphans(): UnreachableBackup[] {
    return this.#unreachable(
      this.#links.filter((link) => link.step !== undefined && !this.#byId.has(link.step.fullId)),
    );
  }

  #unreachable(links: readonly ChainedBackup[]): UnreachableBackup[] {
    return links.flatMap((link) => {
      const reason = this.#problemOf(link);
      return reason === undefined ? [] : [{ link, reason }];
    });
  }

  #reachable(): ReachableSpan[] {
    return this.#links.flatMap((link) => {
      if (this.#problemOf(link) !== undefined) return [];
      const previous = link.step?.method === 'binlog' ? this.#previous(link) : undefined;
      const from = previous === undefined ? link.snapshotAt : previous.snapshotAt;
      return [{ link, from, to: link.snapshotAt }];
    });
  }
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
