// Our INSERT statements back to row images, and these into the digest.
import { columnsEnd, COLUMN_BYTES, firstColumn, setColumns } from './columns';
import { addRow, resetDigest } from './digest';
import { imageEndAddress, isSlowImage, parseLiteral, startImage } from './literal-parser';
import { align, ensureMemory, SLACK } from './memory';
import { NEED_INPUT, NOT_CANONICAL, OK, OUT_OF_MEMORY, SLOW_ROW } from './status';

/** The most that a value's length in the image is longer than its quotes and its separator. */
const COLUMN_BYTES_EXTRA: u64 = 8;

let prefix: usize = 0;
let prefixLength: usize = 0;
let imageBytesExtra: u64 = 0;

let input: usize = 0;
let inputStart: usize = 0;
let inputEnd: usize = 0;
/** No line ends before here. */
let searched: usize = 0;

let image: usize = 0;
let tupleStart: usize = 0;
let tupleEnd: usize = 0;
let isRowPending: bool = false;
let isInStatement: bool = false;

let consumed: u64 = 0;
let statementStart: u64 = 0;
let statements: u32 = 0;
let longestStatement: u64 = 0;

export function parsedStatements(): u32 {
  return statements;
}

export function parsedLongestStatement(): u64 {
  return longestStatement;
}

/** How many bytes have been read as whole rows and openings: where an error is. */
export function parsedBytes(): u64 {
  return consumed;
}

/** Whether everything that was put in has been read, up to the end of a statement. */
export function isParserDone(): bool {
  return !isInStatement && inputStart == inputEnd;
}

export function slowImageAddress(): usize {
  return image;
}

export function slowImageBytes(): usize {
  return imageEndAddress() - image;
}

export function slowTupleAddress(): usize {
  return tupleStart;
}

export function slowTupleBytes(): usize {
  return tupleEnd - tupleStart;
}

export function startParser(
  columnTable: usize,
  columnCount: u32,
  prefixAddress: usize,
  prefixBytes: usize,
): u32 {
  setColumns(columnTable, columnCount);
  resetDigest();
  prefix = prefixAddress;
  prefixLength = prefixBytes;
  imageBytesExtra = <u64>columnCount * COLUMN_BYTES_EXTRA + 16;
  input = align(prefixAddress + prefixBytes);
  inputStart = input;
  inputEnd = input;
  searched = input;
  isRowPending = false;
  isInStatement = false;
  consumed = 0;
  statementStart = 0;
  statements = 0;
  longestStatement = 0;
  return ensureMemory(input) ? OK : OUT_OF_MEMORY;
}

/** Where the next `length` bytes of input go: behind what is left; 0 without memory for them. */
export function parserInputAddress(length: usize): usize {
  const left = inputEnd - inputStart;
  if (inputStart != input) {
    memory.copy(input, inputStart, left);
    searched -= inputStart - input;
    inputStart = input;
    inputEnd = input + left;
  }
  return ensureMemory(<u64>inputEnd + <u64>length) ? inputEnd : 0;
}

export function addParserInput(length: usize): void {
  inputEnd += length;
}

/** Reads rows until the input is used up, or a row needs to be judged, or is not canonical. */
export function parse(): u32 {
  if (isRowPending) commitRow();
  while (true) {
    if (!isInStatement) {
      const status = parsePrefix();
      if (status != OK) return status;
    }
    const lineEnd = findLineEnd();
    if (lineEnd == 0) return NEED_INPUT;
    const status = parseRow(lineEnd);
    if (status != OK) return status;
    if (isSlowImage()) return SLOW_ROW;
    commitRow();
  }
}

function parsePrefix(): u32 {
  const available = min(inputEnd - inputStart, prefixLength);
  if (memory.compare(inputStart, prefix, available) != 0) return NOT_CANONICAL;
  if (available < prefixLength) return NEED_INPUT;
  inputStart += prefixLength;
  searched = inputStart;
  statementStart = consumed;
  consumed += <u64>prefixLength;
  isInStatement = true;
  return OK;
}

/** The address of the next line break, or 0. Values hold none. */
function findLineEnd(): usize {
  for (let p = searched; p < inputEnd; p += 16) {
    const marks = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0x0a)));
    if (marks == 0) continue;
    const found = p + <usize>ctz(marks);
    if (found >= inputEnd) break;
    searched = found;
    return found;
  }
  searched = inputEnd;
  return 0;
}

function parseRow(lineEnd: usize): u32 {
  image = align(inputEnd + SLACK);
  const imageBytes = <u64>(lineEnd - inputStart) + imageBytesExtra;
  if (!ensureMemory(<u64>image + imageBytes)) return OUT_OF_MEMORY;
  startImage(image);
  let p = inputStart;
  let separator: u8 = 0x28; // (
  for (let column = firstColumn(); column < columnsEnd(); column += COLUMN_BYTES) {
    if (p >= lineEnd || load<u8>(p) != separator) return NOT_CANONICAL;
    separator = 0x2c; // ,
    p = parseLiteral(column, p + 1, lineEnd);
    if (p == 0) return NOT_CANONICAL;
  }
  if (lineEnd - p != 2 || load<u8>(p) != 0x29) return NOT_CANONICAL;
  const last = load<u8>(p, 1);
  if (last != 0x2c && last != 0x3b) return NOT_CANONICAL;
  tupleStart = inputStart;
  tupleEnd = p + 1;
  isRowPending = true;
  return OK;
}

function commitRow(): void {
  addRow(image, imageEndAddress() - image);
  isRowPending = false;
  const isLast = load<u8>(tupleEnd) == 0x3b;
  inputStart = tupleEnd + 2;
  searched = inputStart;
  consumed += <u64>(inputStart - tupleStart);
  if (!isLast) return;
  isInStatement = false;
  statements += 1;
  longestStatement = max(longestStatement, consumed - statementStart);
}
