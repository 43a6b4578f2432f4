/**
 * The check of an archive whose footer or index cannot be trusted: goes from header to header, and
 * says which members are intact, damaged, missing, out of place or there twice.
 */
import { createHash } from 'node:crypto';
import { ReshelveError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { inflateSql } from './compression.js';
import type { Damage } from './damage.js';
import { parseFooter } from './footer.js';
import { INDEX_SQL_BYTES_MAX } from './format.js';
import { dismantleMember } from './gzip-member.js';
import { parseIndex } from './index-document.js';
import type { ArchiveIndex, MemberEntry } from './index-types.js';
import { walkMembers } from './member-walk.js';
import type { FoundMember } from './member-walk.js';

export interface Salvage {
  /** The index, where an intact one was found by its header. */
  readonly index: ArchiveIndex | null;
  readonly damages: readonly Damage[];
  readonly membersChecked: number;
}

interface Survey {
  index: ArchiveIndex | null;
  /** Intact members by number; the first where there are several. */
  readonly intact: Map<number, IntactMember>;
  readonly damages: Damage[];
  membersChecked: number;
}

interface IntactMember extends FoundMember {
  readonly sha256: string;
}

/** Reads the whole file once, a member at a time. Throws what reading throws. */
export async function salvageCheck(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Salvage> {
  const survey: Survey = { index: null, intact: new Map(), damages: [], membersChecked: 0 };
  for await (const step of walkMembers(source)) {
    signal?.throwIfAborted();
    if ('gap' in step) {
      const { offset, length } = step.gap;
      survey.damages.push({ message: `${length} bytes that belong to no member`, offset });
    } else {
      await surveyMember(source, step.member, survey);
    }
  }
  const { index, intact, damages, membersChecked } = survey;
  damages.push(...(index === null ? missingNumbers(intact) : compareAll(index, intact)));
  return { index, damages, membersChecked };
}

async function surveyMember(
  source: ByteSource,
  member: FoundMember,
  survey: Survey,
): Promise<void> {
  const { offset, header } = member;
  const damage = (message: string): void => {
    survey.damages.push({ message: `${header.kind}: ${message}`, offset, member: header.number });
  };
  const stored = await source.read(offset, header.storedLength);
  survey.membersChecked += 1;
  try {
    if (header.kind === 'footer') parseFooter(stored);
    else if (header.kind === 'index') survey.index = parseIndex(await inflateStored(stored));
    else await inflateStored(stored);
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'DAMAGED') throw error;
    damage(error.message);
    return;
  }
  const first = survey.intact.get(header.number);
  if (first !== undefined) {
    damage(`member ${header.number} was found at offset ${first.offset} already`);
    return;
  }
  const sha256 = createHash('sha256').update(stored).digest('hex');
  survey.intact.set(header.number, { offset, header, sha256 });
}

async function inflateStored(stored: Buffer): Promise<Buffer> {
  const { header, deflated, sqlLength, crc32 } = dismantleMember(stored);
  if (header.kind === 'index' && sqlLength > INDEX_SQL_BYTES_MAX) {
    throw new ReshelveError('DAMAGED', `expected an index but found ${sqlLength} bytes`);
  }
  return inflateSql(deflated, sqlLength, crc32);
}

/** Without an index only the numbers themselves tell what is missing. */
function missingNumbers(intact: ReadonlyMap<number, IntactMember>): Damage[] {
  const damages: Damage[] = [{ message: 'no intact index was found' }];
  const highest = Math.max(-1, ...intact.keys());
  let from = 0;
  for (const number of [...intact.keys()].sort((a, b) => a - b)) {
    if (number > from) damages.push(missing(from, number - 1));
    from = number + 1;
  }
  if (highest < 0) damages.push({ message: 'no intact member was found' });
  return damages;
}

function missing(first: number, last: number): Damage {
  const which = first === last ? `member ${first} is` : `members ${first} to ${last} are`;
  return { message: `${which} missing or damaged`, member: first };
}

function compareAll(index: ArchiveIndex, intact: ReadonlyMap<number, IntactMember>): Damage[] {
  const damages: Damage[] = [];
  for (const entry of index.members) {
    const message = compare(entry, intact.get(entry.number));
    if (message === undefined) continue;
    const { offset, number, table } = entry;
    damages.push({ message, offset, member: number, ...(table !== undefined && { table }) });
  }
  return damages;
}

function compare(entry: MemberEntry, found: IntactMember | undefined): string | undefined {
  if (found === undefined) return `${entry.kind} member is missing or damaged`;
  if (found.offset !== entry.offset)
    return `${entry.kind} member is at offset ${found.offset} instead`;
  if (found.sha256 !== entry.sha256) {
    return `expected SHA-256 ${entry.sha256} but found ${found.sha256}`;
  }
  return undefined;
}
