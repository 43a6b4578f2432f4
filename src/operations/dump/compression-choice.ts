/** Which way of compressing suits a piece of SQL. */
import type { CompressionStrategy } from '../../archive/compression.js';

const SAMPLE_BYTES = 4096;
const HEX_SHARE_MIN = 0.9;

/**
 * Hex text of binary values has no repetitions worth searching for: coding its sixteen symbols alone
 * is several times faster and even smaller. A sample from the middle tells.
 */
export function compressionFor(sql: Buffer): CompressionStrategy {
  const start = Math.max(0, Math.floor(sql.length / 2) - SAMPLE_BYTES / 2);
  const sample = sql.subarray(start, start + SAMPLE_BYTES);
  let hex = 0;
  for (const byte of sample) {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    const isLetter = byte >= 0x41 && byte <= 0x46;
    if (isDigit || isLetter) hex += 1;
  }
  return hex >= sample.length * HEX_SHARE_MIN ? 'huffman' : 'default';
}
