// XXH64, seed 0. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

// @ts-ignore: decorator
@inline
function round(accumulator: u64, lane: u64): u64 {
  return rotl(accumulator + lane * PRIME_2, 31) * PRIME_1;
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ round(0, accumulator)) * PRIME_1 + PRIME_4;
}

export function xxh64(start: usize, length: usize): u64 {
  let p = start;
  const end = start + length;
  let hash: u64;
  if (length >= 32) {
    let a = PRIME_1 + PRIME_2;
    let b = PRIME_2;
    let c: u64 = 0;
    let d: u64 = 0 - PRIME_1;
    const stripesEnd = end - 31;
    do {
      a = round(a, load<u64>(p));
      b = round(b, load<u64>(p, 8));
      c = round(c, load<u64>(p, 16));
      d = round(d, load<u64>(p, 24));
      p += 32;
    } while (p < stripesEnd);
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = PRIME_5;
  }
  hash += <u64>length;
  while (p + 8 <= end) {
    hash = rotl(hash ^ round(0, load<u64>(p)), 27) * PRIME_1 + PRIME_4;
    p += 8;
  }
  if (p + 4 <= end) {
    hash = rotl(hash ^ (<u64>load<u32>(p) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    p += 4;
  }
  while (p < end) {
    hash = rotl(hash ^ (<u64>load<u8>(p) * PRIME_5), 11) * PRIME_1;
    p += 1;
  }
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}
