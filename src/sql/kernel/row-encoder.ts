/**
 * Row packets in, SQL text and the content digest out; no value becomes a JavaScript object on the
 * way. The work is done by the WebAssembly kernel beside this file.
 */
import { assert, ReshelveError } from '../../errors.js';
import type { ColumnPlan } from '../column-plan.js';
import { makeDigest } from '../digest.js';
import { encodeTuple } from '../row-literal.js';
import { Kernel, unsigned } from './kernel.js';
import { ERROR_MARK, parseErrorPacket, type RowStreamEnd } from './row-stream-end.js';
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
  /** Owned by the receiver where it is not lent. */
  readonly sql: Buffer;
  /** Whether `sql` lies in the kernel that was lent for a huge row, and is good while that is lent. */
  readonly isLent: boolean;
  readonly rows: number;
  readonly statements: number;
  /** In bytes, its `;` and line break included. */
  readonly longestStatement: number;
}

/** With these the kernel has nothing more to do for now. */
const STOPS: ReadonlySet<number> = new Set([
  STATUS.needInput,
  STATUS.end,
  STATUS.serverError,
  STATUS.hugeRow,
]);

export class RowEncoder {
  #options: RowEncoderOptions;
  readonly #ownKernel = new Kernel();
  /** The own one, or that which was lent for a huge row. */
  #kernel = this.#ownKernel;
  #end: RowStreamEnd | undefined;
  #hasFailed = false;
  #isBeforeHugeRow = false;
  /** What was pushed behind the place where a huge row stopped the encoder. */
  #held: Uint8Array = Buffer.alloc(0);

  constructor(options: RowEncoderOptions) {
    this.#options = options;
    this.#start(options.sequenceId);
  }

  /** Set as soon as the packet that ends the result set was pushed. */
  get end(): RowStreamEnd | undefined {
    return this.#end;
  }

  /** What the encoder's own kernel occupies at present. */
  get memoryBytes(): number {
    return this.#ownKernel.memoryBytes;
  }

  /** A huge row comes next: {@link enterHugeRow}, then go on. */
  get isBeforeHugeRow(): boolean {
    return this.#isBeforeHugeRow;
  }

  /** Whether the kernel that was lent for a huge row is still in use. */
  get isInHugeRow(): boolean {
    return this.#kernel !== this.#ownKernel;
  }

  /** Starts anew for another result set; cheaper than a new encoder. */
  reset(options: RowEncoderOptions): void {
    this.#kernel = this.#ownKernel;
    this.#options = options;
    this.#end = undefined;
    this.#hasFailed = false;
    this.#isBeforeHugeRow = false;
    this.#start(options.sequenceId);
  }

  /**
   * Takes the next bytes from the socket and returns the members that they completed: for a chunk of
   * 64 KiB at most three. Their SQL lives outside of the encoder, so a caller that awaits the
   * compression of each before it pushes again has bounded memory. The chunk is kept only where
   * {@link isBeforeHugeRow} is set afterwards.
   *
   * @throws {ReshelveError} PROTOCOL where the bytes are not what a server sends, UNSUPPORTED for a
   * row that no INSERT could bring back. The encoder is of no further use until `reset`.
   */
  push(chunk: Uint8Array): readonly SqlPiece[] {
    assert(this.#end === undefined, 'nothing is pushed behind the end of a result set');
    assert(!this.#hasFailed, 'nothing is pushed behind a failure');
    assert(!this.#isBeforeHugeRow, 'a huge row is entered first');
    const pieces: SqlPiece[] = [];
    this.#pushSteps(chunk, pieces);
    return pieces;
  }

  /**
   * Goes on into the huge row with a kernel lent for it, and returns as {@link push} does. The kernel
   * may go back once {@link isInHugeRow} is false and the pieces returned so far are done with.
   */
  enterHugeRow(kernel: Kernel): readonly SqlPiece[] {
    assert(this.#isBeforeHugeRow, 'a huge row comes next');
    this.#isBeforeHugeRow = false;
    this.#moveTo(kernel);
    kernel.calls.allowHugeRow();
    const pieces: SqlPiece[] = [];
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    if (this.#runStep(held, pieces)) this.#pushSteps(held, pieces);
    return pieces;
  }

  #pushSteps(chunk: Uint8Array, pieces: SqlPiece[]): void {
    const stepBytes = this.#kernel.calls.chunkBytes();
    for (let offset = 0; offset < chunk.length; offset += stepBytes) {
      this.#writeInput(chunk.subarray(offset, offset + stepBytes));
      if (!this.#runStep(chunk.subarray(offset + stepBytes), pieces)) return;
    }
  }

  /** Works off the input, behind which `rest` follows; false where that cannot be taken now. */
  #runStep(rest: Uint8Array, pieces: SqlPiece[]): boolean {
    const status = this.#run(pieces);
    if (status === STATUS.needInput) return true;
    if (status === STATUS.hugeRow) this.#stopBeforeHugeRow(rest, pieces);
    else this.#setEnd(rest, pieces);
    return false;
  }

  #stopBeforeHugeRow(rest: Uint8Array, pieces: SqlPiece[]): void {
    this.#finishMember(pieces);
    this.#held = rest;
    this.#isBeforeHugeRow = true;
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
  }

  #writeInput(bytes: Uint8Array): void {
    const { calls } = this.#kernel;
    this.#kernel.bytesAt(calls.inputAddress(), bytes.length).set(bytes);
    calls.addInput(bytes.length);
  }

  /** Works off the input up to its end, that of the result set, or a huge row; returns which. */
  #run(pieces: SqlPiece[]): number {
    for (;;) {
      let status = this.#kernel.calls.step();
      if (status === STATUS.slowRow) status = this.#writeSlowRow(pieces);
      if (STOPS.has(status)) return status;
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

  /** A huge row's member, or the lack of one where only the digest is wanted, ends its kernel's turn. */
  #takeMember(pieces: SqlPiece[]): void {
    const { calls } = this.#kernel;
    const view = this.#kernel.bytesAt(calls.memberAddress(), calls.memberBytes());
    if (view.length > 0) {
      pieces.push({
        sql: this.isInHugeRow ? view : Buffer.from(view),
        isLent: this.isInHugeRow,
        rows: calls.rowsInMember(),
        statements: calls.statementsInMember(),
        longestStatement: unsigned(calls.longestStatementBytes()),
      });
    }
    calls.startMember();
    if (this.isInHugeRow && calls.isRowWaiting() === 0) this.#moveTo(this.#ownKernel);
  }

  #finishMember(pieces: SqlPiece[]): void {
    const { calls } = this.#kernel;
    calls.finishMember();
    if (calls.memberBytes() !== 0) this.#takeMember(pieces);
  }

  /** Goes on with another kernel, between two rows and two members. */
  #moveTo(kernel: Kernel): void {
    const { calls } = this.#kernel;
    const leftover = this.#kernel.bytesAt(calls.leftoverAddress(), calls.leftoverBytes());
    this.#kernel = kernel;
    this.#start(calls.nextSequence());
    kernel.calls.restoreDigest(calls.digestRows(), calls.digestSum(), calls.digestXor());
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
    this.#finishMember(pieces);
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
