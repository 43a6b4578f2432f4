/**
 * Row packets in, SQL text and the content digest out; no value becomes a JavaScript object on the
 * way. The work is done by the WebAssembly kernel beside this file.
 */
import { assert, ReshelveError } from '../../errors.js';
import type { ColumnPlan } from '../column-plan.js';
import { makeDigest, type TableDigest } from '../digest.js';
import { encodeTuple } from '../row-literal.js';
import { Kernel, KERNEL_BYTES_KEPT_MAX, unsigned } from './kernel.js';
import { STATUS } from './status.js';

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

/** So many members in a row without a giant one, and the memory for giants is given up. */
const MEMBERS_BEFORE_RENEWAL = 4;

export class RowEncoder {
  #options: RowEncoderOptions;
  #kernel = new Kernel();
  #end: RowStreamEnd | undefined;
  #hasFailed = false;
  #membersSinceGiant = 0;

  constructor(options: RowEncoderOptions) {
    this.#options = options;
    this.#start(options.sequenceId);
  }

  /** Set as soon as the packet that ends the result set was pushed. */
  get end(): RowStreamEnd | undefined {
    return this.#end;
  }

  /** What the kernel occupies at present. */
  get memoryBytes(): number {
    return this.#kernel.memoryBytes;
  }

  /** Starts anew for another result set; cheaper than a new encoder. */
  reset(options: RowEncoderOptions): void {
    if (this.#kernel.memoryBytes > KERNEL_BYTES_KEPT_MAX) this.#kernel = new Kernel();
    this.#options = options;
    this.#end = undefined;
    this.#hasFailed = false;
    this.#start(options.sequenceId);
  }

  /**
   * Takes the next bytes from the socket, which are not kept, and returns the members that they
   * completed: for a chunk of 64 KiB at most three. Their SQL lives outside of the encoder, so a
   * caller that awaits the compression of each before it pushes again has bounded memory.
   *
   * @throws {ReshelveError} PROTOCOL where the bytes are not what a server sends, UNSUPPORTED for a
   * row that no INSERT could bring back. The encoder is of no further use until `reset`.
   */
  push(chunk: Uint8Array): readonly SqlPiece[] {
    assert(this.#end === undefined, 'nothing is pushed behind the end of a result set');
    assert(!this.#hasFailed, 'nothing is pushed behind a failure');
    const pieces: SqlPiece[] = [];
    const stepBytes = this.#kernel.calls.chunkBytes();
    // The loop may replace `#end`, which the compiler cannot see through the calls.
    for (let offset = 0; offset < chunk.length && !this.#hasEnded(); offset += stepBytes) {
      this.#writeInput(chunk.subarray(offset, offset + stepBytes));
      const isLastStep = this.#run(pieces);
      if (isLastStep) this.#setEnd(chunk.subarray(offset + stepBytes), pieces);
    }
    return pieces;
  }

  #hasEnded(): boolean {
    return this.#end !== undefined;
  }

  #start(sequenceId: number): void {
    const { columns, insertPrefix, statementBytesTarget, memberBytesTarget } = this.#options;
    const hashOnly = this.#options.hashOnly ?? false;
    assert(hashOnly || insertPrefix.length > 0, 'a statement has an opening');
    assert(
      0 < statementBytesTarget && statementBytesTarget <= memberBytesTarget,
      'a member holds at least a statement',
    );
    const setup = this.#kernel.writeSetup(columns, insertPrefix);
    const status = this.#kernel.calls.startEncoder(
      setup.columnTable,
      setup.columnCount,
      setup.openingBytes,
      setup.prefixAddress,
      setup.prefixBytes,
      statementBytesTarget,
      memberBytesTarget,
      sequenceId,
      hashOnly ? 1 : 0,
    );
    if (status !== STATUS.ok) throw this.#failure(status);
    this.#membersSinceGiant = 0;
  }

  #writeInput(bytes: Uint8Array): void {
    const { calls } = this.#kernel;
    this.#kernel.bytesAt(calls.inputAddress(), bytes.length).set(bytes);
    calls.addInput(bytes.length);
  }

  /** Works off the input; true when it held the end of the result set. */
  #run(pieces: SqlPiece[]): boolean {
    for (;;) {
      let status = this.#kernel.calls.step();
      if (status === STATUS.slowRow) status = this.#writeSlowRow(pieces);
      if (status === STATUS.needInput) return false;
      if (status === STATUS.end || status === STATUS.serverError) return true;
      if (status === STATUS.memberReady) this.#takeMember(pieces);
      else if (status !== STATUS.ok) throw this.#failure(status);
    }
  }

  /** The typed way for the row that the kernel stopped at. */
  #writeSlowRow(pieces: SqlPiece[]): number {
    const { calls } = this.#kernel;
    const image = this.#kernel.bytesAt(calls.rowImage(), calls.rowImageBytes());
    const tuple = this.#encodeSlowRow(image);
    let status = calls.makeRoomForSlowRow(tuple.length);
    if (status === STATUS.memberReady) {
      this.#takeMember(pieces);
      status = calls.makeRoomForSlowRow(tuple.length);
    }
    if (status !== STATUS.ok) return status;
    tuple.copy(this.#kernel.bytesAt(calls.tupleAddress(), tuple.length));
    return calls.commitSlowRow(tuple.length);
  }

  #encodeSlowRow(image: Buffer): Buffer {
    try {
      return encodeTuple(image, this.#options.columns);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  #takeMember(pieces: SqlPiece[]): void {
    const { calls } = this.#kernel;
    const view = this.#kernel.bytesAt(calls.memberAddress(), calls.memberBytes());
    const piece: SqlPiece = {
      sql: Buffer.from(view),
      rows: calls.rowsInMember(),
      statements: calls.statementsInMember(),
      longestStatement: unsigned(calls.longestStatementBytes()),
    };
    pieces.push(piece);
    calls.startMember();
    const isGiant = piece.rows === 1 && piece.sql.length > this.#options.memberBytesTarget;
    this.#membersSinceGiant = isGiant ? 0 : this.#membersSinceGiant + 1;
    if (this.#membersSinceGiant >= MEMBERS_BEFORE_RENEWAL) this.#renewKernel();
  }

  /** Exchanges a kernel whose memory has grown large for a new one, between two rows. */
  #renewKernel(): void {
    const { calls, memoryBytes } = this.#kernel;
    if (memoryBytes <= KERNEL_BYTES_KEPT_MAX || calls.isRowWaiting() !== 0) return;
    const leftover = this.#kernel.bytesAt(calls.leftoverAddress(), calls.leftoverBytes());
    this.#kernel = new Kernel();
    this.#start(calls.nextSequence());
    this.#kernel.calls.restoreDigest(calls.digestRows(), calls.digestSum(), calls.digestXor());
    this.#writeInput(leftover);
  }

  #setEnd(rest: Uint8Array, pieces: SqlPiece[]): void {
    const { calls } = this.#kernel;
    const packet = Buffer.from(this.#kernel.bytesAt(calls.rowImage(), calls.rowImageBytes()));
    const kept = this.#kernel.bytesAt(calls.leftoverAddress(), calls.leftoverBytes());
    const leftover = Buffer.concat([kept, rest]);
    if (packet[0] === ERROR_MARK) {
      this.#end = parseErrorPacket(packet, leftover);
      return;
    }
    const digest = makeDigest(Number(calls.digestRows()), calls.digestSum(), calls.digestXor());
    const warnings = packet.readUInt16LE(1);
    const statusFlags = packet.readUInt16LE(3);
    this.#end = { kind: 'end', digest, warnings, statusFlags, leftover };
    calls.finishMember();
    if (calls.memberBytes() !== 0) this.#takeMember(pieces);
  }

  #failure(status: number): Error {
    this.#hasFailed = true;
    switch (status) {
      case STATUS.badSequence:
        return new ReshelveError('PROTOCOL', 'expected the next packet but found one out of order');
      case STATUS.badPacket:
        return new ReshelveError(
          'PROTOCOL',
          'expected a row packet but found one that is malformed',
        );
      case STATUS.badNumber:
        return new ReshelveError('PROTOCOL', 'expected a number but found other characters');
      case STATUS.rowTooLarge:
        return new ReshelveError(
          'UNSUPPORTED',
          'expected rows of less than 1 GiB as SQL but found a larger one',
          { hint: 'No server takes a statement above 1 GiB: the row could not be restored.' },
        );
      case STATUS.outOfMemory:
        return new ReshelveError(
          'UNSUPPORTED',
          'there is no memory for a row as large as one here',
          {
            hint: 'A row needs about three times its size; free memory and run the command again.',
          },
        );
      default:
        return new Error(`assertion failed: the row kernel returned status ${status}`);
    }
  }
}

const ERROR_MARK = 0xff;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html */
function parseErrorPacket(packet: Buffer, leftover: Buffer): RowStreamEnd {
  if (packet.length < 3) {
    throw new ReshelveError('PROTOCOL', 'expected an error packet but found one that is malformed');
  }
  const hasState = packet[3] === 0x23; // #
  return {
    kind: 'error',
    errno: packet.readUInt16LE(1),
    sqlState: hasState ? packet.toString('latin1', 4, 9) : 'HY000',
    message: packet.subarray(hasState ? 9 : 3),
    leftover,
  };
}
