/**
 * The SQL of data members back to their content digest, without a server: the inverse of the row
 * encoder, done by the WebAssembly kernel. Strict: text that is not byte for byte what the encoder
 * writes for some rows is an error.
 */
import { ReshelveError } from '../../errors.js';
import type { ColumnPlan } from '../column-plan.js';
import { makeDigest, type TableDigest } from '../digest.js';
import { isEncodingOf } from '../insert-parser.js';
import { Kernel, type KernelSetup } from './kernel.js';
import { STATUS } from './status.js';

export interface MemberParserOptions {
  /** The opening of each statement, `VALUES` and its line break included. */
  readonly insertPrefix: Buffer;
  readonly columns: readonly ColumnPlan[];
}

export interface ParsedMember {
  readonly digest: TableDigest;
  readonly statements: number;
  /** In bytes, its `;` and line break included. */
  readonly longestStatement: number;
}

/** Beyond this much, memory that a huge row needed is given up once a member has none. */
const KERNEL_BYTES_KEPT_MAX = 32 * 2 ** 20;

/** Input is copied in slices of at most this length. */
const SLICE_BYTES = 2 ** 18;

export class MemberParser {
  readonly #options: MemberParserOptions;
  #kernel = new Kernel();
  #setup: KernelSetup;

  constructor(options: MemberParserOptions) {
    this.#options = options;
    this.#setup = this.#kernel.writeSetup(options.columns, options.insertPrefix);
    this.#start();
  }

  /**
   * Takes the next bytes of a member's SQL, cut anywhere; they are not kept.
   * @throws {ReshelveError} DAMAGED. The parser is of no further use then.
   */
  push(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; offset += SLICE_BYTES) {
      this.#writeInput(chunk.subarray(offset, offset + SLICE_BYTES));
      this.#parse();
    }
  }

  /**
   * What the member held. The parser is then ready for the table's next member.
   * @throws {ReshelveError} DAMAGED where it ends within a statement.
   */
  finish(): ParsedMember {
    const { calls } = this.#kernel;
    if (calls.isParserDone() === 0) throw this.#notCanonical();
    const parsed: ParsedMember = {
      digest: makeDigest(Number(calls.digestRows()), calls.digestSum(), calls.digestXor()),
      statements: calls.parsedStatements(),
      longestStatement: Number(calls.parsedLongestStatement()),
    };
    const { memoryBytes } = this.#kernel;
    const isNeeded = 4 * parsed.longestStatement > memoryBytes;
    if (memoryBytes > KERNEL_BYTES_KEPT_MAX && !isNeeded) this.#renewKernel();
    this.#start();
    return parsed;
  }

  #renewKernel(): void {
    this.#kernel = new Kernel();
    this.#setup = this.#kernel.writeSetup(this.#options.columns, this.#options.insertPrefix);
  }

  #start(): void {
    const { columnTable, columnCount, prefixAddress, prefixBytes } = this.#setup;
    const { calls } = this.#kernel;
    const status = calls.startParser(columnTable, columnCount, prefixAddress, prefixBytes);
    if (status !== STATUS.ok) throw outOfMemory();
  }

  #writeInput(bytes: Uint8Array): void {
    const { calls } = this.#kernel;
    const address = calls.parserInputAddress(bytes.length);
    if (address === 0) throw outOfMemory();
    this.#kernel.bytesAt(address, bytes.length).set(bytes);
    calls.addParserInput(bytes.length);
  }

  #parse(): void {
    let status = this.#kernel.calls.parse();
    while (status === STATUS.slowRow) {
      if (!this.#isSlowRowCanonical()) throw this.#notCanonical();
      status = this.#kernel.calls.parse();
    }
    if (status === STATUS.outOfMemory) throw outOfMemory();
    if (status !== STATUS.needInput) throw this.#notCanonical();
  }

  /** The typed way for a row with JSON that has patches. */
  #isSlowRowCanonical(): boolean {
    const { calls } = this.#kernel;
    const image = this.#kernel.bytesAt(calls.slowImageAddress(), calls.slowImageBytes());
    const tuple = this.#kernel.bytesAt(calls.slowTupleAddress(), calls.slowTupleBytes());
    return isEncodingOf(image, this.#options.columns, tuple);
  }

  /** The position is that in the member's text; the text itself is row data and stays out. */
  #notCanonical(): ReshelveError {
    return new ReshelveError(
      'DAMAGED',
      `expected rows as Reshelve writes them but found something else after byte ${this.#kernel.calls.parsedBytes()}`,
    );
  }
}

function outOfMemory(): ReshelveError {
  return new ReshelveError('UNSUPPORTED', 'there is no memory for a row as large as one here', {
    hint: 'A row needs about three times its size; free memory and run the command again.',
  });
}
