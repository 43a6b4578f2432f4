/**
 * The bytes of a stream that are still needed: one growing buffer with a start that only moves
 * forward. It knows the stream offset and the line of its start.
 */

const WINDOW_BYTES_MIN = 256 * 1024;

/** A window that grew for one huge statement shrinks again once it is this many times too big. */
const SHRINK_FACTOR = 8;

const NEWLINE = 0x0a;

export class SplitterWindow {
  /** Positions below are indexes into this buffer; {@link append} may replace it. */
  bytes: Buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES_MIN);
  /** First byte still needed. */
  start = 0;
  /** One past the last byte received. */
  end = 0;
  /** 1-based line of the byte at `start`. */
  line = 1;
  /** Stream offset of index 0. */
  #base = 0;

  /** Stream offset of the byte at `index`. */
  offsetOf(index: number): number {
    return this.#base + index;
  }

  /** Copies `chunk` in. Returns how far kept bytes moved towards index 0. */
  append(chunk: Uint8Array): number {
    let moved = 0;
    if (this.end + chunk.length > this.bytes.length) moved = this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
    return moved;
  }

  /** Lets go of everything before `index` and counts its line breaks. */
  releaseTo(index: number): void {
    if (index === this.start) return;
    const released = this.bytes.subarray(this.start, index);
    let at = released.indexOf(NEWLINE);
    while (at !== -1) {
      this.line += 1;
      at = released.indexOf(NEWLINE, at + 1);
    }
    this.start = index;
  }

  #makeRoom(extra: number): number {
    const kept = this.end - this.start;
    const needed = kept + extra;
    const isHuge = this.bytes.length > Math.max(WINDOW_BYTES_MIN, needed * SHRINK_FACTOR);
    const old = this.bytes;
    if (needed > old.length || isHuge) {
      this.bytes = Buffer.allocUnsafeSlow(Math.max(WINDOW_BYTES_MIN, needed * 2));
    }
    old.copy(this.bytes, 0, this.start, this.end);
    const moved = this.start;
    this.#base += moved;
    this.start = 0;
    this.end = kept;
    return moved;
  }
}
