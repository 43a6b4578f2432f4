/** Which logged transactions a replay takes, and where it stops. Pure. */
import type { Marker } from './marker.js';

export interface ReplayPosition {
  readonly file: string;
  readonly position: number;
}

export type ReplayEnd =
  /** Committed at or before the instant, in µs since the epoch. */
  | { readonly kind: 'instant'; readonly instant: bigint }
  /** Up to and including the transaction. */
  | { readonly kind: 'gtid'; readonly gtid: string }
  | { readonly kind: 'before-gtid'; readonly gtid: string }
  /** Transactions that begin before the place in the log. */
  | { readonly kind: 'position'; readonly place: ReplayPosition };

export type ReplayVerdict = 'apply' | 'skip' | 'stop';

/**
 * Judges marker after marker in the order of the log. Once it says `stop` it always does: what comes
 * later in the log is never applied, even where a clock made its time earlier.
 */
export class ReplayUntil {
  readonly #end: ReplayEnd | undefined;
  readonly #skipped: ReadonlySet<string>;
  readonly #missing: Set<string>;
  #verdict: ReplayVerdict = 'apply';
  #isPast = false;
  #isFound = false;

  constructor(end: ReplayEnd | undefined, skipped: readonly string[] = []) {
    this.#end = end;
    this.#skipped = new Set(skipped);
    this.#missing = new Set(skipped);
  }

  get end(): ReplayEnd | undefined {
    return this.#end;
  }

  get skipped(): readonly string[] {
    return [...this.#skipped];
  }

  /** The same judge, for going through the log once more. */
  again(): ReplayUntil {
    return new ReplayUntil(this.#end, [...this.#skipped]);
  }

  /** Whether everything that is to be applied has been. */
  get isOver(): boolean {
    return this.#verdict === 'stop';
  }

  /** The transaction at which to end was met; for ends that are not a transaction always true. */
  get isFound(): boolean {
    const kind = this.#end?.kind;
    return this.#isFound || (kind !== 'gtid' && kind !== 'before-gtid');
  }

  /** Transactions to skip that have not been met. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  judge(marker: Marker): ReplayVerdict {
    if (this.#verdict === 'stop') return 'stop';
    // The parts of one transaction share its fate.
    if (marker.continued === true) return this.#verdict;
    this.#verdict = this.#judgeFirst(marker);
    return this.#verdict;
  }

  #judgeFirst(marker: Marker): ReplayVerdict {
    if (this.#isPast || this.#isAfter(marker)) return 'stop';
    if (this.#end?.kind === 'gtid' && marker.gtid === this.#end.gtid) {
      this.#isPast = true;
      this.#isFound = true;
    }
    if (marker.gtid === null || !this.#skipped.has(marker.gtid)) return 'apply';
    this.#missing.delete(marker.gtid);
    return 'skip';
  }

  #isAfter(marker: Marker): boolean {
    const end = this.#end;
    if (end?.kind === 'instant') return latestCommit(marker) > end.instant;
    if (end?.kind === 'position') {
      return !isBefore({ file: marker.file, position: marker.start }, end.place);
    }
    if (end?.kind !== 'before-gtid' || marker.gtid !== end.gtid) return false;
    this.#isFound = true;
    return true;
  }
}

/** Where the server logs whole seconds, a commit may have come at the very end of one. */
export function latestCommit(marker: Marker): bigint {
  return BigInt(marker.at) + (marker.seconds === true ? 999_999n : 0n);
}

/** Log files are numbered; the number alone says which came first. */
export function isBefore(left: ReplayPosition, right: ReplayPosition): boolean {
  const order = sequenceOf(left.file) - sequenceOf(right.file);
  return order === 0 ? left.position < right.position : order < 0;
}

function sequenceOf(file: string): number {
  return Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}
