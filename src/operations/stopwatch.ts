/** Measures the steps of a run one after the other. */

export interface TimedStep {
  readonly name: string;
  readonly durationMs: number;
}

export class Stopwatch {
  readonly #steps: TimedStep[] = [];
  #lastMs = performance.now();

  /** Everything since the step before (or the start) was step `name`. */
  lap(name: string): void {
    const nowMs = performance.now();
    this.#steps.push({ name, durationMs: Math.round(nowMs - this.#lastMs) });
    this.#lastMs = nowMs;
  }

  get steps(): readonly TimedStep[] {
    return this.#steps;
  }
}
