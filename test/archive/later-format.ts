import { crc32 } from 'node:zlib';
import { splitMembers } from './damage.js';

/** The archive as if a later format had written it: same places, its number in every header. */
export function encodeAsFormat(archive: Buffer, format: number): Buffer {
  const members = splitMembers(archive).map((stored) => {
    const member = Buffer.from(stored);
    member[16] = format;
    member.writeUInt32LE(crc32(member.subarray(0, 26)), 26);
    return member;
  });
  const footer = members.at(-1);
  footer?.writeUInt32LE(crc32(footer.subarray(0, 82)), 82);
  return Buffer.concat(members);
}
