/**
 * XXH64 with seed 0, written for clarity: the reference that the kernel's is tested against.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md#xxh64-algorithm-description
 */
const PRIME_1 = 0x9e37_79b1_85eb_ca87n;
const PRIME_2 = 0xc2b2_ae3d_27d4_eb4fn;
const PRIME_3 = 0x1656_67b1_9e37_79f9n;
const PRIME_4 = 0x85eb_ca77_c2b2_ae63n;
const PRIME_5 = 0x27d4_eb2f_1656_67c5n;

const STRIPE_BYTES = 32;

export function xxh64(bytes: Buffer): bigint {
  const stripesEnd = bytes.length - (bytes.length % STRIPE_BYTES);
  const head = stripesEnd === 0 ? PRIME_5 : hashStripes(bytes, stripesEnd);
  return avalanche(hashTail(wrap(head + BigInt(bytes.length)), bytes, stripesEnd));
}

function hashStripes(bytes: Buffer, end: number): bigint {
  let first = wrap(PRIME_1 + PRIME_2);
  let second = PRIME_2;
  let third = 0n;
  let fourth = wrap(-PRIME_1);
  for (let offset = 0; offset < end; offset += STRIPE_BYTES) {
    first = round(first, bytes.readBigUInt64LE(offset));
    second = round(second, bytes.readBigUInt64LE(offset + 8));
    third = round(third, bytes.readBigUInt64LE(offset + 16));
    fourth = round(fourth, bytes.readBigUInt64LE(offset + 24));
  }
  const mixed = wrap(
    rotateLeft(first, 1n) +
      rotateLeft(second, 7n) +
      rotateLeft(third, 12n) +
      rotateLeft(fourth, 18n),
  );
  return [first, second, third, fourth].reduce(mergeAccumulator, mixed);
}

function mergeAccumulator(hash: bigint, accumulator: bigint): bigint {
  return wrap((hash ^ round(0n, accumulator)) * PRIME_1 + PRIME_4);
}

function hashTail(start: bigint, bytes: Buffer, stripesEnd: number): bigint {
  let hash = start;
  let offset = stripesEnd;
  for (; offset + 8 <= bytes.length; offset += 8) {
    hash ^= round(0n, bytes.readBigUInt64LE(offset));
    hash = wrap(rotateLeft(hash, 27n) * PRIME_1 + PRIME_4);
  }
  if (offset + 4 <= bytes.length) {
    hash ^= wrap(BigInt(bytes.readUInt32LE(offset)) * PRIME_1);
    hash = wrap(rotateLeft(hash, 23n) * PRIME_2 + PRIME_3);
    offset += 4;
  }
  for (; offset < bytes.length; offset += 1) {
    hash ^= wrap(BigInt(bytes.readUInt8(offset)) * PRIME_5);
    hash = wrap(rotateLeft(hash, 11n) * PRIME_1);
  }
  return hash;
}

function avalanche(start: bigint): bigint {
  let hash = wrap((start ^ (start >> 33n)) * PRIME_2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

function round(accumulator: bigint, lane: bigint): bigint {
  return wrap(rotateLeft(wrap(accumulator + lane * PRIME_2), 31n) * PRIME_1);
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
