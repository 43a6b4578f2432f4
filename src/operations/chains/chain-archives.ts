/**
 * The archives of one state, a full one and the incrementals after it, open at once: the newest one's
 * index describes the state, and each definition lies in the newest archive that wrote it.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import type { ArchiveIndex, MemberEntry, ObjectReference } from '../../archive/index-types.js';
import { assert, ReshelveError } from '../../errors.js';

/** A member that holds a definition, and the archive that it is in. */
export interface DefinitionPlace {
  readonly reader: ArchiveReader;
  readonly member: MemberEntry;
}

/** What tells of a state: an archive, or a chain of them as if they were one. */
export type StateReader = Pick<ArchiveReader, 'name' | 'index' | 'members' | 'readMember'>;

export class ChainArchives {
  /** The full archive first. */
  readonly readers: readonly ArchiveReader[];
  readonly #places = new Map<string, DefinitionPlace>();

  constructor(readers: readonly ArchiveReader[]) {
    assert(readers.length > 0, 'a chain has a full archive');
    this.readers = readers;
    for (const reader of readers) {
      for (const member of reader.members()) {
        const key = keyOf(member);
        if (key !== undefined) this.#places.set(key, { reader, member });
      }
    }
  }

  /** Throws `DAMAGED`, `FORMAT_TOO_NEW` and file errors; then nothing stays open. */
  static async open(paths: readonly string[]): Promise<ChainArchives> {
    const readers: ArchiveReader[] = [];
    try {
      for (const path of paths) readers.push(await openArchive(path));
      return new ChainArchives(readers);
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.close()));
      throw error;
    }
  }

  /** The database begins as this one says; what changed its defaults is among the changes. */
  get full(): ArchiveReader {
    const [reader] = this.readers;
    assert(reader !== undefined, 'a chain has a full archive');
    return reader;
  }

  get newest(): ArchiveReader {
    const reader = this.readers.at(-1);
    assert(reader !== undefined, 'a chain has a full archive');
    return reader;
  }

  /** What the archives themselves say must join them, whatever the catalog says. Throws CHAIN_GAP. */
  assertLinked(): void {
    const [full, ...incrementals] = this.readers;
    let previous = full;
    for (const reader of incrementals) {
      const { chain } = reader.index.header;
      if (
        chain?.previousId !== previous?.index.header.id ||
        chain?.fullId !== full?.index.header.id
      ) {
        throw new ReshelveError(
          'CHAIN_GAP',
          `${reader.name} does not follow on ${previous?.name ?? 'a full backup'}`,
        );
      }
      previous = reader;
    }
  }

  /** Of the newest archive. It describes the whole state unless that is one of the binlog. */
  get index(): ArchiveIndex {
    return this.newest.index;
  }

  get describesState(): boolean {
    return this.index.header.chain?.method !== 'binlog';
  }

  table(name: string): DefinitionPlace | undefined {
    return this.#places.get(tableKey(name));
  }

  object(object: ObjectReference): DefinitionPlace | undefined {
    return this.#places.get(objectKey(object));
  }

  /** The newest archive's index with the definition of everything in it, wherever that lies. */
  asState(): StateReader {
    const { index } = this;
    const places = [
      ...index.tables.flatMap(({ name }) => this.table(name) ?? []),
      ...index.objects.flatMap((object) => this.object(object) ?? []),
    ];
    return {
      name: this.newest.name,
      index,
      members: () => places.map(({ member }, number) => ({ ...member, number })),
      readMember: async (number) => {
        const place = places[number];
        assert(place !== undefined, `definition ${number} is one of the state's`);
        return place.reader.readMember(place.member.number);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.close()));
  }
}

function keyOf({ kind, table, object }: MemberEntry): string | undefined {
  if (object !== undefined) return objectKey(object);
  return kind === 'table' && table !== undefined ? tableKey(table) : undefined;
}

function tableKey(name: string): string {
  return `table ${name}`;
}

function objectKey({ type, name }: ObjectReference): string {
  return `object ${type} ${name}`;
}
