/** Where in the log an event stands; the log's own positions have 32 bits, ours have not. */
import type { BinlogPlace } from '../archive/index-types.js';
import type { LogEvent } from './event.js';
import { EVENT, FLAG } from './event.js';
import { FieldReader } from './reader.js';

const WRAP = 2 ** 32;

export class LogPosition {
  #file: string;
  #position: number;

  constructor(start: BinlogPlace) {
    this.#file = start.binlogFile;
    this.#position = start.position;
  }

  get file(): string {
    return this.#file;
  }

  /** Behind the last event that was taken. */
  get place(): BinlogPlace {
    return { binlogFile: this.#file, position: this.#position };
  }

  /** Takes the event and tells where it begins; events that are in no file begin where we stand. */
  advance(event: LogEvent): number {
    const isInFile = (event.flags & FLAG.artificial) === 0 && event.endPosition !== 0;
    if (!isInFile || event.type === EVENT.heartbeat || event.type === EVENT.heartbeatV2) {
      return this.#position;
    }
    const laps = Math.floor(this.#position / WRAP);
    let end = laps * WRAP + event.endPosition;
    if (end < this.#position) end += WRAP;
    this.#position = end;
    return end - event.loggedLength;
  }

  rotate(event: LogEvent): void {
    const reader = new FieldReader(event.bytes, 19);
    this.#position = Number(reader.uint64());
    this.#file = reader.rest().toString('utf8');
  }
}

/** The number that a binlog's name ends in. */
export function fileNumber(name: string): number {
  return Number(/(\d+)$/.exec(name)?.[1] ?? Number.NaN);
}

export function isBefore(left: BinlogPlace, right: BinlogPlace): boolean {
  const [leftFile, rightFile] = [fileNumber(left.binlogFile), fileNumber(right.binlogFile)];
  if (leftFile !== rightFile) return leftFile < rightFile;
  return left.position < right.position;
}
