/** XA transactions between PREPARE and their decision. */
import type { PendingXa, TableChanges } from '../archive/index-types.js';
import type { Transaction } from './transaction.js';
import type { XaStore } from './xa.js';

interface Held {
  readonly file: string;
  readonly position: number;
  readonly tables: TableChanges[];
  isPrepared: boolean;
}

export interface HeldPiece {
  readonly sql: Buffer;
  /** Of the whole transaction, with its first piece. */
  readonly tables: readonly TableChanges[];
}

export class HeldXa {
  readonly #store: XaStore;
  readonly #held = new Map<string, Held>();

  constructor(store: XaStore) {
    this.#store = store;
  }

  /** Moves what the transaction holds so far out of it. */
  hold(xid: string, transaction: Transaction): void {
    const { sql, tables } = transaction.takeHeld();
    const { file, position } = transaction.start;
    const held = this.#held.get(xid) ?? { file, position, tables: [], isPrepared: false };
    this.#held.set(xid, held);
    if (sql.length > 0) this.#store.append(xid, sql);
    held.tables.push(...tables);
  }

  prepare(xid: string): void {
    const held = this.#held.get(xid);
    if (held !== undefined) held.isPrepared = true;
  }

  isHeld(xid: string): boolean {
    return this.#held.has(xid);
  }

  /** Takes the rows back, a piece at a time; behind the last one they are forgotten. */
  *release(xid: string): Generator<HeldPiece, undefined> {
    let tables: readonly TableChanges[] = this.#held.get(xid)?.tables ?? [];
    for (const sql of this.#store.pieces(xid)) {
      yield { sql, tables };
      tables = [];
    }
    this.drop(xid);
  }

  drop(xid: string): void {
    this.#store.drop(xid);
    this.#held.delete(xid);
  }

  pending(): PendingXa[] {
    return [...this.#held]
      .filter(([, { isPrepared }]) => isPrepared)
      .map(([xid, { file, position }]) => ({ xid, file, position }));
  }
}
