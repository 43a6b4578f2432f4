// One row image to its tuple `(…)`.
import {
  BINARY_HEX_BYTES_MAX,
  columnKind,
  columnsEnd,
  COLUMN_BYTES,
  firstColumn,
  KIND_BINARY,
  KIND_CHARSET,
  KIND_DEFAULT,
  KIND_JSON,
  KIND_NUMBER,
  KIND_REAL,
  KIND_TEXT,
  openingAddress,
  openingLength,
} from './columns';
import { countEscapes, writeHex, writeQuoted, writeShortQuoted } from './escape';
import { hasUnstableNumber } from './json';
import { endsWithZeroExponent, hasExponent, isShortNumber, numberLength, realLength } from './number';
import { BAD_NUMBER, BAD_PACKET, SLOW_ROW } from './status';

const NULL_MARK: u32 = 0xfb;
const NULL_LITERAL: u32 = 0x4c4c554e;
const DEFAULT_LITERAL: u64 = 0x544c5541464544;
const DEFAULT_LITERAL_BYTES: usize = 7;
const BINARY_OPENING: u64 = 0x207972616e69625f; // "_binary "
const BINARY_OPENING_BYTES: usize = 8;
const MALFORMED: u64 = u64.MAX_VALUE;

let failureStatus: u32 = 0;

/** Why the last call failed. */
export function tupleFailure(): u32 {
  return failureStatus;
}

function fail(status: u32): usize {
  failureStatus = status;
  return 0;
}

/**
 * A length-encoded integer of more than one byte: the value with the number of its bytes in the low
 * four bits. MALFORMED also where fewer bytes would do, as the image made from the literals again
 * could not be the same.
 */
function longLength(p: usize, end: usize): u64 {
  const first = <u32>load<u8>(p);
  const bytes: usize = first == 0xfc ? 3 : first == 0xfd ? 4 : first == 0xfe ? 9 : 0;
  if (bytes == 0 || end - p < bytes) return MALFORMED;
  let value: u64;
  let least: u64;
  if (bytes == 3) {
    value = <u64>load<u16>(p, 1);
    least = NULL_MARK;
  } else if (bytes == 4) {
    value = <u64>(load<u32>(p) >>> 8);
    least = 1 << 16;
  } else {
    value = load<u64>(p, 1);
    least = 1 << 24;
  }
  return value < least || value > <u64>(end - p) ? MALFORMED : (value << 4) | <u64>bytes;
}

/** Whether the image consists of just as many values as there are columns. */
export function isRowImage(image: usize, end: usize): bool {
  let p = image;
  for (let column = firstColumn(); column < columnsEnd(); column += COLUMN_BYTES) {
    if (p >= end) return false;
    const first = <u32>load<u8>(p);
    if (first <= NULL_MARK) {
      p += first == NULL_MARK ? 1 : 1 + first;
      continue;
    }
    const long = longLength(p, end);
    if (long == MALFORMED) return false;
    p += <usize>(long & 15);
    if (long >> 4 > <u64>(end - p)) return false;
    p += <usize>(long >> 4);
  }
  return p == end;
}

/**
 * The exact length of the tuple, or 0 and a failure status. Numbers are not looked at: this comes
 * before encoding, for rows so long that no generous guess would do.
 */
export function measureTuple(image: usize, end: usize): u64 {
  if (!isRowImage(image, end)) return fail(BAD_PACKET);
  let total: u64 = 1;
  let p = image;
  for (let column = firstColumn(); column < columnsEnd(); column += COLUMN_BYTES) {
    total += 1;
    const first = <u32>load<u8>(p);
    if (first == NULL_MARK) {
      p += 1;
      total += columnKind(column) == KIND_DEFAULT ? <u64>DEFAULT_LITERAL_BYTES : 4;
      continue;
    }
    let length: usize = first;
    if (first < NULL_MARK) {
      p += 1;
    } else {
      const long = longLength(p, end);
      length = <usize>(long >> 4);
      p += <usize>(long & 15);
    }
    if (columnKind(column) == KIND_JSON && hasUnstableNumber(p, length)) return fail(SLOW_ROW);
    total += measureValue(column, p, length);
    p += length;
  }
  return total;
}

function measureValue(column: usize, p: usize, length: usize): u64 {
  switch (columnKind(column)) {
    case KIND_NUMBER:
      return length;
    case KIND_REAL:
      return length + (hasExponent(p, length) ? 0 : 2);
    case KIND_BINARY:
      if (length == 0) return 2;
      if (length <= BINARY_HEX_BYTES_MAX) return 2 + 2 * <u64>length;
      return BINARY_OPENING_BYTES + 2 + <u64>length + countEscapes(p, length);
    case KIND_CHARSET:
      return length == 0 ? 2 : openingLength(column) + 2 * <u64>length;
    default:
      return 2 + <u64>length + countEscapes(p, length);
  }
}

/** Writes the tuple and returns the address behind it, or 0 and a failure status. */
export function encodeTuple(image: usize, end: usize, to: usize): usize {
  let p = image;
  let out = to;
  let separator: u8 = 0x28; // (
  const lastColumn = columnsEnd();
  for (let column = firstColumn(); column < lastColumn; column += COLUMN_BYTES) {
    store<u8>(out, separator);
    out += 1;
    separator = 0x2c; // ,
    if (p >= end) return fail(BAD_PACKET);
    let length = <usize>load<u8>(p);
    if (length == NULL_MARK) {
      if (columnKind(column) == KIND_DEFAULT) {
        store<u64>(out, DEFAULT_LITERAL);
        out += DEFAULT_LITERAL_BYTES;
      } else {
        store<u32>(out, NULL_LITERAL);
        out += 4;
      }
      p += 1;
      continue;
    }
    if (length < NULL_MARK) {
      p += 1;
    } else {
      const long = longLength(p, end);
      if (long == MALFORMED) return fail(BAD_PACKET);
      length = <usize>(long >> 4);
      p += <usize>(long & 15);
    }
    if (length > end - p) return fail(BAD_PACKET);
    const kind = columnKind(column);
    if (kind == KIND_TEXT) {
      const next = length <= 16 ? writeShortQuoted(p, length, out) : 0;
      out = next == 0 ? writeQuoted(p, length, out) : next;
    } else if (kind == KIND_NUMBER && length - 1 < 16) {
      if (!isShortNumber(p, length)) return fail(BAD_NUMBER);
      v128.store(out, v128.load(p));
      out += length;
    } else {
      out = writeOther(kind, column, p, length, out);
      if (out == 0) return 0;
    }
    p += length;
  }
  if (p != end) return fail(BAD_PACKET);
  store<u8>(out, 0x29);
  return out + 1;
}

function writeOther(kind: u32, column: usize, p: usize, length: usize, to: usize): usize {
  if (kind == KIND_DEFAULT) return fail(BAD_PACKET);
  if (kind == KIND_NUMBER) {
    if (length == 0 || numberLength(p, length) != length) return fail(BAD_NUMBER);
    return copy(p, length, to);
  }
  if (kind == KIND_REAL) return writeReal(p, length, to);
  if (kind == KIND_JSON) {
    return hasUnstableNumber(p, length) ? fail(SLOW_ROW) : writeQuoted(p, length, to);
  }
  if (length == 0) {
    store<u16>(to, 0x2727);
    return to + 2;
  }
  if (kind == KIND_CHARSET) {
    memory.copy(to, openingAddress(column), openingLength(column));
    return writeHex(p, length, to + openingLength(column));
  }
  if (length <= BINARY_HEX_BYTES_MAX) {
    store<u16>(to, 0x7830); // 0x
    return writeHex(p, length, to + 2);
  }
  store<u64>(to, BINARY_OPENING);
  return writeQuoted(p, length, to + BINARY_OPENING_BYTES);
}

function writeReal(p: usize, length: usize, to: usize): usize {
  const isReal = length > 0 && realLength(p, length) == length;
  if (!isReal || endsWithZeroExponent(p, length)) return fail(BAD_NUMBER);
  const out = copy(p, length, to);
  if (hasExponent(p, length)) return out;
  store<u16>(out, 0x3065); // e0
  return out + 2;
}

// @ts-ignore: decorator
@inline
function copy(from: usize, length: usize, to: usize): usize {
  if (length <= 16) v128.store(to, v128.load(from));
  else memory.copy(to, from, length);
  return to + length;
}
