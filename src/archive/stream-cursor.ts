/** Takes exact numbers of bytes from a stream of chunks of any sizes. */
import { ReshelveError } from '../errors.js';

export class StreamCursor {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * A new buffer of `start` and the `length` bytes that follow. Throws `DAMAGED` where the stream
   * ends before.
   */
  async take(length: number, start: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(start.length + length);
    start.copy(bytes);
    let filled = start.length;
    while (filled < bytes.length) {
      if (this.#chunk.length === 0 && !(await this.#next())) {
        throw new ReshelveError(
          'DAMAGED',
          `the stream ends after ${this.#offset} bytes, within a member`,
        );
      }
      const copied = this.#chunk.copy(bytes, filled);
      this.#chunk = this.#chunk.subarray(copied);
      this.#offset += copied;
      filled += copied;
    }
    return bytes;
  }

  /** Throws `DAMAGED` where there are more bytes. */
  async expectEnd(): Promise<void> {
    while (this.#chunk.length === 0) {
      if (!(await this.#next())) return;
    }
    throw new ReshelveError('DAMAGED', `the stream goes on after its footer, at ${this.#offset}`);
  }

  async #next(): Promise<boolean> {
    const result = await this.#chunks.next();
    if (result.done === true) return false;
    this.#chunk = result.value;
    return true;
  }
}
