/** Types of events that are told apart by what they mean for a transaction. */
import { EVENT } from './event.js';

/** They bring nothing to replay. */
export const CARRIES_NOTHING: ReadonlySet<number> = new Set([
  EVENT.stop,
  EVENT.heartbeat,
  EVENT.heartbeatV2,
  EVENT.ignorable,
  EVENT.rowsQuery,
  EVENT.previousGtids,
  EVENT.transactionContext,
  EVENT.viewChange,
  EVENT.annotateRows,
  EVENT.binlogCheckpoint,
  EVENT.mariaGtidList,
  EVENT.startEncryption,
  EVENT.transactionPayload,
  // Blocks of a file; LOAD DATA itself comes behind them.
  EVENT.beginLoadQuery,
  EVENT.appendBlock,
  EVENT.deleteFile,
]);

export const OPENS_TRANSACTION: ReadonlySet<number> = new Set([
  EVENT.gtid,
  EVENT.anonymousGtid,
  EVENT.gtidTagged,
  EVENT.mariaGtid,
]);
