/**
 * The check of a whole archive: every byte of the file is accounted for. Used after writing, by
 * `verify --quick`, and before a restore touches anything.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ReshelveError } from '../errors.js';
import { checkStructure, compareWithIndex } from './archive-check.js';
import { inflateMember, readFooter, readIndex } from './archive-reader.js';
import type { ByteSource } from './byte-source.js';
import type { Damage } from './damage.js';
import type { ArchiveIndex, MemberEntry } from './index-types.js';
import { parseMemberHeader } from './member-header.js';
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

/** Looks at the SQL of a member and returns what is wrong with it, in words. */
export type MemberCheck = (
  member: MemberEntry,
  sql: Buffer,
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
const HASH_WINDOW_BYTES = 4 * 1024 * 1024;

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
  if (options.deep !== undefined) return entry.storedLength + entry.sqlLength;
  return Math.min(entry.storedLength, HASH_WINDOW_BYTES);
}

/** What is wrong with one member, in words. */
async function checkMember(
  source: ByteSource,
  entry: MemberEntry,
  deep: MemberCheck | undefined,
): Promise<readonly string[]> {
  try {
    if (deep === undefined) return await checkStored(source, entry);
    const stored = await source.read(entry.offset, entry.storedLength);
    return await deep(entry, await inflateMember(stored, entry));
  } catch (error) {
    // A member of a later format has no place in an archive whose footer is of this one.
    if (error instanceof ReshelveError && error.code === 'FORMAT_TOO_NEW') return [error.message];
    return [damageMessage(error)];
  }
}

/** Compares the stored bytes with the index, a window at a time, so that huge members cost little. */
async function checkStored(source: ByteSource, entry: MemberEntry): Promise<string[]> {
  const hash = createHash('sha256');
  for (let done = 0; done < entry.storedLength; done += HASH_WINDOW_BYTES) {
    const length = Math.min(HASH_WINDOW_BYTES, entry.storedLength - done);
    const bytes = await source.read(entry.offset + done, length);
    hash.update(bytes);
    if (done > 0) continue;
    const differences = compareWithIndex(parseMemberHeader(bytes), entry);
    if (differences.length > 0) return [differences.join('; ')];
  }
  const found = hash.digest('hex');
  if (found === entry.sha256) return [];
  return [`expected SHA-256 ${entry.sha256} but found ${found}`];
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
