/**
 * Pull-based reading from a socket: nothing is read ahead beyond the socket's own buffer, so that a
 * slow consumer slows the server down instead of filling memory.
 */
import type { Duplex } from 'node:stream';
import { ReshelveError } from '../errors.js';
import { PACKET_HEADER_BYTES, PACKET_PAYLOAD_MAX } from './protocol.js';

export interface PacketPiece {
  readonly piece: Buffer;
  /** The payload ends with this piece. */
  readonly isLast: boolean;
}

export class SocketReader {
  readonly #socket: Duplex;
  readonly #where: string;
  readonly #silenceMs: number;
  #pending: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #sequence = 0;

  /** `silenceMs`: how long the rest of a packet may keep us waiting once it has begun. */
  constructor(socket: Duplex, where: string, silenceMs: number) {
    this.#socket = socket;
    this.#where = where;
    this.#silenceMs = silenceMs;
    const wake = (): void => {
      this.#wake?.();
    };
    socket.on('readable', wake);
    socket.on('error', (error) => {
      this.fail(lost(where, error));
    });
    socket.on('end', () => {
      this.fail(lost(where));
    });
    socket.on('close', () => {
      this.fail(lost(where));
    });
  }

  /** Every read from now on, a waiting one included, throws `error`. The first failure wins. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The server numbers its packets from here on as the answer to a new command. */
  startAnswer(): void {
    this.#sequence = 1;
  }

  /** Tells which sequence number the next packet must carry; used where rows are decoded elsewhere. */
  get nextSequence(): number {
    return this.#sequence;
  }

  set nextSequence(value: number) {
    this.#sequence = value & 0xff;
  }

  /**
   * The next bytes, whatever their number. Throws CONNECTION_LOST when the server goes away and
   * TIMEOUT after `timeoutMs` of silence.
   */
  async nextChunk(timeoutMs: number): Promise<Buffer> {
    if (this.#pending.length > 0) {
      const chunk = this.#pending;
      this.#pending = Buffer.alloc(0);
      return chunk;
    }
    return this.#read(timeoutMs);
  }

  /** Gives bytes back that belong to what follows; the buffer is kept, not copied. */
  giveBack(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([bytes, this.#pending]);
  }

  /**
   * One whole payload, joined where it spans several packets. The answer may take `timeoutMs` to
   * begin; what a damaged length promises must not be waited for as long.
   */
  async nextPacket(timeoutMs: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const { piece, isLast } = await this.nextPiece(timeoutMs, parts.length > 0);
      if (isLast) return parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
      parts.push(piece);
    }
  }

  /** As `nextPacket`, but a payload of 16 MB and more comes in pieces, each with the packet it had. */
  async nextPiece(timeoutMs: number, isFollowing: boolean): Promise<PacketPiece> {
    const restMs = Math.min(timeoutMs, this.#silenceMs);
    const header = await this.#exactly(PACKET_HEADER_BYTES, isFollowing ? restMs : timeoutMs);
    const length = header.readUIntLE(0, 3);
    const sequence = header.readUInt8(3);
    if (sequence !== this.#sequence) {
      throw new ReshelveError(
        'PROTOCOL',
        `${this.#where}: expected packet number ${this.#sequence} but found ${sequence}`,
      );
    }
    this.#sequence = (this.#sequence + 1) & 0xff;
    const piece = await this.#exactly(length, restMs);
    return { piece, isLast: length < PACKET_PAYLOAD_MAX };
  }

  async #exactly(length: number, timeoutMs: number): Promise<Buffer> {
    if (this.#pending.length < length) {
      const parts = [this.#pending];
      let have = this.#pending.length;
      this.#pending = Buffer.alloc(0);
      while (have < length) {
        const chunk = await this.#read(timeoutMs);
        parts.push(chunk);
        have += chunk.length;
      }
      this.#pending = Buffer.concat(parts);
    }
    const result = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return result;
  }

  async #read(timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.#failure !== undefined) throw this.#failure;
      const remaining = deadline - performance.now();
      if (remaining <= 0) {
        throw new ReshelveError(
          'TIMEOUT',
          `${this.#where} did not answer within ${Math.round(timeoutMs / 1000)} s`,
        );
      }
      await this.#wait(remaining);
    }
  }

  async #wait(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(limitMs, 0x7fffffff));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function lost(where: string, cause?: Error): ReshelveError {
  const detail =
    cause === undefined ? '' : ` (${(cause as NodeJS.ErrnoException).code ?? cause.name})`;
  return new ReshelveError('CONNECTION_LOST', `the connection to ${where} was lost${detail}`, {
    cause,
  });
}
