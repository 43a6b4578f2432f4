/**
 * The check of a whole archive: every byte of the file is accounted for. Used after writing, by
 * `verify --quick`, and before a restore touches anything.
 */
import { availableParallelism } from 'node:os';
import { assert, ReshelveError } from '../errors.js';
import { checkStructure } from './archive-check.js';
import { inflateMember, readFooter, readIndex } from './archive-reader.js';
import type { ByteSource } from './byte-source.js';
import type { Damage } from './damage.js';
import { checkStored, isHugeMember, readHugeMember, WINDOW_BYTES } from './huge-member.js';
import type { ArchiveIndex, MemberEntry } from './index-types.js';
import { salvageCheck } from './salvage-check.js';
import { WorkBudget } from './work-budget.js';

export type { Damage } from './damage.js';

export interface CheckReport {
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Null where the index itself is lost. */
  readonly index: ArchiveIndex | null;
  /** Empty for a sound archive. */
  readonly damages: readonly Damage[];
  /** Members whose bytes were read and compared, the index and the footer not counted. */
  readonly membersChecked: number;
  readonly deep: boolean;
}

/**
 * Looks at the SQL of a member, which comes in several pieces where it is large, and returns what is
 * wrong with it, in words. What it leaves unread is read for it.
 */
export type MemberCheck = (
  member: MemberEntry,
  pieces: AsyncIterable<Buffer>,
) => readonly string[] | Promise<readonly string[]>;

export interface CheckOptions {
  /**
   * Inflates all members too, and hands their SQL to this function (data members in any order, and
   * several at a time where it waits). Without it the stored bytes are compared with their SHA-256.
   */
  readonly deep?: MemberCheck;
  /** Members under way at a time; the cores there are, at most 4, where it is left out. */
  readonly parallel?: number;
  readonly signal?: AbortSignal;
  /** Told the bytes checked so far, each time there are more. */
  readonly onProgress?: (checkedBytes: number, sizeBytes: number) => void;
}

const PARALLEL_DEFAULT_MAX = 4;
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Checks `source`, which stays open. Damage is reported, not thrown; thrown are `FORMAT_TOO_NEW`,
 * the signal's reason, and failures to read (`IO` …).
 */
export async function checkArchive(
  source: ByteSource,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const deep = options.deep !== undefined;
  const damages: Damage[] = [];
  const index = await readTail(source, damages);
  if (index === null) {
    const salvage = await salvageCheck(source, options.signal);
    damages.push(...salvage.damages);
    const { membersChecked } = salvage;
    return report(source, { index: salvage.index, damages, membersChecked, deep });
  }
  await checkMembers(source, index, options, damages);
  damages.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
  return report(source, { index, damages, membersChecked: index.members.length, deep });
}

function report(source: ByteSource, findings: Omit<CheckReport, 'name' | 'size'>): CheckReport {
  return { name: source.name, size: source.size, ...findings };
}

/** The index, or null where it cannot be trusted; `damages` then says why. */
async function readTail(source: ByteSource, damages: Damage[]): Promise<ArchiveIndex | null> {
  try {
    const footer = await readFooter(source);
    const index = await readIndex(source, footer);
    const problems = checkStructure(index, footer, source.size);
    for (const problem of problems) damages.push({ ...problem });
    return problems.length === 0 ? index : null;
  } catch (error) {
    damages.push({ message: damageMessage(error) });
    return null;
  }
}

async function checkMembers(
  source: ByteSource,
  index: ArchiveIndex,
  options: CheckOptions,
  damages: Damage[],
): Promise<void> {
  const parallel = options.parallel ?? Math.min(availableParallelism(), PARALLEL_DEFAULT_MAX);
  const budget = new WorkBudget(parallel, IN_FLIGHT_BYTES_MAX);
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let checkedBytes = 0;
  for (const entry of index.members) {
    const cost = memoryOf(entry, options);
    await budget.acquire(cost);
    if (failures.length > 0 || options.signal?.aborted === true) break;
    const work = checkMember(source, entry, options.deep)
      .then((messages) => {
        for (const message of messages) damages.push(damageOf(entry, message));
        checkedBytes += entry.storedLength;
        options.onProgress?.(checkedBytes, source.size);
      })
      .catch((error: unknown) => {
        failures.push(error);
      })
      .finally(() => {
        underWay.delete(work);
        budget.release(cost);
      });
    underWay.add(work);
  }
  await Promise.all(underWay);
  options.signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

function memoryOf(entry: MemberEntry, options: CheckOptions): number {
  if (options.deep === undefined) return Math.min(entry.storedLength, WINDOW_BYTES);
  // Of a huge member only windows are held here, but its check may have to put rows together.
  return isHugeMember(entry) ? 2 * entry.sqlLength : entry.storedLength + entry.sqlLength;
}

/** What is wrong with one member, in words. */
async function checkMember(
  source: ByteSource,
  entry: MemberEntry,
  deep: MemberCheck | undefined,
): Promise<readonly string[]> {
  try {
    if (deep === undefined) return await checkStored(source, entry);
    const pieces = memberPieces(source, entry);
    const messages = await deep(entry, pieces);
    for await (const piece of pieces) assert(piece.length > 0, 'a piece holds something');
    return messages;
  } catch (error) {
    // A member of a later format has no place in an archive whose footer is of this one.
    if (error instanceof ReshelveError && error.code === 'FORMAT_TOO_NEW') return [error.message];
    return [damageMessage(error)];
  }
}

async function* memberPieces(source: ByteSource, entry: MemberEntry): AsyncGenerator<Buffer, void> {
  if (isHugeMember(entry)) {
    yield* readHugeMember(source, entry);
    return;
  }
  const stored = await source.read(entry.offset, entry.storedLength);
  yield await inflateMember(stored, entry);
}

function damageOf(entry: MemberEntry, message: string): Damage {
  return {
    message,
    offset: entry.offset,
    member: entry.number,
    ...(entry.table !== undefined && { table: entry.table }),
  };
}

/** The message of damage; anything else is thrown on. */
function damageMessage(error: unknown): string {
  if (error instanceof ReshelveError && error.code === 'DAMAGED') return error.message;
  throw error;
}
