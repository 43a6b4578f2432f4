/**
 * A row image: the payload of one text-protocol row packet. Per column it is 0xFB for NULL, else a
 * length-encoded integer and that many bytes.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
 */
import { ReshelveError } from '../errors.js';

/** One value per column, as the server printed it; `null` for NULL. */
export type RowValues = readonly (Buffer | null)[];

const NULL_MARK = 0xfb;

/**
 * @returns views into `image`.
 * @throws {ReshelveError} PROTOCOL where `image` is not a row of that many columns, or a length is
 * written longer than need be: the image made from the literals again could not be the same.
 */
export function parseRowImage(image: Buffer, columnCount: number): RowValues {
  const values: (Buffer | null)[] = [];
  let offset = 0;
  for (let column = 0; column < columnCount; column += 1) {
    if (image[offset] === NULL_MARK) {
      values.push(null);
      offset += 1;
      continue;
    }
    const { length, prefixBytes } = readLength(image, offset);
    const start = offset + prefixBytes;
    offset = start + length;
    if (offset > image.length) throw malformedRow();
    values.push(image.subarray(start, offset));
  }
  if (offset !== image.length) throw malformedRow();
  return values;
}

/** The inverse of {@link parseRowImage}. */
export function formatRowImage(values: RowValues): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) {
    if (value === null) parts.push(Buffer.of(NULL_MARK));
    else parts.push(formatLength(value.length), value);
  }
  return Buffer.concat(parts);
}

function readLength(image: Buffer, offset: number): { length: number; prefixBytes: number } {
  const first = image[offset] ?? 0xff;
  if (first < NULL_MARK) return { length: first, prefixBytes: 1 };
  const lengthBytes = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : undefined;
  if (lengthBytes === undefined || offset + 1 + lengthBytes > image.length) throw malformedRow();
  const low = image.readUIntLE(offset + 1, Math.min(lengthBytes, 4));
  const high = lengthBytes === 8 ? image.readUInt32LE(offset + 5) : 0;
  const length = low + high * 2 ** 32;
  const isInside = length <= image.length;
  if (!isInside || formatLength(length).length !== lengthBytes + 1) throw malformedRow();
  return { length, prefixBytes: lengthBytes + 1 };
}

function formatLength(length: number): Buffer {
  if (length < NULL_MARK) return Buffer.of(length);
  const lengthBytes = length < 2 ** 16 ? 2 : length < 2 ** 24 ? 3 : 8;
  const bytes = Buffer.alloc(1 + lengthBytes);
  bytes[0] = lengthBytes === 2 ? 0xfc : lengthBytes === 3 ? 0xfd : 0xfe;
  bytes.writeUIntLE(length, 1, Math.min(lengthBytes, 6));
  return bytes;
}

function malformedRow(): ReshelveError {
  return new ReshelveError('PROTOCOL', 'expected a row packet but found one that is malformed');
}
