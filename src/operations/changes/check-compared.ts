/** The rows in an archive that was made by comparison, against the digests of its ranges. */
import type { Damage } from '../../archive/archive-check-file.js';
import type {
  ArchiveIndex,
  MemberEntry,
  RangeEntry,
  TableEntry,
} from '../../archive/index-types.js';
import { ReshelveError } from '../../errors.js';
import { insertPrefix } from '../../sql/archive-text.js';
import type { TableDigest } from '../../sql/digest.js';
import { combineDigests, equalDigests } from '../../sql/digest.js';
import { MemberParser } from '../../sql/kernel/member-parser.js';
import { splitComparedMember } from './compared-marker.js';

export class ComparedDigests {
  readonly #tables: ReadonlyMap<string, TableEntry>;
  readonly #ranges: ReadonlyMap<string, RangeEntry>;
  readonly #found = new Map<string, TableDigest>();

  constructor(index: ArchiveIndex) {
    this.#tables = new Map(index.tables.map((table) => [table.name, table]));
    this.#ranges = new Map(index.ranges.map((range) => [keyOf(range.table, range.ordinal), range]));
  }

  /** Problems of the member by itself, in words. */
  async add(member: MemberEntry, pieces: AsyncIterable<Buffer>): Promise<readonly string[]> {
    try {
      const parts: Buffer[] = [];
      for await (const piece of pieces) parts.push(piece);
      const { marker, statements } = splitComparedMember(Buffer.concat(parts));
      if (marker.range === undefined) return [];
      const table = this.#tables.get(marker.table ?? '');
      if (table === undefined) return [`rows of the unknown table ${marker.table ?? ''}`];
      const parser = new MemberParser({
        insertPrefix: insertPrefix(
          table.name,
          table.columns.map(({ name }) => name),
        ),
        columns: table.columns,
      });
      parser.push(statements);
      const parsed = parser.finish();
      const key = keyOf(table.name, marker.range);
      const before = this.#found.get(key);
      this.#found.set(
        key,
        combineDigests(before === undefined ? [parsed.digest] : [before, parsed.digest]),
      );
      if (parsed.statements === member.statements) return [];
      return [`expected ${member.statements} statements but found ${parsed.statements}`];
    } catch (error) {
      if (error instanceof ReshelveError) return [error.message];
      throw error;
    }
  }

  compare(): Damage[] {
    return [...this.#found].flatMap(([key, found]) => {
      const range = this.#ranges.get(key);
      if (range !== undefined && equalDigests(found, range)) return [];
      const [ordinal, table = ''] = key.split(/ (.*)/s);
      const message = `the rows of range ${ordinal ?? ''} of table ${table} are not the ones that were read from the server`;
      return [{ message, table }];
    });
  }
}

function keyOf(table: string, ordinal: number): string {
  return `${ordinal} ${table}`;
}
