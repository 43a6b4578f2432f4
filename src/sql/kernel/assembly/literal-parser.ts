// One literal back to the value's bytes, in the form of the row image: length, then bytes. Strict:
// only what the encoder writes for these bytes is accepted.
import {
  BINARY_HEX_BYTES_MAX,
  columnKind,
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
import { specialBytes } from './escape';
import { hasUnstableNumber } from './json';
import { endsWithZeroExponent, hasExponent, numberLength, realLength } from './number';

const NULL_LITERAL: u32 = 0x4c4c554e;
const DEFAULT_LITERAL: u64 = 0x544c5541464544;
const SEVEN_BYTES: u64 = 0xffffffffffffff;
const NULL_MARK: u8 = 0xfb;
const HEX_OPENING: u16 = 0x7830;
const BINARY_OPENING: u64 = 0x207972616e69625f; // "_binary "
const PATCH_OPENING: u64 = 0x5445535f4e4f534a; // "JSON_SET"

/** Where the last value that was read starts and how long it is, in the image. */
let valueAddress: usize = 0;
let valueBytes: usize = 0;
/** Address behind the image so far. */
let imageEnd: usize = 0;
let needsSlowCheck: bool = false;

export function startImage(image: usize): void {
  imageEnd = image;
  needsSlowCheck = false;
}

export function imageEndAddress(): usize {
  return imageEnd;
}

/** Whether the row holds JSON with patches, which only the typed way can judge. */
export function isSlowImage(): bool {
  return needsSlowCheck;
}

/**
 * Reads the literal at `from`, which ends before `end`, appends its value to the image and returns
 * the address behind it; 0 where it is not canonical.
 */
export function parseLiteral(column: usize, from: usize, end: usize): usize {
  if (columnKind(column) == KIND_DEFAULT) {
    return (load<u64>(from) & SEVEN_BYTES) == DEFAULT_LITERAL ? appendNull(from + 7) : 0;
  }
  if (load<u32>(from) == NULL_LITERAL) return appendNull(from + 4);
  switch (columnKind(column)) {
    case KIND_NUMBER:
      return parseNumber(from, end);
    case KIND_TEXT:
      return parseQuoted(from, end);
    case KIND_REAL:
      return parseReal(from, end);
    case KIND_BINARY:
      return parseBinary(from, end);
    case KIND_CHARSET:
      return parseCharset(column, from, end);
    case KIND_JSON:
      return parseJson(from, end);
    default:
      return 0;
  }
}

function appendNull(end: usize): usize {
  store<u8>(imageEnd, NULL_MARK);
  imageEnd += 1;
  return end;
}

function parseNumber(from: usize, end: usize): usize {
  const length = numberLength(from, end - from);
  if (length == 0) return 0;
  memory.copy(imageEnd + 1, from, length);
  appendValue(length);
  return from + length;
}

function parseReal(from: usize, end: usize): usize {
  const literalBytes = realLength(from, end - from);
  let length = literalBytes;
  if (endsWithZeroExponent(from, length)) {
    length -= 2;
    if (length == 0 || hasExponent(from, length)) return 0;
  } else if (!hasExponent(from, length)) {
    return 0;
  }
  memory.copy(imageEnd + 1, from, length);
  appendValue(length);
  return from + literalBytes;
}

function parseBinary(from: usize, end: usize): usize {
  if (load<u64>(from) == BINARY_OPENING) {
    const next = parseQuoted(from + 8, end);
    return valueBytes > BINARY_HEX_BYTES_MAX ? next : 0;
  }
  if (load<u16>(from) != HEX_OPENING) return parseEmpty(from);
  const next = parseHex(from + 2, end);
  return valueBytes <= BINARY_HEX_BYTES_MAX ? next : 0;
}

function parseCharset(column: usize, from: usize, end: usize): usize {
  if (load<u8>(from) == 0x27) return parseEmpty(from);
  const length = openingLength(column);
  if (end - from < length || memory.compare(from, openingAddress(column), length) != 0) return 0;
  return parseHex(from + length, end);
}

function parseEmpty(from: usize): usize {
  if (load<u16>(from) != 0x2727) return 0;
  appendValue(0);
  return from + 2;
}

/**
 * A document with patches is read, its patches are skipped over: whether they are the right ones
 * is for the typed way to say.
 */
function parseJson(from: usize, end: usize): usize {
  const isPatched = load<u64>(from) == PATCH_OPENING && load<u8>(from, 8) == 0x28;
  let p = parseQuoted(isPatched ? from + 9 : from, end);
  if (p == 0) return 0;
  if (!isPatched) return hasUnstableNumber(valueAddress, valueBytes) ? 0 : p;
  needsSlowCheck = true;
  const valueEnd = imageEnd;
  while (p < end && load<u16>(p) == 0x202c) {
    p = parseQuoted(p + 2, end);
    if (p == 0 || end - p < 2) return 0;
    p += 2;
    const number = numberLength(p, end - p);
    if (number == 0) return 0;
    p += number;
    imageEnd = valueEnd;
  }
  return p < end && load<u8>(p) == 0x29 ? p + 1 : 0;
}

/** The bytes go one behind the image's end, as most lengths need one byte; see `appendValue`. */
function parseQuoted(from: usize, end: usize): usize {
  if (load<u8>(from) != 0x27) return 0;
  let p = from + 1;
  const start = imageEnd + 1;
  let out = start;
  while (p < end) {
    const block = v128.load(p);
    v128.store(out, block);
    const marks = <u32>i8x16.bitmask(specialBytes(block));
    if (marks == 0) {
      p += 16;
      out += 16;
      continue;
    }
    const clean = <usize>ctz(marks);
    p += clean;
    out += clean;
    if (p >= end) return 0;
    const byte = load<u8>(p);
    if (byte == 0x27) {
      appendValue(out - start);
      return p + 1;
    }
    const meant = byte == 0x5c ? escapedByte(load<u8>(p, 1)) : 0xff;
    if (meant == 0xff) return 0;
    store<u8>(out, <u8>meant);
    p += 2;
    out += 1;
  }
  return 0;
}

function escapedByte(letter: u32): u32 {
  switch (letter) {
    case 0x30:
      return 0;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x5a:
      return 0x1a;
    case 0x27:
    case 0x5c:
      return letter;
    default:
      return 0xff;
  }
}

function parseHex(from: usize, end: usize): usize {
  const start = imageEnd + 1;
  let out = start;
  let p = from;
  let digits: usize = 16;
  while (digits == 16 && p < end) {
    const block = v128.load(p);
    const value = i8x16.sub(block, i8x16.splat(0x30));
    const isDigit = i8x16.lt_u(value, i8x16.splat(10));
    const letter = i8x16.sub(block, i8x16.splat(0x41));
    const isLetter = i8x16.lt_u(letter, i8x16.splat(6));
    digits = <usize>ctz(~(<u32>i8x16.bitmask(v128.or(isDigit, isLetter))) | 0x10000);
    const halves = v128.bitselect(value, i8x16.add(letter, i8x16.splat(10)), isDigit);
    const high = i16x8.shl(v128.and(halves, i16x8.splat(0x0f)), 4);
    const bytes = v128.or(high, i16x8.shr_u(halves, 8));
    const low = v128.and(bytes, i16x8.splat(0xff));
    v128.store64_lane(out, i8x16.narrow_i16x8_u(low, low), 0);
    out += digits >> 1;
    p += digits;
  }
  if (p == from || p > end || ((p - from) & 1) != 0) return 0;
  appendValue(out - start);
  return p;
}

/** The value of this length stands one behind the image's end; puts its length before it. */
function appendValue(length: usize): void {
  const at = imageEnd;
  let prefixBytes: usize = 1;
  if (length >= 0xfb) {
    prefixBytes = length < 1 << 16 ? 3 : length < 1 << 24 ? 4 : 9;
    memory.copy(at + prefixBytes, at + 1, length);
  }
  if (prefixBytes == 1) {
    store<u8>(at, <u8>length);
  } else if (prefixBytes == 3) {
    store<u8>(at, 0xfc);
    store<u16>(at, <u16>length, 1);
  } else if (prefixBytes == 4) {
    store<u32>(at, 0xfd | (<u32>length << 8));
  } else {
    store<u8>(at, 0xfe);
    store<u64>(at, <u64>length, 1);
  }
  valueAddress = at + prefixBytes;
  valueBytes = length;
  imageEnd = valueAddress + length;
}
