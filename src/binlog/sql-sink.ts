/** Collects SQL in one buffer that grows, and counts its statements. */
import { ROWS_FLAGS_AT, STATEMENT_END } from './row-count.js';

const INITIAL_BYTES = 256 * 1024;

export class SqlSink {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #statements = 0;
  #longest = 0;
  #statementStart = 0;

  get length(): number {
    return this.#length;
  }

  get statements(): number {
    return this.#statements;
  }

  get longestStatement(): number {
    return this.#longest;
  }

  /** Whole statements on lines of their own, or comments. */
  line(text: string, statements = 1): void {
    this.#reserve(text.length * 3 + 1);
    const start = this.#length;
    this.#length += this.#buffer.write(text, start, 'utf8');
    this.#buffer[this.#length] = 0x0a;
    this.#length += 1;
    this.#statements += statements;
    if (statements > 0) this.#longest = Math.max(this.#longest, this.#length - start);
  }

  bytes(data: Uint8Array): void {
    this.#reserve(data.length);
    this.#buffer.set(data, this.#length);
    this.#length += data.length;
  }

  beginStatement(): void {
    this.#statementStart = this.#length;
  }

  /** The bytes since `beginStatement` are one statement. */
  endStatement(): void {
    this.#statements += 1;
    this.#longest = Math.max(this.#longest, this.#length - this.#statementStart);
  }

  /** One event in base64 on a line of its own; gives the place of the line. */
  event(event: Buffer): number {
    const start = this.#length;
    this.#reserve(Math.ceil(event.length / 3) * 4 + 1);
    this.#length += this.#buffer.write(event.toString('base64'), start, 'latin1');
    this.#buffer[this.#length] = 0x0a;
    this.#length += 1;
    return start;
  }

  /** Sets the flag STMT_END in the row event whose line begins at `start`. */
  setStatementEnd(start: number): void {
    // Bytes 24 to 26 of the event are characters 32 to 35.
    const group = start + ((ROWS_FLAGS_AT - 1) / 3) * 4;
    const bytes = Buffer.from(this.#buffer.toString('latin1', group, group + 4), 'base64');
    bytes[1] = (bytes[1] ?? 0) | STATEMENT_END;
    this.#buffer.write(bytes.toString('base64'), group, 'latin1');
  }

  /** Everything of `other`, which is empty afterwards. */
  append(other: SqlSink): void {
    this.bytes(other.#buffer.subarray(0, other.#length));
    this.#statements += other.#statements;
    this.#longest = Math.max(this.#longest, other.#longest);
    other.clear();
  }

  /** A copy of everything; the sink is empty afterwards. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.clear();
    return taken;
  }

  clear(): void {
    this.#length = 0;
    this.#statements = 0;
    this.#longest = 0;
    // What one huge event has grown must not stay for good.
    if (this.#buffer.length > SHRINK_ABOVE_BYTES) this.#buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

const SHRINK_ABOVE_BYTES = 16 * 1024 * 1024;
