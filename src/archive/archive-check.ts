/**
 * The rules that an archive's index must keep, apart from any file: what it says of the members'
 * places, kinds and contents fits together without a gap.
 */
import { assert } from '../errors.js';
import { FOOTER_LENGTH } from './footer.js';
import type { Footer } from './footer.js';
import type { MemberHeader } from './member-header.js';
import type { ArchiveIndex, MemberEntry } from './index-types.js';
import { checkContents } from './contents-check.js';
import type { StructureProblem } from './contents-check.js';
import { mayFollow } from './member-kinds.js';

/** All broken rules of an index, its footer and the size of its file; none for a sound archive. */
export function checkStructure(
  index: ArchiveIndex,
  footer: Footer,
  fileSize: number,
): StructureProblem[] {
  const problems = checkIndex(index);
  const expect = (what: string, expected: number, found: number): void => {
    if (expected !== found) {
      problems.push({ message: `${what}: expected ${expected} but found ${found}` });
    }
  };
  const last = index.members.at(-1);
  const membersEnd = last === undefined ? 0 : last.offset + last.storedLength;
  expect('offset of the index', membersEnd, footer.indexOffset);
  expect('number of members', index.members.length + 2, footer.memberCount);
  expect('size of the file', footer.indexOffset + footer.indexLength + FOOTER_LENGTH, fileSize);
  return problems;
}

/** Throws for an index that breaks a rule: a defect of whoever wrote it, caught before it counts. */
export function assertStructure(index: ArchiveIndex): void {
  const [problem] = checkIndex(index);
  assert(problem === undefined, `the index is consistent: ${problem?.message ?? ''}`);
}

function checkIndex(index: ArchiveIndex): StructureProblem[] {
  return [...checkPlaces(index.members), ...checkContents(index)];
}

/** Offsets without gap or overlap from 0, numbers 0, 1, 2 …, kinds in their order. */
function checkPlaces(members: readonly MemberEntry[]): StructureProblem[] {
  const problems: StructureProblem[] = [];
  let offset = 0;
  let previous: MemberEntry | undefined;
  for (const [position, member] of members.entries()) {
    const report = (message: string): void => {
      problems.push({ message, member: member.number });
    };
    if (member.number !== position)
      report(`expected member ${position} but found ${member.number}`);
    if (member.offset !== offset) report(`expected offset ${offset} but found ${member.offset}`);
    const legal =
      previous === undefined ? member.kind === 'header' : mayFollow(previous.kind, member.kind);
    if (!legal || member.kind === 'index' || member.kind === 'footer') {
      report(`a ${member.kind} member may not follow ${previous?.kind ?? 'nothing'}`);
    }
    offset = member.offset + member.storedLength;
    previous = member;
  }
  if (previous === undefined) problems.push({ message: 'expected a header member but found none' });
  return problems;
}

/** The fields in which a member's own header and the index contradict each other, in words. */
export function compareWithIndex(header: MemberHeader, entry: MemberEntry): string[] {
  const fields = ['kind', 'number', 'storedLength'] as const;
  return fields
    .filter((field) => header[field] !== entry[field])
    .map(
      (field) => `${field}: the index says ${entry[field]} but the member says ${header[field]}`,
    );
}
