/** What a name is, and the state that finding it needs. */

export type NameRole =
  /** A table, view or sequence. */
  | 'relation'
  /** A routine, trigger or event where it is defined, or a procedure that is called. */
  | 'routine'
  /** A stored function called in an expression. */
  | 'function'
  | 'column';

export interface NamePart {
  readonly start: number;
  readonly end: number;
  /** The name without quotes; `*` for all columns. */
  readonly name: string;
  readonly isQuoted: boolean;
}

export interface SqlName {
  /** One part or more, as joined by dots. */
  readonly parts: readonly NamePart[];
  readonly role: NameRole;
}

/** State inside one pair of parentheses, or outside of all. */
export interface Frame {
  /** The next name is a table's. */
  tableNext: boolean;
  /** A comma or JOIN leads to another table. */
  inTableList: boolean;
  hasSelect: boolean;
}

export function newFrame(isTableList: boolean): Frame {
  return { tableNext: isTableList, inTableList: isTableList, hasSelect: false };
}

export function expectTables(frame: Frame, isExpected: boolean): true {
  frame.tableNext = isExpected;
  if (isExpected) frame.inTableList = true;
  return true;
}
