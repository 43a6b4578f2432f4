/** Reads fields of an event one after the other; every read beyond the end throws PROTOCOL. */
import { damagedEvent } from './event.js';

export class FieldReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get remaining(): number {
    return this.#bytes.length - this.at;
  }

  take(length: number): Buffer {
    const start = this.at;
    if (length > this.remaining) throw damagedEvent('a field lies beyond its end');
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }

  uint(width: 1 | 2 | 3 | 4 | 5 | 6): number {
    return this.take(width).readUIntLE(0, width);
  }

  int32(): number {
    return this.take(4).readInt32LE(0);
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64LE(0);
  }

  /** A length-encoded integer, which here always fits a number. */
  lengthEncoded(): number {
    const first = this.uint(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    if (first !== 0xfe) throw damagedEvent('a length is not valid');
    const value = this.uint64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedEvent('a length is not valid');
    return Number(value);
  }

  rest(): Buffer {
    return this.take(this.remaining);
  }
}
