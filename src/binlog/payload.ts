/**
 * TRANSACTION_PAYLOAD: a whole transaction, compressed. It is taken as its bytes come and its events
 * go on one by one, so that neither the compressed nor the plain transaction is ever held whole.
 */
import { Decompress } from 'fzstd';
import {
  CHECKSUM_BYTES,
  damagedEvent,
  EVENT_HEADER_BYTES,
  EventSplitter,
  readEvent,
} from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';
import { crc32 } from 'node:zlib';

/** Fields of the payload's head; 0 ends it. */
const FIELD = { end: 0, size: 1, compression: 2, plainSize: 3 } as const;
const COMPRESSION_ZSTD = 0;
const COMPRESSION_NONE = 255;

/** The head has four small fields; more than that is damage. */
const HEAD_BYTES_MAX = 256;
/** A slice of 4 KiB inflates to some 100 KB usually, and to 128 MB at the very worst. */
const SLICE_BYTES = 4096;

/** Takes one payload event in pieces of any size. */
export class PayloadDecoder {
  readonly #size: number;
  readonly #hasChecksum: boolean;
  #crc = 0;
  #received = 0;
  #head: Buffer | undefined = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #inflated: Buffer[] = [];
  #zstd: Decompress | undefined;
  readonly #events = new EventSplitter();

  /** `size` is that of the whole event as its header says. */
  constructor(size: number, hasChecksum: boolean) {
    this.#size = size;
    this.#hasChecksum = hasChecksum;
  }

  /** Yields the events that `piece` completes. Their buffers are valid until the next is asked for. */
  *push(piece: Buffer): Generator<LogEvent> {
    const bodyEnd = this.#size - (this.#hasChecksum ? CHECKSUM_BYTES : 0);
    const body = piece.subarray(0, Math.max(0, bodyEnd - this.#received));
    this.#tail = Buffer.concat([this.#tail, piece.subarray(body.length)]);
    this.#received += piece.length;
    if (this.#received > this.#size) throw damagedEvent('it is longer than its header says');
    if (this.#hasChecksum) this.#crc = crc32(body, this.#crc);
    yield* this.#takeBody(body);
  }

  /** Throws where the event was not whole or its checksum is wrong. */
  finish(): void {
    if (this.#received !== this.#size || this.#head !== undefined) throw damagedEvent('it is cut');
    if (this.#hasChecksum && this.#tail.readUInt32LE(0) !== this.#crc) {
      throw damagedEvent('its checksum is wrong');
    }
    this.#events.finish();
  }

  *#takeBody(body: Buffer): Generator<LogEvent> {
    let data = body;
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, body]);
      const start = this.#readHead(this.#head);
      if (start === undefined) return;
      data = this.#head.subarray(start);
      this.#head = undefined;
    }
    for (let at = 0; at < data.length; at += SLICE_BYTES) {
      yield* this.#inflate(data.subarray(at, at + SLICE_BYTES));
    }
  }

  /** Where the data begins; undefined while the head is not whole. */
  #readHead(head: Buffer): number | undefined {
    const reader = new FieldReader(head, EVENT_HEADER_BYTES);
    let compression = COMPRESSION_ZSTD;
    try {
      for (;;) {
        const field = reader.lengthEncoded();
        if (field === FIELD.end) break;
        const value = new FieldReader(reader.take(reader.lengthEncoded()), 0);
        if (field === FIELD.compression) compression = value.lengthEncoded();
      }
    } catch (error) {
      if (head.length > HEAD_BYTES_MAX || this.#received >= this.#size) throw error;
      return undefined;
    }
    if (compression === COMPRESSION_ZSTD) {
      this.#zstd = new Decompress((data) => {
        this.#inflated.push(Buffer.from(data.buffer, data.byteOffset, data.length));
      });
    } else if (compression !== COMPRESSION_NONE) {
      throw damagedEvent(`a compressed transaction of the unknown kind ${compression}`);
    }
    return reader.at;
  }

  *#inflate(slice: Buffer): Generator<LogEvent> {
    if (this.#zstd === undefined) this.#inflated.push(slice);
    else {
      try {
        this.#zstd.push(slice);
      } catch (cause) {
        throw damagedEvent(`a compressed transaction does not inflate (${String(cause)})`);
      }
    }
    const inflated = this.#inflated;
    this.#inflated = [];
    for (const data of inflated) {
      for (const bytes of this.#events.push(data)) yield readEvent(bytes, 0);
    }
  }
}
