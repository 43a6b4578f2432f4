// Goal: headers and footers survive the round trip, and no flipped bit in them goes unseen.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from 'node:zlib';
import { FOOTER_LENGTH, encodeFooter, parseFooter } from '../../src/archive/footer.js';
import {
  MEMBER_HEADER_LENGTH,
  encodeMemberHeader,
  findMemberHeader,
  parseMemberHeader,
  wrongSignatureBytes,
} from '../../src/archive/member-header.js';
import { MEMBER_KIND_CODES, mayFollow } from '../../src/archive/member-kinds.js';
import type { MemberKind } from '../../src/archive/member-kinds.js';
import { flipBit } from './damage.js';

const kinds = Object.keys(MEMBER_KIND_CODES) as MemberKind[];
const u32 = fc.nat(0xffff_ffff);
const headers = fc.record({ kind: fc.constantFrom(...kinds), number: u32, storedLength: u32 });

const footer = {
  indexOffset: 5_000_000_000_000,
  indexLength: 4_000_000_000,
  memberCount: 3_000_000_000,
  indexSha256: 'ab'.repeat(32),
};

test('parsing a member header inverts encoding it', () => {
  fc.assert(
    fc.property(headers, (header) => {
      expect(parseMemberHeader(encodeMemberHeader(header))).toEqual(header);
    }),
  );
});

test('parsing a footer inverts encoding it, also with offsets beyond 4 GiB', () => {
  const footers = fc.record({
    indexOffset: fc.maxSafeNat(),
    indexLength: u32,
    memberCount: fc.integer({ min: 2, max: 0xffff_ffff }),
    indexSha256: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
      return Buffer.from(bytes).toString('hex');
    }),
  });
  fc.assert(
    fc.property(footers, (value) => {
      expect(parseFooter(encodeFooter(value))).toEqual(value);
    }),
  );
});

test('each flipped bit of a header or footer is refused as damage', () => {
  const header = encodeMemberHeader({ kind: 'data', number: 7, storedLength: 12_345 });
  for (let bit = 0; bit < MEMBER_HEADER_LENGTH * 8; bit += 1) {
    expect(() => parseMemberHeader(flipBit(header, bit))).toThrow(damaged);
  }
  const bytes = encodeFooter(footer);
  for (let bit = 0; bit < FOOTER_LENGTH * 8; bit += 1) {
    expect(() => parseFooter(flipBit(bytes, bit))).toThrow(damaged);
  }
});

test('a header or footer of the wrong length is refused', () => {
  const header = encodeMemberHeader({ kind: 'data', number: 7, storedLength: 12_345 });
  const bytes = encodeFooter(footer);
  for (let length = 0; length < MEMBER_HEADER_LENGTH; length += 1) {
    expect(() => parseMemberHeader(header.subarray(0, length))).toThrow(damaged);
  }
  expect(() => parseFooter(bytes.subarray(0, FOOTER_LENGTH - 1))).toThrow(damaged);
  expect(() => parseFooter(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(damaged);
});

test('a later format is refused by name, both versions in the message', () => {
  const header = encodeMemberHeader({ kind: 'header', number: 0, storedLength: 100 });
  header[16] = 9;
  header.writeUInt32LE(crc32(header.subarray(0, 26)), 26);
  expect(() => parseMemberHeader(header)).toThrow(
    expect.objectContaining({
      code: 'FORMAT_TOO_NEW',
      message: expect.stringMatching(/format 9 .* than 1,/) as string,
    }),
  );
});

test('a header with a sound checksum but no legal kind or length is refused', () => {
  const patched = (offset: number, value: number): Buffer => {
    const header = encodeMemberHeader({ kind: 'header', number: 0, storedLength: 100 });
    header[offset] = value;
    header.writeUInt32LE(crc32(header.subarray(0, 26)), 26);
    return header;
  };
  expect(() => parseMemberHeader(patched(17, 0))).toThrow(damaged);
  expect(() => parseMemberHeader(patched(17, 10))).toThrow(damaged);
  expect(() => parseMemberHeader(patched(16, 0))).toThrow(damaged);
  expect(() => parseMemberHeader(patched(10, 74))).toThrow(damaged);
});

test('a header is found among other bytes, and not where its checksum fails', () => {
  const header = encodeMemberHeader({ kind: 'data', number: 7, storedLength: 12_345 });
  const noise = Buffer.alloc(50, 0x1f);
  expect(findMemberHeader(Buffer.concat([noise, header, noise]))).toBe(50);
  expect(findMemberHeader(Buffer.concat([flipBit(header, 150), noise, header]))).toBe(80);
  expect(findMemberHeader(Buffer.concat([noise, header.subarray(0, 29)]))).toBe(-1);
});

test('damage to a signature is told from another file', () => {
  const header = encodeMemberHeader({ kind: 'data', number: 7, storedLength: 12_345 });
  expect(wrongSignatureBytes(header)).toBe(0);
  expect(wrongSignatureBytes(flipBit(header, 3))).toBe(1);
  expect(wrongSignatureBytes(Buffer.from('1f8b0808d2029649000373616b696c61', 'hex'))).toBe(10);
  const bgzip = Buffer.from('1f8b08040000000000ff0600424302001b00', 'hex');
  expect(wrongSignatureBytes(bgzip)).toBe(3);
  expect(wrongSignatureBytes(Buffer.alloc(0))).toBe(14);
});

test('kinds follow each other in the order of their codes, and four come once only', () => {
  for (const [position, kind] of kinds.entries()) {
    for (const [nextPosition, next] of kinds.entries()) {
      const once = ['header', 'closing', 'index', 'footer'].includes(next);
      const legal = once ? nextPosition > position : nextPosition >= position;
      expect(mayFollow(kind, next), `${kind} ${next}`).toBe(legal);
    }
  }
});

const damaged = expect.objectContaining({ code: 'DAMAGED' }) as Error;
