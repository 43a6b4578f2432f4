// Finds JSON documents with a number that MySQL would not print the same after parsing it again.
// What is not certain by its digits alone is asked from `src/sql/json-numbers.ts`.

// @ts-ignore: decorator
@external("host", "isStableNumber")
declare function isStableNumber(token: usize, length: usize): bool;

/** So many digits fit a 64-bit integer for certain. */
const INTEGER_DIGITS_SAFE: usize = 18;
/** A decimal of so many digits is the shortest one that identifies its double. */
const DOUBLE_DIGITS_SAFE: usize = 15;
/** Zeros behind the point up to which doubles are surely printed without an exponent. */
const LEADING_ZEROS_SAFE: usize = 14;

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

/** The address behind the string whose opening quote lies before `from`. */
function skipString(from: usize, end: usize): usize {
  let p = from;
  while (p < end) {
    const block = v128.load(p);
    const marks = <u32>(
      i8x16.bitmask(
        v128.or(i8x16.eq(block, i8x16.splat(0x22)), i8x16.eq(block, i8x16.splat(0x5c))),
      )
    );
    if (marks == 0) {
      p += 16;
      continue;
    }
    p += <usize>ctz(marks);
    if (p >= end || load<u8>(p) == 0x22) return p + 1;
    p += 2;
  }
  return end;
}

function skipDigits(from: usize, end: usize): usize {
  let p = from;
  while (p < end && isDigit(load<u8>(p))) p += 1;
  return p;
}

/** Whether the double that `int.fraction` is parsed to is certain to be printed just so. */
function isSafeFraction(int: usize, intDigits: usize, fraction: usize, digits: usize): bool {
  if (digits == 0) return false;
  const last = load<u8>(fraction + digits - 1);
  if (digits == 1 && last == 0x30) {
    return intDigits <= DOUBLE_DIGITS_SAFE && (intDigits == 1 || load<u8>(int) != 0x30);
  }
  if (last == 0x30) return false;
  if (load<u8>(int) != 0x30) return intDigits + digits <= DOUBLE_DIGITS_SAFE;
  if (intDigits > 1) return false;
  let zeros: usize = 0;
  while (load<u8>(fraction + zeros) == 0x30) zeros += 1;
  return zeros <= LEADING_ZEROS_SAFE && digits - zeros <= DOUBLE_DIGITS_SAFE;
}

/** Whether the document needs patches. */
export function hasUnstableNumber(from: usize, length: usize): bool {
  const end = from + length;
  let p = from;
  while (p < end) {
    const byte = <u32>load<u8>(p);
    if (byte == 0x22) {
      p = skipString(p + 1, end);
      continue;
    }
    if (!isDigit(byte)) {
      p += 1;
      continue;
    }
    const int = p;
    p = skipDigits(p, end);
    const intDigits = p - int;
    const hasPoint = p < end && load<u8>(p) == 0x2e;
    const fraction = p + 1;
    if (hasPoint) p = skipDigits(fraction, end);
    if (p < end && (load<u8>(p) | 0x20) == 0x65) {
      // Only doubles are printed with an exponent.
      p += 1;
      if (p < end && (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d)) p += 1;
      p = skipDigits(p, end);
      continue;
    }
    const isSafe = hasPoint
      ? isSafeFraction(int, intDigits, fraction, p - fraction)
      : intDigits <= INTEGER_DIGITS_SAFE;
    if (isSafe) continue;
    const token = int > from && load<u8>(int - 1) == 0x2d ? int - 1 : int;
    if (!isStableNumber(token, p - token)) return true;
  }
  return false;
}
