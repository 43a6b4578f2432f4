import { describe, expect, it } from 'vitest';
import { combineDigests, EMPTY_DIGEST, equalDigests, makeDigest } from '../../src/sql/digest.js';

describe('digests', () => {
  it('are 16 lower-case digits, of signed and unsigned numbers alike', () => {
    expect(makeDigest(2, -1n, 0xabcn)).toStrictEqual({
      ...{ rows: 2, sum: 'ffffffffffffffff', xor: '0000000000000abc' },
    });
    expect(makeDigest(2, 2n ** 64n - 1n, 0xabcn)).toStrictEqual(makeDigest(2, -1n, 0xabcn));
  });

  it('combine as if the rows had been one table, the sum beyond 64 bits included', () => {
    const left = makeDigest(3, 2n ** 64n - 1n, 0b1100n);
    const right = makeDigest(4, 5n, 0b1010n);
    expect(combineDigests([left, right])).toStrictEqual(makeDigest(7, 4n, 0b0110n));
    expect(combineDigests([left])).toStrictEqual(left);
    expect(combineDigests([])).toStrictEqual(EMPTY_DIGEST);
  });

  it('differ when any part differs: equal rows that come in pairs cancel in the xor alone', () => {
    const one = makeDigest(1, 7n, 7n);
    const two = combineDigests([one, one]);
    expect(equalDigests(two, makeDigest(2, 14n, 0n))).toBe(true);
    expect(equalDigests(two, makeDigest(2, 0n, 0n))).toBe(false);
    expect(equalDigests(one, makeDigest(2, 7n, 7n))).toBe(false);
    expect(equalDigests(one, makeDigest(1, 7n, 6n))).toBe(false);
  });
});
