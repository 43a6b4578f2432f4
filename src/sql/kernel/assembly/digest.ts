// The content digest of the rows seen so far.
import { xxh64 } from './xxh64';

let rows: u64 = 0;
let sum: u64 = 0;
let xor: u64 = 0;

export function resetDigest(): void {
  rows = 0;
  sum = 0;
  xor = 0;
}

/** Takes over the digest of rows that another instance has seen. */
export function restoreDigest(otherRows: u64, otherSum: u64, otherXor: u64): void {
  rows = otherRows;
  sum = otherSum;
  xor = otherXor;
}

export function addRow(image: usize, length: usize): void {
  const hash = xxh64(image, length);
  rows += 1;
  sum += hash;
  xor ^= hash;
}

export function digestRows(): u64 {
  return rows;
}

export function digestSum(): u64 {
  return sum;
}

export function digestXor(): u64 {
  return xor;
}
