// Socket bytes to row images. A row that lies whole in the chunk is used where it is; one that
// spans chunks, or packets, is put together in the carry region.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
import { ensureMemory } from './memory';
import {
  BAD_PACKET,
  BAD_SEQUENCE,
  END,
  HUGE_ROW,
  NEED_INPUT,
  OK,
  OUT_OF_MEMORY,
  ROW_TOO_LARGE,
  SERVER_ERROR,
} from './status';

const HEADER_BYTES: usize = 4;
/** A packet of this length is continued by the next one. */
const PAYLOAD_BYTES_MAX: usize = 0xffffff;
const EOF_MARK: u32 = 0xfe;
const EOF_BYTES: usize = 5;
const ERROR_MARK: u32 = 0xff;

/** A row with so many bytes is taken only where {@link allowHugeRow} was called. */
const HUGE_ROW_BYTES: usize = 4 << 20;

/** A longer row could not come back in any statement. */
const ROW_BYTES_MAX: u64 = 1 << 30;

let chunk: usize = 0;
let inputStart: usize = 0;
let inputEnd: usize = 0;
let sequence: u32 = 0;

let carry: usize = 0;
let carryLength: usize = 0;
let isCarrying: bool = false;
/** Payload bytes of the current packet that have not come yet. */
let missing: usize = 0;
let isContinued: bool = false;
let isHugeRowAllowed: bool = false;

let image: usize = 0;
let imageEnd: usize = 0;

export function rowImage(): usize {
  return image;
}

export function rowImageEnd(): usize {
  return imageEnd;
}

/** Also the payload of the packet that ended the result set. */
export function rowImageBytes(): usize {
  return imageEnd - image;
}

/** An address behind which nothing is in use. */
export function freeAddress(): usize {
  return isCarryImage() ? imageEnd : carry;
}

function isCarryImage(): bool {
  return image == carry;
}

export function startPackets(chunkAddress: usize, carryAddress: usize, sequenceId: u32): void {
  chunk = chunkAddress;
  carry = carryAddress;
  sequence = sequenceId;
  inputStart = chunk;
  inputEnd = chunk;
  carryLength = 0;
  isCarrying = false;
  missing = 0;
  isContinued = false;
  isHugeRowAllowed = false;
  image = 0;
  imageEnd = 0;
}

/** The next row may be of any length, and ends its member. */
export function allowHugeRow(): void {
  isHugeRowAllowed = true;
}

export function mayTakeHugeRow(): bool {
  return isHugeRowAllowed;
}

export function nextSequence(): u32 {
  return sequence;
}

/** Where the next input goes: behind the few bytes of a packet header that may be left. */
export function inputAddress(): usize {
  const left = inputEnd - inputStart;
  memory.copy(chunk, inputStart, left);
  inputStart = chunk;
  inputEnd = chunk + left;
  return inputEnd;
}

export function addInput(length: usize): void {
  inputEnd += length;
}

export function leftoverAddress(): usize {
  return inputStart;
}

export function leftoverBytes(): usize {
  return inputEnd - inputStart;
}

/** OK with a row image, or why there is none. */
export function nextRow(): u32 {
  if (isCarrying) return carryOn();
  if (inputEnd - inputStart < HEADER_BYTES) return NEED_INPUT;
  const length = <usize>(load<u32>(inputStart) & 0xffffff);
  if (length >= HUGE_ROW_BYTES && !isHugeRowAllowed) return HUGE_ROW;
  if (!takeHeader()) return BAD_SEQUENCE;
  if (length < PAYLOAD_BYTES_MAX && inputEnd - inputStart >= length) {
    image = inputStart;
    imageEnd = image + length;
    inputStart = imageEnd;
    return classify();
  }
  isCarrying = true;
  carryLength = 0;
  return expectPayload(length);
}

function takeHeader(): bool {
  const isInSequence = <u32>load<u8>(inputStart, 3) == sequence;
  sequence = (sequence + 1) & 0xff;
  inputStart += HEADER_BYTES;
  return isInSequence;
}

function expectPayload(length: usize): u32 {
  missing = length;
  isContinued = length == PAYLOAD_BYTES_MAX;
  const whole = <u64>carryLength + <u64>length;
  if (whole > ROW_BYTES_MAX) return ROW_TOO_LARGE;
  if (!ensureMemory(<u64>carry + whole)) return OUT_OF_MEMORY;
  return carryOn();
}

function carryOn(): u32 {
  const step = min(inputEnd - inputStart, missing);
  memory.copy(carry + carryLength, inputStart, step);
  inputStart += step;
  carryLength += step;
  missing -= step;
  if (missing > 0) return NEED_INPUT;
  if (isContinued) {
    if (inputEnd - inputStart < HEADER_BYTES) return NEED_INPUT;
    const length = <usize>(load<u32>(inputStart) & 0xffffff);
    if (!takeHeader()) return BAD_SEQUENCE;
    return expectPayload(length);
  }
  isCarrying = false;
  image = carry;
  imageEnd = carry + carryLength;
  return classify();
}

/** A row may begin with these marks too, but then it is longer than any such packet. */
function classify(): u32 {
  const length = imageEnd - image;
  if (length == 0) return BAD_PACKET;
  const first = <u32>load<u8>(image);
  if (first == ERROR_MARK) return length < PAYLOAD_BYTES_MAX ? SERVER_ERROR : BAD_PACKET;
  if (first == EOF_MARK && length < 9) return length == EOF_BYTES ? END : BAD_PACKET;
  return OK;
}
