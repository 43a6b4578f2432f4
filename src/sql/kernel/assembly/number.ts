// Numbers go into the SQL as they came, so nothing but numbers may.

// @ts-ignore: decorator
@inline
function digitsAndPoints(block: v128): v128 {
  const isDigit = i8x16.lt_u(i8x16.sub(block, i8x16.splat(0x30)), i8x16.splat(10));
  return v128.or(isDigit, i8x16.eq(block, i8x16.splat(0x2e)));
}

// @ts-ignore: decorator
@inline
function digitsAndSigns(block: v128): v128 {
  const signs = v128.or(
    i8x16.eq(block, i8x16.splat(0x2d)),
    i8x16.eq(block, i8x16.splat(0x2b)),
  );
  return v128.or(
    digitsAndPoints(block),
    v128.or(signs, i8x16.eq(block, i8x16.splat(0x65))),
  );
}

/** Whether these one to sixteen bytes are a number `-?[0-9.]+`. */
// @ts-ignore: decorator
@inline
export function isShortNumber(from: usize, length: usize): bool {
  const block = v128.load(from);
  const marks = <u32>i8x16.bitmask(digitsAndPoints(block));
  const wanted: u32 = (1 << <u32>length) - 1;
  // A sign counts as a digit, except when it is all there is.
  const sign: u32 = i8x16.extract_lane_u(block, 0) == 0x2d && length > 1 ? 1 : 0;
  return ((marks | sign) & wanted) == wanted;
}

/** How many bytes from `from`, fewer than `limit`, are digits or points. */
function numberSpan(from: usize, limit: usize): usize {
  for (let done: usize = 0; done < limit; done += 16) {
    const others = ~(<u32>i8x16.bitmask(digitsAndPoints(v128.load(from + done))));
    const span = done + <usize>ctz(others | 0x10000);
    if (span < done + 16 || span >= limit) return min(span, limit);
  }
  return limit;
}

function realSpan(from: usize, limit: usize): usize {
  for (let done: usize = 0; done < limit; done += 16) {
    const others = ~(<u32>i8x16.bitmask(digitsAndSigns(v128.load(from + done))));
    const span = done + <usize>ctz(others | 0x10000);
    if (span < done + 16 || span >= limit) return min(span, limit);
  }
  return limit;
}

/** The length of the number `-?[0-9.]+` that starts here, at most `limit`; 0 for none. */
export function numberLength(from: usize, limit: usize): usize {
  const sign: usize = limit > 0 && load<u8>(from) == 0x2d ? 1 : 0;
  const span = numberSpan(from + sign, limit - sign);
  return span == 0 ? 0 : sign + span;
}

/** The length of the number `[0-9.e+-]+` that starts here, at most `limit`; 0 for none. */
export function realLength(from: usize, limit: usize): usize {
  return realSpan(from, limit);
}

export function endsWithZeroExponent(from: usize, length: usize): bool {
  return length >= 2 && load<u16>(from + length - 2) == 0x3065;
}

export function hasExponent(from: usize, length: usize): bool {
  const end = from + length;
  for (let p = from; p < end; p += 16) {
    let marks = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0x65)));
    if (end - p < 16) marks &= (1 << <u32>(end - p)) - 1;
    if (marks != 0) return true;
  }
  return false;
}
