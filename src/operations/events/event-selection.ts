/** Of any number of transactions the few that are worth showing; memory follows the limit alone. */
import type { Mark } from '../../binlog/transaction-marks.js';
import type { Micros } from '../../catalog/instant.js';

interface Selectable {
  readonly at: Micros;
  readonly marks: readonly Mark[];
}

interface Numbered<T> {
  readonly event: T;
  readonly number: number;
}

/** Marked ones come first; of the others (and of too many marked ones) the nearest or the newest. */
export class EventSelection<T extends Selectable> {
  readonly #limit: number;
  readonly #around: Micros | undefined;
  #marked: Numbered<T>[] = [];
  #others: Numbered<T>[] = [];
  #count = 0;

  constructor(limit: number, around?: Micros) {
    this.#limit = limit;
    this.#around = around;
  }

  /** Takes them in the order of the log. */
  add(event: T): void {
    this.#count += 1;
    const list = event.marks.length > 0 ? this.#marked : this.#others;
    list.push({ event, number: this.#count });
    if (list.length < this.#limit * 2 + 64) return;
    if (list === this.#marked) this.#marked = this.#best(list, this.#limit);
    else this.#others = this.#best(list, this.#limit);
  }

  /** Transactions that were taken, shown or not. */
  get count(): number {
    return this.#count;
  }

  /** In the order of the log. */
  chosen(): T[] {
    const marked = this.#best(this.#marked, this.#limit);
    const others = this.#best(this.#others, this.#limit - marked.length);
    return [...marked, ...others]
      .sort((left, right) => left.number - right.number)
      .map(({ event }) => event);
  }

  #best(list: readonly Numbered<T>[], count: number): Numbered<T>[] {
    const around = this.#around;
    const ranked = [...list].sort((left, right) => {
      if (around === undefined) return right.number - left.number;
      const [near, far] = [distance(left.event.at, around), distance(right.event.at, around)];
      return near === far ? left.number - right.number : near < far ? -1 : 1;
    });
    return ranked.slice(0, count);
  }
}

function distance(left: Micros, right: Micros): Micros {
  return left < right ? right - left : left - right;
}
