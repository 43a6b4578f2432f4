/** Ways to damage the bytes of an archive. */
import { parseMemberHeader } from '../../src/archive/member-header.js';

/** A copy in which one bit, counted from the first byte's lowest, is the other one. */
export function flipBit(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = bit >> 3;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** The stored bytes of every member, index and footer included. */
export function splitMembers(archive: Buffer): Buffer[] {
  const members: Buffer[] = [];
  for (let at = 0; at < archive.length;) {
    const { storedLength } = parseMemberHeader(archive.subarray(at));
    members.push(archive.subarray(at, at + storedLength));
    at += storedLength;
  }
  return members;
}

/** Every archive that has two members swapped, one dropped or one doubled, with what was done. */
export function* rearrangements(archive: Buffer): Generator<{ what: string; bytes: Buffer }> {
  const members = splitMembers(archive);
  for (const [first, member] of members.entries()) {
    const without = members.filter((_, position) => position !== first);
    yield { what: `member ${first} dropped`, bytes: Buffer.concat(without) };
    const doubled = [...members.slice(0, first), member, ...members.slice(first)];
    yield { what: `member ${first} doubled`, bytes: Buffer.concat(doubled) };
    yield {
      what: `member ${first} repeated at the end`,
      bytes: Buffer.concat([...members, member]),
    };
    for (let second = first + 1; second < members.length; second += 1) {
      const swapped = members.with(first, members[second] ?? member).with(second, member);
      yield { what: `members ${first} and ${second} swapped`, bytes: Buffer.concat(swapped) };
    }
  }
}
