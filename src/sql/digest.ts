/**
 * The content digest of a set of rows. Each row image is hashed with XXH64 (seed 0); SUM and XOR of
 * the hashes do not depend on the order of the rows, and SUM does not let duplicate rows cancel.
 */
export interface TableDigest {
  readonly rows: number;
  /** Sum of the row hashes modulo 2^64: 16 lower-case hexadecimal digits. */
  readonly sum: string;
  /** Exclusive or of the row hashes: 16 lower-case hexadecimal digits. */
  readonly xor: string;
}

const HASH_MASK = 0xffff_ffff_ffff_ffffn;

export const EMPTY_DIGEST: TableDigest = makeDigest(0, 0n, 0n);

/** @param sum and xor may be signed; only their low 64 bits count. */
export function makeDigest(rows: number, sum: bigint, xor: bigint): TableDigest {
  return { rows, sum: toHex(sum), xor: toHex(xor) };
}

/** The digest of all rows of all parts together, as of ranges that make up a table. */
export function combineDigests(parts: Iterable<TableDigest>): TableDigest {
  let rows = 0;
  let sum = 0n;
  let xor = 0n;
  for (const part of parts) {
    rows += part.rows;
    sum += BigInt(`0x${part.sum}`);
    xor ^= BigInt(`0x${part.xor}`);
  }
  return makeDigest(rows, sum, xor);
}

export function equalDigests(left: TableDigest, right: TableDigest): boolean {
  return left.rows === right.rows && left.sum === right.sum && left.xor === right.xor;
}

function toHex(value: bigint): string {
  return (value & HASH_MASK).toString(16).padStart(16, '0');
}
