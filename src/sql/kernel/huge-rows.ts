/**
 * Kernels for huge rows, which need some two or three times the row's size. All readers of a run
 * share these few, so that memory does not follow the number of readers; and they are used again,
 * because the memory of a kernel that was given up stays until the next garbage collection.
 */
import { Kernel } from './kernel.js';

const AT_ONCE = 2;
/** A kernel that has grown beyond this is given up rather than kept for the next huge row. */
const KEPT_BYTES_MAX = 256 * 2 ** 20;

export class HugeRowKernels {
  readonly #idle: Kernel[] = [];
  readonly #waiting: ((kernel: Kernel) => void)[] = [];
  #lent = 0;

  /** Resolves when a kernel is free; who asks first is served first. {@link release} it. */
  async acquire(): Promise<Kernel> {
    if (this.#lent < AT_ONCE) {
      this.#lent += 1;
      return this.#idle.pop() ?? new Kernel();
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(kernel: Kernel): void {
    const kept = kernel.memoryBytes > KEPT_BYTES_MAX ? new Kernel() : kernel;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(kept);
      return;
    }
    this.#lent -= 1;
    this.#idle.push(kept);
  }
}
