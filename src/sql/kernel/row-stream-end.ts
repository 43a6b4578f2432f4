/** The packets that end a result set. */
import { ReshelveError } from '../../errors.js';
import type { TableDigest } from '../digest.js';

/** How the result set ended. */
export type RowStreamEnd =
  | {
      readonly kind: 'end';
      readonly digest: TableDigest;
      readonly warnings: number;
      readonly statusFlags: number;
      /** What followed the end in the same chunk: a copy, usually empty. */
      readonly leftover: Buffer;
    }
  | {
      /** The server gave up; the rows before are good, but not all of them. */
      readonly kind: 'error';
      readonly errno: number;
      readonly sqlState: string;
      /** As sent: in the session's character set. */
      readonly message: Buffer;
      readonly leftover: Buffer;
    };

export const ERROR_MARK = 0xff;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html */
export function parseErrorPacket(packet: Buffer, leftover: Buffer): RowStreamEnd {
  if (packet.length < 3) {
    throw new ReshelveError('PROTOCOL', 'expected an error packet but found one that is malformed');
  }
  const hasState = packet[3] === 0x23; // #
  return {
    kind: 'error',
    errno: packet.readUInt16LE(1),
    sqlState: hasState ? packet.toString('latin1', 4, 9) : 'HY000',
    message: packet.subarray(hasState ? 9 : 3),
    leftover,
  };
}
