/** The rules between an index's tables, ranges, objects and members. */
import type {
  ArchiveIndex,
  MemberEntry,
  ObjectEntry,
  ObjectReference,
  RangeEntry,
  TableEntry,
} from './index-types.js';

/** A broken rule, in words; `member` is the number of the member that breaks it. */
export interface StructureProblem {
  readonly message: string;
  readonly member?: number;
}

/** What the members and ranges of one table add up to. */
interface TableTally {
  readonly table: TableEntry;
  definitions: number;
  dataRows: number;
  readonly ranges: RangeEntry[];
  /** Rows of the data members that name a range, by its ordinal. */
  readonly rangeRows: Map<number, number>;
  dataWithoutRange: boolean;
}

/** All broken rules, in words. */
export function checkContents(index: ArchiveIndex): StructureProblem[] {
  const problems: StructureProblem[] = [];
  const tallies = new Map<string, TableTally>();
  for (const table of index.tables) {
    if (tallies.has(table.name))
      problems.push({ message: `table ${quoted(table.name)} is listed twice` });
    tallies.set(table.name, newTally(table));
  }
  for (const range of index.ranges) {
    const tally = tallies.get(range.table);
    if (tally === undefined)
      problems.push({ message: `a range of the unknown table ${quoted(range.table)}` });
    else tally.ranges.push(range);
  }
  const objects = new ObjectTally(index.objects, problems);
  for (const member of index.members) {
    const message = countMember(member, tallies, objects);
    if (message !== undefined) problems.push({ message, member: member.number });
  }
  const isFull = index.header.type === 'full';
  for (const tally of tallies.values()) problems.push(...checkTable(tally, isFull));
  if (isFull) objects.reportMissing(problems);
  problems.push(...checkChanges(index), ...checkTotals(index));
  return problems;
}

function newTally(table: TableEntry): TableTally {
  return {
    table,
    definitions: 0,
    dataRows: 0,
    ranges: [],
    rangeRows: new Map(),
    dataWithoutRange: false,
  };
}

/** Adds a member to what it belongs to; returns the rule that it breaks, if any. */
function countMember(
  member: MemberEntry,
  tallies: ReadonlyMap<string, TableTally>,
  objects: ObjectTally,
): string | undefined {
  const { kind, table, object, rows } = member;
  const ofTable = kind === 'table' || kind === 'data';
  const ofObject = kind === 'sequence' || kind === 'object';
  const fieldsFit =
    (table !== undefined) === ofTable &&
    (object !== undefined) === ofObject &&
    (rows !== undefined) === (kind === 'data');
  if (!fieldsFit) return `the fields of a ${kind} member are missing or those of another kind`;
  if (object !== undefined) return objects.count(object, kind === 'sequence');
  if (table === undefined) return undefined;
  const tally = tallies.get(table);
  if (tally === undefined) return `a member of the unknown table ${quoted(table)}`;
  if (kind === 'table') tally.definitions += 1;
  else countData(member, tally);
  return undefined;
}

function countData(member: MemberEntry, tally: TableTally): void {
  const rows = member.rows ?? 0;
  tally.dataRows += rows;
  if (member.range === undefined) tally.dataWithoutRange = true;
  else tally.rangeRows.set(member.range, (tally.rangeRows.get(member.range) ?? 0) + rows);
}

function checkTable(tally: TableTally, isFull: boolean): StructureProblem[] {
  const { table, ranges } = tally;
  const problems: StructureProblem[] = [];
  const expect = (what: string, expected: number | string, found: number | string): void => {
    if (expected === found) return;
    const message = `table ${quoted(table.name)}: ${what}: expected ${expected} but found ${found}`;
    problems.push({ message });
  };
  if (isFull) {
    expect('definitions', 1, tally.definitions);
    expect('rows of its data members', table.rows, tally.dataRows);
  }
  for (const [position, range] of ranges.entries()) expect('ranges', position, range.ordinal);
  if (ranges.length > 0) {
    expect('rows of its ranges', table.rows, sumOfRows(ranges));
    expect('sum of its ranges', table.digest.sum, combine(ranges, 'sum'));
    expect('xor of its ranges', table.digest.xor, combine(ranges, 'xor'));
  }
  for (const [ordinal, rows] of tally.rangeRows) {
    const range = ranges[ordinal];
    if (range === undefined) expect(`range ${ordinal}`, 'listed', 'not listed');
    else if (!tally.dataWithoutRange) expect(`rows of range ${ordinal}`, range.rows, rows);
  }
  return problems;
}

function sumOfRows(ranges: readonly RangeEntry[]): number {
  return ranges.reduce((rows, range) => rows + range.rows, 0);
}

/** Ranges hold each row of a table once, so their digests add up to the table's. */
function combine(ranges: readonly RangeEntry[], half: 'sum' | 'xor'): string {
  let combined = 0n;
  for (const range of ranges) {
    const value = BigInt(`0x${range[half]}`);
    combined = half === 'sum' ? BigInt.asUintN(64, combined + value) : combined ^ value;
  }
  return combined.toString(16).padStart(16, '0');
}

/** Counts the members of each object: exactly one. */
class ObjectTally {
  readonly #counts = new Map<string, number>();

  constructor(objects: readonly ObjectEntry[], problems: StructureProblem[]) {
    for (const object of objects) {
      const key = nameOf(object);
      if (this.#counts.has(key)) problems.push({ message: `${key} is listed twice` });
      this.#counts.set(key, 0);
    }
  }

  count(object: ObjectReference, isSequence: boolean): string | undefined {
    const key = nameOf(object);
    const seen = this.#counts.get(key);
    if (seen === undefined) return `a member of the unknown ${key}`;
    if (seen > 0) return `${key} has a second member`;
    this.#counts.set(key, 1);
    if ((object.type === 'sequence') === isSequence) return undefined;
    return `${key} is in a member of another kind`;
  }

  reportMissing(problems: StructureProblem[]): void {
    for (const [key, count] of this.#counts) {
      if (count === 0) problems.push({ message: `${key} has no member` });
    }
  }
}

/** A chain's place where there is one, and one `change` line per member of logged changes. */
function checkChanges({ header, changes, members }: ArchiveIndex): StructureProblem[] {
  const problems: StructureProblem[] = [];
  const report = (message: string): void => {
    problems.push({ message });
  };
  if (header.type === 'full') {
    if (header.chain !== undefined) report('a full archive follows no other');
    if (changes.length > 0) report('a full archive has no changes');
    return problems;
  }
  const changeMembers = members.filter(({ kind }) => kind === 'change').map(({ number }) => number);
  const listed = changes.map(({ member }) => member);
  const expected = header.chain?.method === 'binlog' ? changeMembers : [];
  if (listed.join() !== expected.join()) {
    report(`changes: expected those of ${expected.length} members but found ${listed.length}`);
  }
  return problems;
}

function checkTotals({ header, tables, members }: ArchiveIndex): StructureProblem[] {
  const found = {
    rows: tables.reduce((rows, table) => rows + table.rows, 0),
    tables: tables.length,
    sqlBytes: members.reduce((bytes, member) => bytes + member.sqlLength, 0),
    longestStatement: members.reduce((most, member) => Math.max(most, member.longestStatement), 0),
  };
  const fields = ['rows', 'tables', 'sqlBytes', 'longestStatement'] as const;
  return fields
    .filter((field) => header.totals[field] !== found[field])
    .map((field) => ({
      message: `total ${field}: expected ${header.totals[field]} but found ${found[field]}`,
    }));
}

function nameOf(object: ObjectReference): string {
  return `${object.type} ${quoted(object.name)}`;
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
