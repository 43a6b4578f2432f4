/**
 * From the pieces of a dump's packets to events without checksums. Only the events inside of a
 * compressed transaction are given, not their envelope; every other event is held whole.
 */
import { ChecksumPolicy, damagedEvent, EVENT, EVENT_HEADER_BYTES, eventSize } from './event.js';
import type { LogEvent } from './event.js';
import { PayloadDecoder } from './payload.js';

/** An event with the place of its outermost envelope in the log. */
export interface PlacedEvent extends LogEvent {
  /** It came out of a compressed transaction. */
  readonly isInside: boolean;
  /** The envelope is over with this event: an event of its own, or the empty end of a payload. */
  readonly isLast: boolean;
}

export class EventAssembler {
  readonly #checksums = new ChecksumPolicy();
  #parts: Buffer[] = [];
  #length = 0;
  #payload: PayloadDecoder | undefined;
  #payloadHeader: LogEvent | undefined;

  /**
   * Takes a piece of one event; `isLast` where the event ends with it. Yields events lazily: take
   * all of them before the next call. Buffers may alias the pieces.
   */
  *push(piece: Buffer, isLast: boolean): Generator<PlacedEvent> {
    if (this.#payload !== undefined) {
      yield* this.#pushPayload(piece, isLast);
      return;
    }
    this.#parts.push(piece);
    this.#length += piece.length;
    if (this.#length >= EVENT_HEADER_BYTES && this.#parts.length > 0 && this.#isPayload()) {
      const start = this.#takeParts();
      this.#payload = new PayloadDecoder(eventSize(start), this.#checksums.isOn);
      this.#payloadHeader = {
        type: EVENT.transactionPayload,
        timestamp: start.readUInt32LE(0),
        serverId: start.readUInt32LE(5),
        endPosition: start.readUInt32LE(13),
        flags: start.readUInt16LE(17),
        loggedLength: eventSize(start),
        bytes: Buffer.alloc(0),
      };
      yield* this.#pushPayload(start, isLast);
      return;
    }
    if (isLast) {
      const event = this.#checksums.strip(this.#takeParts());
      yield { ...event, isInside: false, isLast: true };
    }
  }

  #isPayload(): boolean {
    if (this.#parts[0] !== undefined && this.#parts[0].length >= EVENT_HEADER_BYTES) {
      return this.#parts[0][4] === EVENT.transactionPayload;
    }
    this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]?.[4] === EVENT.transactionPayload;
  }

  #takeParts(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    if (whole === undefined) throw damagedEvent('it is empty');
    return whole;
  }

  *#pushPayload(piece: Buffer, isLast: boolean): Generator<PlacedEvent> {
    const [payload, header] = [this.#payload, this.#payloadHeader];
    if (payload === undefined || header === undefined) return;
    for (const event of payload.push(piece)) yield { ...event, isInside: true, isLast: false };
    if (!isLast) return;
    payload.finish();
    this.#payload = undefined;
    // Without bytes: it only tells where the transaction ends in the log.
    yield { ...header, isInside: false, isLast: true };
  }
}
