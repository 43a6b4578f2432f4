/**
 * What a database consists of, read from the server: tables with their columns and keys, and every
 * stored object with the session state that it was created under. Nothing is interpreted here.
 */
import type { ColumnFacts } from '../sql/column-plan.js';
import type { DatabaseDefaults } from '../sql/database-defaults.js';

export interface ColumnRecord extends ColumnFacts {
  readonly nullable: boolean;
}

export interface KeyRecord {
  readonly name: string;
  readonly columns: readonly string[];
  /** Ascending, no prefix, no expression, no NULL: every row has its own place in this key. */
  readonly identifiesRows: boolean;
}

export type TableKind = 'table' | 'system-versioned';

export interface TableRecord {
  readonly name: string;
  readonly kind: TableKind;
  readonly engine: string;
  readonly transactional: boolean;
  /** Estimates of the server; only for planning. */
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
  readonly columns: readonly ColumnRecord[];
  readonly uniqueKeys: readonly KeyRecord[];
  /** SHOW CREATE TABLE to the letter, in utf8mb4 (see exact-definition.ts). */
  readonly createStatement: Buffer;
  /** Columns of whose members or default the server did not tell what a printed `?` stands for. */
  readonly uncertainColumns: readonly string[];
}

export type ObjectType =
  | 'view'
  | 'procedure'
  | 'function'
  | 'package'
  | 'package body'
  | 'trigger'
  | 'event'
  | 'sequence'
  | 'library';

/** What accounts may hold rights on one by one, which DROP PROCEDURE and its like take along. */
export const CALLABLE_TYPES: ReadonlySet<string> = new Set([
  'procedure',
  'function',
  'package',
  'package body',
  'library',
] satisfies ObjectType[]);

export interface StoredObject {
  readonly type: ObjectType;
  readonly name: string;
  /** The table of a trigger. */
  readonly table?: string;
  /** SHOW CREATE, in the bytes of `characterSetClient`. */
  readonly createStatement: Buffer;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  /** The database's default collation when the object was created; null for views. */
  readonly databaseCollation: string | null;
  /** Events only. */
  readonly timeZone?: string;
  /** Why the server itself cannot use the object (a view whose table is gone). */
  readonly broken?: string;
  /** Sequences only: the statement that puts the counter where it was. */
  readonly stateStatement?: string;
}

export interface DatabaseSchema extends DatabaseDefaults {
  readonly name: string;
  readonly tables: readonly TableRecord[];
  readonly objects: readonly StoredObject[];
}
