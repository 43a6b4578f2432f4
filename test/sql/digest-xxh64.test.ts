import { describe, expect, it } from 'vitest';
import { xxh64 } from '../../src/sql/digest-xxh64.js';

/** The buffer of xxHash's own self test (xsum_sanity_check.c). */
function sanityBuffer(length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let state = 2_654_435_761n;
  for (let offset = 0; offset < length; offset += 1) {
    buffer[offset] = Number(state >> 56n);
    state = BigInt.asUintN(64, state * 11_400_714_785_074_694_797n);
  }
  return buffer;
}

describe('xxh64', () => {
  it.each([
    [0, 0xef46_db37_51d8_e999n],
    [1, 0xe934_a84a_db05_2768n],
    [4, 0x9136_a0dc_a574_57een],
    [14, 0x8282_dcc4_994e_35c8n],
    [222, 0xb641_ae8c_b691_c174n],
  ])('gives the published hash of the %i-byte test buffer', (length, hash) => {
    expect(xxh64(sanityBuffer(length))).toBe(hash);
  });

  it.each([
    ['a', 0xd24e_c4f1_a98c_6e5bn],
    ['asdf', 0x4158_72f5_99ce_a71en],
    ['Nobody inspects the spammish repetition', 0xfbce_a83c_8a37_8bf1n],
    ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2_e854_70d6_fd96n],
  ])('gives the known hash of %j', (text, hash) => {
    expect(xxh64(Buffer.from(text))).toBe(hash);
  });
});
