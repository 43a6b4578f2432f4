// Packets in, members and the digest out.
import { setColumns, COLUMN_BYTES } from './columns';
import { addRow, resetDigest } from './digest';
import { align, ensureMemory, SLACK } from './memory';
import {
  freeAddress,
  mayTakeHugeRow,
  nextRow,
  rowImage,
  rowImageEnd,
  startPackets,
} from './packets';
import { BAD_PACKET, MEMBER_READY, OK, OUT_OF_MEMORY } from './status';
import { encodeTuple, isRowImage, measureTuple, tupleFailure } from './tuple';
import {
  commitTuple,
  finishMember,
  fitsForSure,
  makeRoom,
  regionBytes,
  startWriter,
  tupleAddress,
} from './writer';

/** Input is handed over in pieces of at most this length. */
export const CHUNK_BYTES: usize = 1 << 18;

/** More than the tuple has beyond twice the image, per column and without a charset's opening. */
const COLUMN_BYTES_EXTRA: u64 = 16;

let isHashOnly: bool = false;
let isRowPending: bool = false;
let extraBytes: u64 = 0;

/**
 * Lays out the memory: the setup (column table, openings, statement prefix; written before by the
 * caller), the chunk, the members, and behind them the carry region that may grow.
 */
export function startEncoder(
  columnTable: usize,
  columnCount: u32,
  openingBytes: usize,
  prefixAddress: usize,
  prefixBytes: usize,
  statementTarget: usize,
  memberTarget: usize,
  sequenceId: u32,
  hashOnly: bool,
): u32 {
  setColumns(columnTable, columnCount);
  resetDigest();
  isHashOnly = hashOnly;
  isRowPending = false;
  extraBytes = <u64>columnCount * COLUMN_BYTES_EXTRA + <u64>openingBytes;
  const chunk = align(prefixAddress + prefixBytes);
  const region = align(chunk + CHUNK_BYTES + SLACK);
  const carry = <u64>region + (hashOnly ? 0 : regionBytes(prefixBytes, memberTarget) + SLACK);
  if (!ensureMemory(carry)) return OUT_OF_MEMORY;
  startWriter(prefixAddress, prefixBytes, statementTarget, memberTarget, region);
  startPackets(chunk, align(<usize>carry), sequenceId);
  return OK;
}

/** Works off the input until something else has to happen; returns what. */
export function step(): u32 {
  while (true) {
    if (!isRowPending) {
      const packet = nextRow();
      if (packet != OK) return packet;
      isRowPending = true;
    }
    const status = isHashOnly ? hashRow() : writeRow();
    if (status != OK) return status;
  }
}

function hashRow(): u32 {
  if (!isRowImage(rowImage(), rowImageEnd())) return BAD_PACKET;
  takeRow();
  return mayTakeHugeRow() ? MEMBER_READY : OK;
}

function writeRow(): u32 {
  const image = rowImage();
  const end = rowImageEnd();
  if (!fitsForSure(2 * <u64>(end - image) + extraBytes)) {
    const length = measureTuple(image, end);
    if (length == 0) return tupleFailure();
    const room = makeRoom(length, freeAddress());
    if (room != OK) return room;
  }
  const tupleEnd = encodeTuple(image, end, tupleAddress());
  if (tupleEnd == 0) return tupleFailure();
  takeRow();
  return commitRow(tupleEnd);
}

// @ts-ignore: decorator
@inline
function commitRow(tupleEnd: usize): u32 {
  const status = commitTuple(tupleEnd);
  if (!mayTakeHugeRow()) return status;
  finishMember();
  return MEMBER_READY;
}

// @ts-ignore: decorator
@inline
function takeRow(): void {
  addRow(rowImage(), rowImageEnd() - rowImage());
  isRowPending = false;
}

/** Whether a row was read and not yet written. */
export function isRowWaiting(): bool {
  return isRowPending;
}

/** Makes room for the current row's tuple, made elsewhere and to be written to `tupleAddress`. */
export function makeRoomForSlowRow(length: usize): u32 {
  return makeRoom(<u64>length, freeAddress());
}

/** The current row's tuple of this length has been written. */
export function commitSlowRow(length: usize): u32 {
  takeRow();
  return commitRow(tupleAddress() + length);
}

/** Offsets of the setup that the caller writes. */
export function columnBytes(): usize {
  return COLUMN_BYTES;
}

export function chunkBytes(): usize {
  return CHUNK_BYTES;
}

export function setupAddress(): usize {
  return align(__heap_base);
}

/** Makes room for a setup of this length. */
export function reserveSetup(length: usize): bool {
  return ensureMemory(<u64>setupAddress() + <u64>length);
}
