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

/** Coordinates together with the server that they are of. */
export interface ServerCoordinates extends Coordinates {
  readonly serverUuid: string | null;
}

/** A transaction prepared by XA and neither committed nor rolled back where the archive ends. */
export interface PendingXa {
  /** As the log writes it: `X'6131',X'',1`. */
  readonly xid: string;
  /** Where reading must start again to find its changes. */
  readonly file: string;
  readonly position: number;
}

/** What a later incremental must find unchanged, and what it must take over. */
export interface BinlogState {
  /**
   * Seconds since the epoch at which the file of the coordinates was begun, as its format
   * description event says; null where REPLICATION SLAVE is missing or there is no file.
   */
  readonly fileCreatedAt: number | null;
  /** `binlog_format` and `gtid_mode`; null where the server has no such variable. */
  readonly format: string | null;
  readonly gtidMode: string | null;
  readonly pendingXa: readonly PendingXa[];
  /** Why no incremental can follow by the binlog (the chain ends here); null where one can. */
  readonly unreplayable: string | null;
}

export const CHAIN_METHODS = ['binlog', 'ranges'] as const;

/** The place of an incremental archive in its chain; ids are those of archives. */
export interface ChainLink {
  readonly fullId: string;
  /** The archive right before this one: the full or an incremental. */
  readonly previousId: string;
  /** `binlog`: the changes as the server logged them. `ranges`: what differed when compared. */
  readonly method: (typeof CHAIN_METHODS)[number];
  /** Where the changes begin: the end of the archive before. */
  readonly from: ServerCoordinates;
  /** One of the many small archives of a continuous capture, to be merged with others. */
  readonly segment?: true;
  /** Ids of the segments that were merged into this one; it has the id of the last of them. */
  readonly merged?: readonly string[];
}

export interface BinlogPlace {
  readonly binlogFile: string;
  readonly position: number;
}

/** Rows changed in one table, and whether its definition was. */
export interface TableChanges {
  readonly name: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly ddl: boolean;
}

/** What one `change` member of an archive of method `binlog` holds. */
export interface ChangeEntry {
  readonly member: number;
  /** Transactions and single statements that begin in this member. */
  readonly transactions: number;
  /** Commit times of the first and last one, µs since the epoch as digits. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Start of the first and end (or start, where it goes on in the next member) of the last. */
  readonly from: BinlogPlace;
  readonly to: BinlogPlace;
  /** GTIDs of the transactions of this member, as a set. */
  readonly gtids: string | null;
  readonly tables: readonly TableChanges[];
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
  /** Of MySQL and of MariaDB, respectively; missing where the server or an older Reshelve has none. */
  readonly defaultEncryption?: boolean;
  readonly databaseComment?: string;
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
  /** Of the snapshot; of an incremental archive, its end. */
  readonly coordinates: Coordinates;
  /** Missing in archives made before there were incrementals. */
  readonly binlog?: BinlogState;
  /** Of incremental archives. */
  readonly chain?: ChainLink;
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
  /** One per `change` member in the order of the file; none in archives of method `ranges`. */
  readonly changes: readonly ChangeEntry[];
  /** Every member before the index, in file order. */
  readonly members: readonly MemberEntry[];
}
