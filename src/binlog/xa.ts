/** Identifiers of XA transactions, and where their rows wait for the decision. */
import type { TableChanges } from '../archive/index-types.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';

export interface XaPrepare {
  /** As in the text of XA statements: `X'6131',X'',1`. */
  readonly xid: string;
  readonly isOnePhase: boolean;
}

export function parseXaPrepare(event: LogEvent): XaPrepare {
  const reader = new FieldReader(event.bytes, 19);
  const isOnePhase = reader.uint(1) !== 0;
  const formatId = reader.int32();
  const globalLength = reader.uint(4);
  const branchLength = reader.uint(4);
  const global = reader.take(globalLength).toString('hex');
  const branch = reader.take(branchLength).toString('hex');
  return { xid: `X'${global}',X'${branch}',${formatId}`, isOnePhase };
}

export interface XaStatement {
  readonly verb: string;
  readonly xid: string;
  readonly isOnePhase: boolean;
}

const XA = /^XA\s+(\w+)\s+(X'[0-9a-f]*'\s*,\s*X'[0-9a-f]*'\s*,\s*-?\d+)(\s+ONE\s+PHASE)?/i;

/** The servers log XA statements in a form of their own, whatever the client wrote. */
export function parseXaStatement(text: string): XaStatement | undefined {
  const match = XA.exec(text);
  if (match === null) return undefined;
  const [, verb = '', xid = '', onePhase] = match;
  const normal = xid.replaceAll(/\s/g, '').toLowerCase().replaceAll("x'", "X'");
  return { verb: verb.toUpperCase(), xid: normal, isOnePhase: onePhase !== undefined };
}

/** Keeps what was prepared, outside of memory where it is much. */
export interface XaStore {
  append(xid: string, sql: Buffer): void;
  /** The pieces in order, each again as it was appended. */
  pieces(xid: string): Iterable<Buffer>;
  drop(xid: string): void;
}

/** A prepared transaction whose decision has not come yet. */
export interface PreparedXa {
  readonly file: string;
  readonly position: number;
  readonly tables: TableChanges[];
}
