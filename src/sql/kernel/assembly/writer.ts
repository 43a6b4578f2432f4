// Tuples into statements, statements into members.
import { align, ensureMemory } from './memory';
import { MEMBER_READY, OK, OUT_OF_MEMORY, ROW_TOO_LARGE } from './status';

const COMMA_LINE: u16 = 0x0a2c; // ",\n"
const SEMICOLON_LINE: u16 = 0x0a3b; // ";\n"

/** The largest max_allowed_packet there is; a statement travels with one byte before it. */
const STATEMENT_BYTES_MAX: u64 = (1 << 30) - 1;

let prefix: usize = 0;
let prefixLength: usize = 0;
let statementTarget: usize = 0;
let memberTarget: usize = 0;
/** Where members are written, except for a giant row's. */
let region: usize = 0;

let member: usize = 0;
let memberLength: usize = 0;
let statementStart: usize = 0;
let isStatementOpen: bool = false;
let memberRows: u32 = 0;
let memberStatements: u32 = 0;
let longestStatement: usize = 0;

export function memberAddress(): usize {
  return member;
}

export function memberBytes(): usize {
  return memberLength;
}

export function rowsInMember(): u32 {
  return memberRows;
}

export function statementsInMember(): u32 {
  return memberStatements;
}

export function longestStatementBytes(): usize {
  return longestStatement;
}

/** What the region must hold: almost a whole member, and a tuple as long as one. */
export function regionBytes(prefixBytes: usize, targetBytes: usize): u64 {
  return <u64>targetBytes * 2 + <u64>prefixBytes + 64;
}

export function startWriter(
  prefixAddress: usize,
  prefixBytes: usize,
  statementBytesTarget: usize,
  memberBytesTarget: usize,
  regionAddress: usize,
): void {
  prefix = prefixAddress;
  prefixLength = prefixBytes;
  statementTarget = statementBytesTarget;
  memberTarget = memberBytesTarget;
  region = regionAddress;
  startMember();
}

/** Forgets the finished member. */
export function startMember(): void {
  member = region;
  memberLength = 0;
  isStatementOpen = false;
  memberRows = 0;
  memberStatements = 0;
  longestStatement = 0;
}

/** Whether a tuple no longer than `bound` goes into the current member and statement anyway. */
// @ts-ignore: decorator
@inline
export function fitsForSure(bound: u64): bool {
  return bound <= <u64>statementTarget;
}

/**
 * Makes room for a tuple of exactly `length` bytes; `free` is an address behind which nothing is
 * in use. A tuple longer than a whole member gets a member of its own, behind `free`; one longer
 * than a statement gets a statement of its own.
 */
export function makeRoom(length: u64, free: usize): u32 {
  if (length + <u64>prefixLength + 1 > STATEMENT_BYTES_MAX) return ROW_TOO_LARGE;
  if (length > <u64>memberTarget) {
    if (memberLength > 0) {
      finishMember();
      return MEMBER_READY;
    }
    member = align(free);
    const end = <u64>member + <u64>prefixLength + length + 2;
    return ensureMemory(end) ? OK : OUT_OF_MEMORY;
  }
  if (isStatementOpen && length > <u64>statementTarget) closeStatement();
  return OK;
}

/** Where the next tuple is to be written, the separator before it included. */
// @ts-ignore: decorator
@inline
export function tupleAddress(): usize {
  return member + memberLength + (isStatementOpen ? 2 : prefixLength);
}

/** Adds the tuple that was written to {@link tupleAddress}, up to `end`. */
export function commitTuple(end: usize): u32 {
  if (isStatementOpen) {
    store<u16>(member + memberLength, COMMA_LINE);
  } else {
    memory.copy(member + memberLength, prefix, prefixLength);
    statementStart = memberLength;
    isStatementOpen = true;
  }
  memberLength = end - member;
  memberRows += 1;
  const isMemberFull = memberLength >= memberTarget;
  if (isMemberFull || memberLength - statementStart >= statementTarget) closeStatement();
  return isMemberFull ? MEMBER_READY : OK;
}

export function finishMember(): void {
  if (isStatementOpen) closeStatement();
}

function closeStatement(): void {
  store<u16>(member + memberLength, SEMICOLON_LINE);
  memberLength += 2;
  longestStatement = max(longestStatement, memberLength - statementStart);
  memberStatements += 1;
  isStatementOpen = false;
}
