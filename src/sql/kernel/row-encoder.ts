/**
 * Row packets in, SQL text and the content digest out; no value becomes a JavaScript object on the
 * way. The work is done by the WebAssembly kernel beside this file.
 */
import type { ColumnPlan } from '../column-plan.js';
import type { TableDigest } from '../digest.js';

export interface RowEncoderOptions {
  /** The opening of each statement, `VALUES` and its line break included. */
  readonly insertPrefix: Buffer;
  /** The columns of the result set, in its order; at least one. */
  readonly columns: readonly ColumnPlan[];
  /** A statement is closed by the row with which it reaches this many bytes. */
  readonly statementBytesTarget: number;
  /** A member is closed by the row with which it reaches this many bytes. */
  readonly memberBytesTarget: number;
  /** Sequence id of the first row packet: the one after that of the EOF behind the definitions. */
  readonly sequenceId: number;
  /** Only the digest is wanted (a table is read back): no SQL is made. */
  readonly hashOnly?: boolean;
}

/** The SQL of one member: whole statements. */
export interface SqlPiece {
  /** Owned by the receiver. */
  readonly sql: Buffer;
  readonly rows: number;
  readonly statements: number;
  /** In bytes, its `;` and line break included. */
  readonly longestStatement: number;
}

/** How the result set ended. */
export type RowStreamEnd =
  | {
      readonly kind: 'end';
      readonly digest: TableDigest;
      readonly warnings: number;
      readonly statusFlags: number;
      /** What followed the end in the same chunk: a copy, usually empty. */
      readonly leftover: Buffer;
    }
  | {
      /** The server gave up; the rows before are good, but not all of them. */
      readonly kind: 'error';
      readonly errno: number;
      readonly sqlState: string;
      /** As sent: in the session's character set. */
      readonly message: Buffer;
      readonly leftover: Buffer;
    };

export declare class RowEncoder {
  constructor(options: RowEncoderOptions);

  /**
   * Takes the next bytes from the socket, which are not kept, and returns the members that they
   * completed: for a chunk of 64 KiB at most three. Their SQL lives outside of the encoder, so a
   * caller that awaits the compression of each before it pushes again has bounded memory.
   *
   * @throws {ReshelveError} PROTOCOL where the bytes are not what a server sends. The encoder is of
   * no further use until `reset`.
   */
  push(chunk: Uint8Array): readonly SqlPiece[];

  /** Set as soon as the packet that ends the result set was pushed. */
  get end(): RowStreamEnd | undefined;

  /** Starts anew for another result set; cheaper than a new encoder. */
  reset(options: RowEncoderOptions): void;
}
