/** Which GTIDs have been seen: altogether, and since the last member was closed. */
import { GtidSet, MariaDbPosition } from './gtid-set.js';

export class GtidTracker {
  readonly #isMariaDb: boolean;
  /** Undefined where the set at the start is not known: then the sum cannot be either. */
  readonly #all: GtidSet | MariaDbPosition | undefined;
  #since: GtidSet | MariaDbPosition | undefined;

  constructor(flavour: 'mysql' | 'mariadb', atStart: string | null) {
    this.#isMariaDb = flavour === 'mariadb';
    if (atStart !== null) {
      this.#all = this.#isMariaDb ? MariaDbPosition.parse(atStart) : GtidSet.parse(atStart);
    }
  }

  add(gtid: string | null): void {
    if (gtid === null) return;
    this.#all?.add(gtid);
    this.#since ??= this.#isMariaDb ? new MariaDbPosition() : new GtidSet();
    this.#since.add(gtid);
  }

  get text(): string | null {
    return this.#all?.toString() ?? null;
  }

  takeSince(): string | null {
    const text = this.#since?.toString() ?? null;
    this.#since = undefined;
    return text;
  }
}
