/** What the oracle knows of one database: plain values, made to be compared and printed. */

/** The rows of one table as a multiset. */
export interface RowSet {
  /** The captured expressions, in order: a column's name, or a name with what was taken of it. */
  readonly columns: readonly string[];
  readonly count: number;
  /** Sum modulo 2^256 of the rows' SHA-256, in hex: independent of order, keeps duplicates. */
  readonly digest: string;
  /** Each distinct row and how often it occurs; left out for tables beyond DETAIL_*_MAX. */
  readonly detail?: ReadonlyMap<string, number>;
}

export interface ObjectState {
  /** Everything the server says of the object, by a name that a reader understands. */
  readonly facts: ReadonlyMap<string, string>;
  readonly rows?: RowSet;
}

export interface DatabaseState {
  readonly database: string;
  /** Server version, for messages; not compared. */
  readonly version: string;
  /** Keyed `kind name`, as in `table books` or `trigger books_insert`. */
  readonly objects: ReadonlyMap<string, ObjectState>;
}

/** Between the cells of a row's text; no cell contains it. */
export const CELL_SEPARATOR = '\u001f';
