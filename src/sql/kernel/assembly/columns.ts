// The column table, written by `../kernel.ts`: per column its kind, and for charset columns where
// the text that opens its literal (`_sjis 0x`) lies.

export const KIND_NUMBER: u32 = 0;
export const KIND_REAL: u32 = 1;
export const KIND_TEXT: u32 = 2;
export const KIND_BINARY: u32 = 3;
export const KIND_JSON: u32 = 4;
export const KIND_CHARSET: u32 = 5;
export const KIND_DEFAULT: u32 = 6;

/** u32 kind, u32 address of the opening, u32 its length. */
export const COLUMN_BYTES: usize = 12;

/** Binary values up to this length are written in hexadecimal, longer ones as `_binary '…'`. */
export const BINARY_HEX_BYTES_MAX: usize = 1 << 20;

let tableStart: usize = 0;
let tableEnd: usize = 0;

export function setColumns(table: usize, count: u32): void {
  tableStart = table;
  tableEnd = table + <usize>count * COLUMN_BYTES;
}

// @ts-ignore: decorator
@inline
export function firstColumn(): usize {
  return tableStart;
}

// @ts-ignore: decorator
@inline
export function columnsEnd(): usize {
  return tableEnd;
}

// @ts-ignore: decorator
@inline
export function columnKind(column: usize): u32 {
  return load<u32>(column);
}

// @ts-ignore: decorator
@inline
export function openingAddress(column: usize): usize {
  return load<u32>(column, 4);
}

// @ts-ignore: decorator
@inline
export function openingLength(column: usize): usize {
  return load<u32>(column, 8);
}
