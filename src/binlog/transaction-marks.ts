/** Which transactions somebody who looks for a mistake wants to see first. Pure. */
import type { TableChanges } from '../archive/index-types.js';
import type { LoggedTransaction } from './logged-transaction.js';

/** From so many rows of one table on a DELETE or an UPDATE is a mass one, whatever the table holds. */
export const MASS_ROWS = 1000;
/** So is one of at least half of the table, from so many rows on. */
export const MASS_SHARE_ROWS = 10;

export interface Mark {
  readonly kind: 'drop' | 'truncate' | 'drop-part' | 'mass-delete' | 'mass-update';
  /** Null where the statement names none. */
  readonly table: string | null;
  /** Rows of a mass change; and how many the table held before, where that is known. */
  readonly rows?: number;
  readonly of?: number;
}

export function marksOf(transaction: LoggedTransaction, sizes: TableSizes): Mark[] {
  const { ddl, statement, tables } = transaction;
  if (ddl === 'drop' || ddl === 'truncate') {
    const names = tables.length === 0 ? [null] : tables.map(({ name }) => name);
    return names.map((table) => ({ kind: ddl, table, ...known(sizes, table) }));
  }
  const marks: Mark[] = [];
  if (ddl === 'alter' && statement?.endsWith(DROPS_PART) === true) {
    marks.push(...tables.map(({ name }) => ({ kind: 'drop-part' as const, table: name })));
  }
  for (const { name, deleted, updated } of tables) {
    const { of } = known(sizes, name);
    const whole = of === undefined ? {} : { of: Math.max(of, deleted, updated) };
    if (isMass(deleted, of))
      marks.push({ kind: 'mass-delete', table: name, rows: deleted, ...whole });
    if (isMass(updated, of))
      marks.push({ kind: 'mass-update', table: name, rows: updated, ...whole });
  }
  return marks;
}

/** Ends the description of an ALTER TABLE that takes a column or a partition away. */
export const DROPS_PART = '… DROP';

function isMass(rows: number, of: number | undefined): boolean {
  if (rows >= MASS_ROWS) return true;
  return of !== undefined && rows >= MASS_SHARE_ROWS && rows * 2 >= of;
}

function known(sizes: TableSizes, table: string | null): { readonly of?: number } {
  const of = table === null ? undefined : sizes.of(table);
  return of === undefined ? {} : { of };
}

/** How many rows each table holds, as far as backups and the log after them tell. */
export class TableSizes {
  readonly #rows = new Map<string, number>();

  /** A backup describes the whole state. */
  reset(tables: readonly { readonly name: string; readonly rows: number }[]): void {
    this.#rows.clear();
    for (const { name, rows } of tables) this.#rows.set(name, rows);
  }

  of(table: string): number | undefined {
    return this.#rows.get(table);
  }

  /** Nothing is known any more: a part of the log is missing. */
  forget(): void {
    this.#rows.clear();
  }

  apply({ ddl, tables }: LoggedTransaction): void {
    for (const { name, inserted, deleted } of tables) {
      if (ddl === 'drop' || ddl === 'rename') this.#rows.delete(name);
      else if (ddl === 'truncate' || ddl === 'create') this.#rows.set(name, inserted);
      else this.#add(name, inserted - deleted);
    }
  }

  /** Many transactions at once; what a definition did to a table is not known from their sum. */
  applySum(tables: readonly TableChanges[]): void {
    for (const { name, inserted, deleted, ddl } of tables) {
      if (ddl) this.#rows.delete(name);
      else this.#add(name, inserted - deleted);
    }
  }

  #add(table: string, rows: number): void {
    const before = this.#rows.get(table);
    if (before !== undefined) this.#rows.set(table, Math.max(0, before + rows));
  }
}
