/** Random numbers that are the same on every machine, so that the same seed gives the same rows. */

/** Mulberry32 (public domain, Tommy Ettinger): small, fast, and good enough for sample data. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** At least 0 and less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, at least 0 and less than `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A whole number, `low` and `high` included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** Like {@link below}, but small numbers come often: few books are lent by most readers. */
  popular(limit: number): number {
    return Math.floor(this.next() ** 2.5 * limit);
  }
}

/** A row's own random numbers: row 7 is the same whether or not row 6 was made before it. */
export function randomForRow(seed: number, table: number, row: number): Random {
  const mixed = Math.imul(seed ^ Math.imul(table, 0x9e3779b1), 0x85ebca6b);
  return new Random(mixed ^ Math.imul(row, 0xc2b2ae35));
}
