/** Where writers wait while nobody may write. */
export class Gate {
  #isOpen = false;
  #isOver = false;
  #tokens = 0;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #watchers = new Set<() => void>();
  readonly #writers: number;

  constructor(writers: number) {
    this.#writers = writers;
  }

  /** Lets all writers on for that many transactions together. */
  open(transactions: number): void {
    this.#isOpen = true;
    this.#tokens = transactions;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  close(): void {
    this.#isOpen = false;
  }

  /** Writers end once they ask again. */
  end(): void {
    this.#isOver = true;
    this.open(0);
  }

  /** A writer that ends before its time never waits, and nobody may wait for it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const tell of this.#watchers) tell();
    this.#watchers.clear();
  }

  /** Until every writer waits. */
  async settled(): Promise<void> {
    while (this.#waiting.size < this.#writers) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** A writer asks before each transaction; false when it is to end. */
  async takeToken(): Promise<boolean> {
    while (!this.#isOver && (!this.#isOpen || this.#tokens <= 0)) await this.#wait();
    this.#tokens -= 1;
    return !this.#isOver;
  }

  /** A writer may also wait within a transaction. */
  async pass(): Promise<void> {
    while (!this.#isOver && (!this.#isOpen || this.#tokens <= 0)) await this.#wait();
  }

  async #wait(): Promise<void> {
    const woken = new Promise<void>((resolve) => this.#waiting.add(resolve));
    for (const tell of this.#watchers) tell();
    this.#watchers.clear();
    await woken;
  }
}
