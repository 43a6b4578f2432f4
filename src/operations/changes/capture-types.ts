/** What the reading of the binlog is asked for and what it gives back (capture-binlog.ts). */
import type { ArchiveWriter } from '../../archive/archive-writer.js';
import type {
  BinlogPlace,
  BinlogState,
  ServerCoordinates,
  TableChanges,
} from '../../archive/index-types.js';

export interface CaptureRequest {
  /** The end of the archive before: `coordinates` and `serverUuid` of its header. */
  readonly from: ServerCoordinates;
  /** Of the same header; undefined where that archive has none. */
  readonly binlog: BinlogState | undefined;
  /** `serverFlavour` of the same header. */
  readonly flavour: string;
  /** Takes the `change` members; its header member has been written. */
  readonly writer: ArchiveWriter;
  /** Where to end; the newest complete transaction where it is left out. */
  readonly until?: CaptureEnd;
}

/** A place between two transactions, and the instant that the server's clock showed there. */
export interface CaptureEnd {
  readonly place: BinlogPlace;
  readonly at: Date;
}

export interface CaptureTotals {
  /** Written: transactions and single statements that touch the database. */
  readonly transactions: number;
  /** Seen in the log, those of other databases included. */
  readonly seen: number;
  /** Written: those that hold changes of rows as text (binlog_format). */
  readonly inText: number;
  /** Bytes of the log that were read. */
  readonly logBytes: number;
  readonly tables: readonly TableChanges[];
}

export interface Captured {
  readonly kind: 'captured';
  /** For the header: `coordinates`, `serverUuid`, `binlog`, `snapshotAt`. */
  readonly end: ServerCoordinates;
  readonly binlog: BinlogState;
  /** Everything committed up to then is in the archive. */
  readonly completeUntil: Date;
  readonly totals: CaptureTotals;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export const CHAIN_BREAKS = [
  /** No coordinates were recorded, or not enough of them. */
  'no-coordinates',
  'other-server',
  /** The file was deleted by age or by hand. */
  'purged',
  /** The file is another one now, or shorter than it was: RESET, or a restored server. */
  'reset',
  'flavour',
  /** The chain before has already ended in a statement that cannot be replayed. */
  'unreplayable',
  /** The database is gone, and its end is not in the log. */
  'not-there',
  /** The server reports lost events. */
  'incident',
  'binlog-off',
  'privilege',
  /** The log does not come to the place where the capture was to end. */
  'end-not-met',
] as const;
export type ChainBreakReason = (typeof CHAIN_BREAKS)[number];

/** No change can be captured: the old chain stays restorable to its end, a new full is needed. */
export interface ChainBreak {
  readonly kind: 'break';
  readonly reason: ChainBreakReason;
  /** For the user; without a full stop. */
  readonly message: string;
}

/**
 * A capture that met what cannot be replayed ends right before it: it is `captured`, and
 * `binlog.unreplayable` says why nothing can follow.
 */
export type CaptureResult = Captured | ChainBreak;
