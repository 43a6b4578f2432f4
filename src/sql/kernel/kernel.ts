/** One instance of the WebAssembly kernel and its memory. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '../../errors.js';
import type { ColumnEncoding, ColumnPlan } from '../column-plan.js';
import { isStableNumber } from '../json-numbers.js';

/** Addresses and lengths above 2 GiB come back negative: pass them through {@link unsigned}. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;

  chunkBytes(): number;
  columnBytes(): number;
  setupAddress(): number;
  reserveSetup(length: number): number;

  startEncoder(
    columnTable: number,
    columnCount: number,
    openingBytes: number,
    prefixAddress: number,
    prefixBytes: number,
    statementTarget: number,
    memberTarget: number,
    sequenceId: number,
    hashOnly: number,
  ): number;
  inputAddress(): number;
  addInput(length: number): void;
  /** The next row may be huge; it ends its member, and `step` then returns. */
  allowHugeRow(): void;
  step(): number;
  isRowWaiting(): number;
  rowImage(): number;
  rowImageBytes(): number;
  makeRoomForSlowRow(length: number): number;
  tupleAddress(): number;
  commitSlowRow(length: number): number;
  nextSequence(): number;
  leftoverAddress(): number;
  leftoverBytes(): number;

  startMember(): void;
  finishMember(): void;
  memberAddress(): number;
  memberBytes(): number;
  rowsInMember(): number;
  statementsInMember(): number;
  longestStatementBytes(): number;

  digestRows(): bigint;
  digestSum(): bigint;
  digestXor(): bigint;
  restoreDigest(rows: bigint, sum: bigint, xor: bigint): void;

  startParser(
    columnTable: number,
    columnCount: number,
    prefixAddress: number,
    prefixBytes: number,
  ): number;
  parserInputAddress(length: number): number;
  addParserInput(length: number): void;
  parse(): number;
  isParserDone(): number;
  parsedBytes(): bigint;
  parsedStatements(): number;
  parsedLongestStatement(): bigint;
  slowImageAddress(): number;
  slowImageBytes(): number;
  slowTupleAddress(): number;
  slowTupleBytes(): number;
}

/** Where {@link Kernel.writeSetup} put what the kernel has to know of a table. */
export interface KernelSetup {
  readonly columnTable: number;
  readonly columnCount: number;
  readonly openingBytes: number;
  readonly prefixAddress: number;
  readonly prefixBytes: number;
}

/** The same numbers as in `assembly/columns.ts`. */
const COLUMN_KINDS: Readonly<Record<ColumnEncoding, number>> = {
  number: 0,
  real: 1,
  text: 2,
  binary: 3,
  json: 4,
  charset: 5,
  default: 6,
};

export class Kernel {
  readonly calls: KernelExports;

  #memory: Buffer;

  constructor() {
    const imports = { host: { isStableNumber: this.#isStableNumber.bind(this) } };
    // The exports are those of assembly/index.ts, which the interface above repeats.
    this.calls = new WebAssembly.Instance(kernelModule(), imports).exports as KernelExports;
    this.#memory = Buffer.from(this.calls.memory.buffer);
  }

  get memoryBytes(): number {
    return this.calls.memory.buffer.byteLength;
  }

  /** A view, good until the next call into the kernel. */
  bytesAt(address: number, length: number): Buffer {
    const start = unsigned(address);
    return this.#bytes().subarray(start, start + unsigned(length));
  }

  /** The memory, which is another buffer each time it has grown. */
  #bytes(): Buffer {
    const { buffer } = this.calls.memory;
    if (this.#memory.buffer !== buffer) this.#memory = Buffer.from(buffer);
    return this.#memory;
  }

  /** Called by the kernel while it reads a document. */
  #isStableNumber(address: number, length: number): number {
    const start = unsigned(address);
    return isStableNumber(this.#bytes().toString('latin1', start, start + length)) ? 1 : 0;
  }

  /** Puts the column table, the openings of charset literals and the prefix into the memory. */
  writeSetup(columns: readonly ColumnPlan[], insertPrefix: Buffer): KernelSetup {
    assert(columns.length > 0, 'a row has at least one column');
    const openings = columns.map(literalOpening);
    const columnTable = this.calls.setupAddress();
    const tableBytes = columns.length * this.calls.columnBytes();
    const table = Buffer.alloc(tableBytes);
    let address = columnTable + tableBytes;
    columns.forEach(({ encoding }, index) => {
      const opening = openings[index];
      assert(opening !== undefined, 'each column has an opening, if an empty one');
      const entry = index * this.calls.columnBytes();
      table.writeUInt32LE(COLUMN_KINDS[encoding], entry);
      table.writeUInt32LE(address, entry + 4);
      table.writeUInt32LE(opening.length, entry + 8);
      address += opening.length;
    });
    const setup = Buffer.concat([table, ...openings, insertPrefix]);
    assert(this.calls.reserveSetup(setup.length) !== 0, 'there is memory for a column table');
    setup.copy(this.bytesAt(columnTable, setup.length));
    return {
      columnTable,
      columnCount: columns.length,
      openingBytes: address - columnTable - tableBytes,
      prefixAddress: address,
      prefixBytes: insertPrefix.length,
    };
  }
}

export function unsigned(value: number): number {
  return value >>> 0;
}

function literalOpening({ introducer }: ColumnPlan): Buffer {
  return Buffer.from(introducer === undefined ? '' : `${introducer} 0x`, 'latin1');
}

let compiledModule: object | undefined;

/** The build puts the kernel beside this file's compiled form; tests run this file as it is. */
function kernelModule(): object {
  if (compiledModule !== undefined) return compiledModule;
  const candidates = ['./kernel.wasm', '../../../dist/src/sql/kernel/kernel.wasm'];
  const path = candidates
    .map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error('kernel.wasm is missing: run `npm run build` first');
  compiledModule = new WebAssembly.Module(readFileSync(path));
  return compiledModule;
}
