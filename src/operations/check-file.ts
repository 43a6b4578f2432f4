/**
 * The complete check of a file by itself, without a server: structure, checksums, and the digest of
 * every row computed again from the SQL that would be loaded.
 */
import { checkArchive } from '../archive/archive-check-file.js';
import type { CheckReport, Damage } from '../archive/archive-check-file.js';
import { openArchiveSource } from '../archive/archive-reader.js';
import { openFileSource } from '../archive/byte-source.js';
import type { ArchiveIndex, MemberEntry, TableEntry } from '../archive/index-types.js';
import { ReshelveError } from '../errors.js';
import { insertPrefix } from '../sql/archive-text.js';
import type { TableDigest } from '../sql/digest.js';
import { combineDigests, equalDigests } from '../sql/digest.js';
import { MemberParser } from '../sql/kernel/member-parser.js';
import { ComparedDigests } from './changes/check-compared.js';
import type { Context } from './context.js';

export interface FileCheck {
  readonly report: CheckReport;
  /** Everything that is wrong; empty for a sound file. */
  readonly damages: readonly Damage[];
}

export async function checkFile(
  context: Pick<Context, 'output' | 'signal'>,
  path: string,
): Promise<FileCheck> {
  const source = await openFileSource(path);
  try {
    const index = await readIndexIfSound(path);
    const digests = new RowDigests(index);
    const compared =
      index?.header.chain?.method === 'ranges' ? new ComparedDigests(index) : undefined;
    const report = await checkArchive(source, {
      deep: (member, pieces) =>
        member.kind === 'change'
          ? (compared?.add(member, pieces) ?? [])
          : digests.add(member, pieces),
      signal: context.signal,
      onProgress: (done, total) => {
        context.output.progress({ activity: 'Checking the file', done, total, unit: 'bytes' });
      },
    });
    context.output.progress(null);
    const damages = [...report.damages];
    if (damages.length === 0) damages.push(...digests.compare(), ...(compared?.compare() ?? []));
    return { report, damages };
  } finally {
    await source.close();
  }
}

/** Throws DAMAGED, naming the first damage and their number, unless the file is sound. */
export async function assertSound(
  context: Pick<Context, 'output' | 'signal'>,
  path: string,
  shown: string,
): Promise<void> {
  const { damages } = await checkFile(context, path);
  const [first] = damages;
  if (first === undefined) return;
  const others = damages.length === 1 ? '' : ` (and ${damages.length - 1} more)`;
  throw new ReshelveError('DAMAGED', `${shown} is damaged: ${first.message}${others}`);
}

async function readIndexIfSound(path: string): Promise<ArchiveIndex | undefined> {
  const source = await openFileSource(path);
  try {
    return (await openArchiveSource(source)).index;
  } catch (error) {
    if (error instanceof ReshelveError && error.code === 'DAMAGED') return undefined;
    throw error;
  } finally {
    await source.close();
  }
}

/** An incremental describes the whole state and holds the rows of some tables. */
function tablesInside(index: ArchiveIndex | undefined): readonly TableEntry[] {
  if (index?.header.type !== 'incremental') return index?.tables ?? [];
  const inside = new Set(
    index.members.filter(({ kind }) => kind === 'table').map(({ table }) => table),
  );
  return index.tables.filter(({ name }) => inside.has(name));
}

/** Adds up the digests of the members and compares them with what the index says of each table. */
class RowDigests {
  readonly #tables: ReadonlyMap<string, TableEntry>;
  /** The parser that was used last; each member under way has one of its own. */
  #idle: { readonly table: string; readonly parser: MemberParser } | undefined;
  readonly #digests = new Map<string, TableDigest[]>();

  constructor(index: ArchiveIndex | undefined) {
    this.#tables = new Map(tablesInside(index).map((table) => [table.name, table]));
  }

  async add(member: MemberEntry, pieces: AsyncIterable<Buffer>): Promise<readonly string[]> {
    const table = this.#tables.get(member.table ?? '');
    if (member.kind !== 'data' || table === undefined) return [];
    try {
      const parser = this.#takeParser(table);
      for await (const piece of pieces) parser.push(piece);
      const parsed = parser.finish();
      this.#idle = { table: table.name, parser };
      this.#remember(table.name, parsed.digest);
      if (parsed.digest.rows === member.rows && parsed.statements === member.statements) return [];
      return [`expected ${member.rows ?? 0} rows but found ${parsed.digest.rows}`];
    } catch (error) {
      if (error instanceof ReshelveError && error.code === 'DAMAGED') return [error.message];
      throw error;
    }
  }

  compare(): Damage[] {
    const damages: Damage[] = [];
    for (const table of this.#tables.values()) {
      const found = combineDigests(this.#digests.get(table.name) ?? []);
      if (!equalDigests(found, { rows: table.rows, ...table.digest })) {
        damages.push({
          message: `the rows of table ${table.name} are not the ones that were read from the server`,
          table: table.name,
        });
      }
    }
    return damages;
  }

  /** A parser is ready for the next member of its table once it has finished one. */
  #takeParser(table: TableEntry): MemberParser {
    const idle = this.#idle;
    this.#idle = undefined;
    if (idle?.table === table.name) return idle.parser;
    const names = table.columns.map((column) => column.name);
    return new MemberParser({
      insertPrefix: insertPrefix(table.name, names),
      columns: table.columns,
    });
  }

  #remember(table: string, digest: TableDigest): void {
    const soFar = this.#digests.get(table);
    if (soFar === undefined) this.#digests.set(table, [digest]);
    else this.#digests.set(table, [combineDigests([...soFar, digest])]);
  }
}
