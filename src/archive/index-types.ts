/**
 * What the index of an archive holds. The field names are those of the JSON in the file and are for
 * ever (docs/FORMAT.md). Counts and lengths are exact whole numbers; lengths are in bytes.
 */
import type { MemberKind } from './member-kinds.js';

export type ArchiveType = 'full' | 'incremental';

/** How a text-protocol value became a literal, so that it can be inverted to row bytes. */
export const COLUMN_ENCODINGS = [
  'number',
  'real',
  'text',
  'binary',
  'json',
  'charset',
  'default',
] as const;
export type ColumnEncoding = (typeof COLUMN_ENCODINGS)[number];

export const OBJECT_TYPES = [
  'view',
  'trigger',
  'procedure',
  'function',
  'package',
  'package body',
  'event',
  'sequence',
  'library',
] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

/** Order-free digest over rows: 16 lower-case hexadecimal digits each. */
export interface Digest {
  /** Sum of the rows' XXH64 hashes modulo 2^64. */
  readonly sum: string;
  /** Exclusive or of the same hashes. */
  readonly xor: string;
}

export interface Coordinates {
  readonly binlogFile: string | null;
  readonly binlogPosition: number | null;
  readonly gtidSet: string | null;
}

export interface ArchiveWarning {
  readonly code: string;
  readonly message: string;
}

export interface Totals {
  readonly rows: number;
  readonly tables: number;
  /** SQL bytes of all members that the index lists. */
  readonly sqlBytes: number;
  /** Bytes of the longest statement, its `;` and line break included. */
  readonly longestStatement: number;
}

export interface IndexHeader {
  /** UUID of this archive. */
  readonly id: string;
  readonly type: ArchiveType;
  readonly database: string;
  readonly characterSet: string;
  readonly collation: string;
  readonly serverVersion: string;
  /** `mysql` or `mariadb`, or another name that the server gives itself. */
  readonly serverFlavour: string;
  readonly serverUuid: string | null;
  readonly toolVersion: string;
  /** ISO 8601, UTC, as are the next two. */
  readonly startedAt: string;
  /** The instant that the data shows. */
  readonly snapshotAt: string;
  readonly finishedAt: string;
  /** Identifier of the way in which one instant was reached, and the same in words. */
  readonly consistency: string;
  readonly consistencyNote: string;
  readonly coordinates: Coordinates;
  /** `time_zone` and `sql_mode` that the session must have while loading. */
  readonly timeZone: string;
  readonly sqlMode: string;
  readonly warnings: readonly ArchiveWarning[];
  readonly totals: Totals;
}

export interface ColumnEntry {
  readonly name: string;
  /** The SELECT list item whose text-protocol bytes were hashed and stored. */
  readonly expression: string;
  readonly encoding: ColumnEncoding;
  /** Introducer of `charset` literals, such as `_sjis`. */
  readonly introducer?: string;
}

export interface TableEntry {
  readonly name: string;
  readonly engine: string;
  readonly transactional: boolean;
  /** MariaDB: the rows are those of all times (`FOR SYSTEM_TIME ALL`). */
  readonly versioned?: boolean;
  /** Decimal digits, because the counter may exceed 2^53. */
  readonly autoIncrement?: string;
  /** Of the CREATE TABLE text: 64 lower-case hexadecimal digits. */
  readonly definitionSha256: string;
  /** The stored columns in the order of the INSERT statements. */
  readonly columns: readonly ColumnEntry[];
  /** Columns of the key that the ranges follow, or null where there is none. */
  readonly key: readonly string[] | null;
  readonly rows: number;
  readonly digest: Digest;
}

/** Rows with `lower <= key < upper`; null is no bound on that side. */
export interface RangeEntry extends Digest {
  readonly table: string;
  /** 0, 1, 2 … within the table, in key order. */
  readonly ordinal: number;
  /** SQL literals, one for each key column. */
  readonly lower: readonly string[] | null;
  readonly upper: readonly string[] | null;
  readonly rows: number;
}

export interface ObjectReference {
  readonly type: ObjectType;
  readonly name: string;
}

export interface ObjectEntry extends ObjectReference {
  /** The table of a trigger. */
  readonly table?: string;
  readonly definitionSha256: string;
  /** Why the object cannot be loaded (its member then holds it as a comment only). */
  readonly broken?: string;
}

export interface MemberEntry {
  readonly number: number;
  readonly kind: MemberKind;
  /** Where the member starts in the file. */
  readonly offset: number;
  /** Bytes in the file, gzip header and trailer included. */
  readonly storedLength: number;
  /** Bytes of SQL once inflated. */
  readonly sqlLength: number;
  /** Of the stored bytes: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Of `table` and `data` members. */
  readonly table?: string;
  /** Of `sequence` and `object` members. */
  readonly object?: ObjectReference;
  /** Ordinal of the range of `table` that all rows of this data member belong to. */
  readonly range?: number;
  /** Rows that this data member inserts. */
  readonly rows?: number;
  readonly statements: number;
  /** Bytes of the longest statement, its `;` and line break included. */
  readonly longestStatement: number;
}

export interface ArchiveIndex {
  readonly header: IndexHeader;
  readonly tables: readonly TableEntry[];
  readonly ranges: readonly RangeEntry[];
  readonly objects: readonly ObjectEntry[];
  /** Every member before the index, in file order. */
  readonly members: readonly MemberEntry[];
}
