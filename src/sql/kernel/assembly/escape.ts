// Quoted and hexadecimal literals, sixteen bytes at a time.

const QUOTE: u8 = 0x27;
const BACKSLASH: u16 = 0x5c;

/**
 * Marks the bytes 00 0A 0D 1A 27 5C. The low half of a byte selects the special byte with that low
 * half from a table, and only 0A and 1A share theirs. The other table entries match no index.
 */
// @ts-ignore: decorator
@inline
export function specialBytes(block: v128): v128 {
  const table = i8x16(0, 0, 0, 0, 0, 0, 0, 0x27, 0, 0, 0x0a, 0, 0x5c, 0x0d, 0, 0);
  const lowHalf = v128.and(block, i8x16.splat(0x0f));
  return v128.or(
    i8x16.eq(i8x16.swizzle(table, lowHalf), block),
    i8x16.eq(block, i8x16.splat(0x1a)),
  );
}

// @ts-ignore: decorator
@inline
function escapeLetter(byte: u32): u32 {
  if (byte == 0x0a) return 0x6e;
  if (byte == 0x0d) return 0x72;
  if (byte == 0x1a) return 0x5a;
  return byte == 0 ? 0x30 : byte;
}

/**
 * Writes `'…'` for at most sixteen bytes and returns the address behind it; 0 where there is
 * anything to escape.
 */
// @ts-ignore: decorator
@inline
export function writeShortQuoted(from: usize, length: usize, to: usize): usize {
  const block = v128.load(from);
  const marks = <u32>i8x16.bitmask(specialBytes(block)) & ((1 << <u32>length) - 1);
  if (marks != 0) return 0;
  store<u8>(to, QUOTE);
  v128.store(to, block, 1);
  store<u8>(to + length, QUOTE, 1);
  return to + length + 2;
}

/** Writes `'…'` and returns the address behind it. */
export function writeQuoted(from: usize, length: usize, to: usize): usize {
  store<u8>(to, QUOTE);
  let p = from;
  let out = to + 1;
  const end = from + length;
  while (p < end) {
    const block = v128.load(p);
    v128.store(out, block);
    const left = end - p;
    let marks = <u32>i8x16.bitmask(specialBytes(block));
    if (left < 16) marks &= (1 << <u32>left) - 1;
    if (marks == 0) {
      const step = min<usize>(left, 16);
      p += step;
      out += step;
      continue;
    }
    const clean = <usize>ctz(marks);
    p += clean;
    out += clean;
    store<u16>(out, <u16>(BACKSLASH | (<u16>escapeLetter(load<u8>(p)) << 8)));
    p += 1;
    out += 2;
  }
  store<u8>(out, QUOTE);
  return out + 1;
}

/** How many bytes {@link writeQuoted} would escape. */
export function countEscapes(from: usize, length: usize): usize {
  let count: usize = 0;
  const end = from + length;
  for (let p = from; p < end; p += 16) {
    let marks = <u32>i8x16.bitmask(specialBytes(v128.load(p)));
    if (end - p < 16) marks &= (1 << <u32>(end - p)) - 1;
    count += <usize>popcnt(marks);
  }
  return count;
}

/** Writes two upper-case digits per byte and returns the address behind them. */
export function writeHex(from: usize, length: usize, to: usize): usize {
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 65, 66, 67, 68, 69, 70);
  let out = to;
  for (let done: usize = 0; done < length; done += 8) {
    const bytes = v128.load64_zero(from + done);
    const high = i8x16.shr_u(bytes, 4);
    const low = v128.and(bytes, i8x16.splat(0x0f));
    const halves = i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    v128.store(out, i8x16.swizzle(digits, halves));
    out += 16;
  }
  return to + 2 * length;
}
