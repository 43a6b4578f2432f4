/** Bounds work under way both by count and by bytes; who asks first is served first. */
import { assert } from '../errors.js';

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * A piece of work larger than the whole budget is admitted when nothing else is under way, so it
 * waits, but not for ever.
 */
export class WorkBudget {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #waiting: Waiter[] = [];
  #count = 0;
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    assert(countMax >= 1 && bytesMax >= 1, 'a budget admits something');
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  /** Resolves once the work may start; {@link release} the same bytes when it is over. */
  async acquire(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push({ bytes, admit: resolve });
    });
  }

  release(bytes: number): void {
    this.#count -= 1;
    this.#bytes -= bytes;
    assert(this.#count >= 0 && this.#bytes >= 0, 'only what was acquired is released');
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#fits(next.bytes)) return;
      this.#waiting.shift();
      this.#take(next.bytes);
      next.admit();
    }
  }

  #fits(bytes: number): boolean {
    if (this.#count === 0) return true;
    return this.#count < this.#countMax && this.#bytes + bytes <= this.#bytesMax;
  }

  #take(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
  }
}
