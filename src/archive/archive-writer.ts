/**
 * Writes an archive: several members are deflated at a time in libuv's pool, and appended one at a
 * time. The file has its temporary name until the caller, having checked it, renames it.
 */
import { availableParallelism } from 'node:os';
import { ReshelveError, assert } from '../errors.js';
import { assertStructure } from './archive-check.js';
import { ArchiveFile } from './archive-file.js';
import { deflateSql } from './compression.js';
import type { CompressionStrategy } from './compression.js';
import { encodeFooter } from './footer.js';
import { MEMBER_SQL_BYTES_MAX, SIGNATURE_LINE } from './format.js';
import { assembleMember } from './gzip-member.js';
import type { CompressedSql } from './gzip-member.js';
import { encodeIndex } from './index-document.js';
import type {
  ArchiveIndex,
  ChangeEntry,
  IndexHeader,
  MemberEntry,
  ObjectReference,
  Totals,
} from './index-types.js';
import { mayFollow } from './member-kinds.js';
import type { ContentKind } from './member-kinds.js';
import { WorkBudget } from './work-budget.js';

export interface ArchiveWriterOptions {
  /** zlib level 1 to 9; 3 where it is left out. */
  readonly level?: number;
  /** Members deflated at a time; the cores there are, at most 4, where it is left out. */
  readonly parallel?: number;
  /** SQL bytes that may wait or be under way; 32 MiB where it is left out. */
  readonly inFlightBytes?: number;
  /** Once aborted, every call but `abort` throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface MemberInput {
  readonly kind: ContentKind;
  /**
   * Whole SQL statements; the header's signature line may be left out. Must not change until
   * `release` is called; it is not copied.
   */
  readonly sql: Buffer;
  /** Of `table` and `data` members. */
  readonly table?: string;
  /** Of `sequence` and `object` members. */
  readonly object?: ObjectReference;
  /** Ordinal of the range that all rows of a data member belong to. */
  readonly range?: number;
  /** Rows of a data member. */
  readonly rows?: number;
  /** Of `change` members, where the archive's method is `binlog`. */
  readonly change?: Omit<ChangeEntry, 'member'>;
  readonly statements: number;
  /** Bytes of the longest statement, its `;` and line break included. */
  readonly longestStatement: number;
  readonly compression?: CompressionStrategy;
  /** Called once when `sql` is not needed any more, whether it was written or not. */
  readonly release?: () => void;
}

/** Everything that the index says besides what the writer knows itself. */
export type IndexParts = Omit<ArchiveIndex, 'header' | 'changes' | 'members'> & {
  readonly header: Omit<IndexHeader, 'totals'>;
};

export interface WriterStats {
  readonly members: number;
  readonly sqlBytes: number;
  readonly storedBytes: number;
}

export interface FinishedArchive {
  /** Bytes of the file. */
  readonly size: number;
  readonly index: ArchiveIndex;
}

const LEVEL_DEFAULT = 3;
const PARALLEL_DEFAULT_MAX = 4;
const IN_FLIGHT_BYTES_DEFAULT = 32 * 1024 * 1024;

export class ArchiveWriter {
  readonly #file: ArchiveFile;
  readonly #level: number;
  readonly #signal: AbortSignal | undefined;
  readonly #budget: WorkBudget;
  readonly #members: MemberEntry[] = [];
  readonly #changes: ChangeEntry[] = [];
  /** Members accepted, in the order of their `append`, not yet written. Never rejects. */
  readonly #underWay = new Set<Promise<void>>();
  /** Settles when the last write asked for so far is over. Never rejects. */
  #lastWrite: Promise<void> = Promise.resolve();
  /** What has to be written before the data members that come now. Never rejects. */
  #beforeData: Promise<unknown> = Promise.resolve();
  #lastKind: ContentKind | undefined;
  #sqlBytes = 0;
  #longestStatement = 0;
  #failure: Error | undefined;
  #state: 'open' | 'finished' | 'aborted' = 'open';

  /** Writes into `file`, which must be empty; {@link create} makes one. */
  constructor(file: ArchiveFile, options: ArchiveWriterOptions = {}) {
    this.#file = file;
    this.#level = options.level ?? LEVEL_DEFAULT;
    this.#signal = options.signal;
    const parallel = options.parallel ?? Math.min(availableParallelism(), PARALLEL_DEFAULT_MAX);
    this.#budget = new WorkBudget(parallel, options.inFlightBytes ?? IN_FLIGHT_BYTES_DEFAULT);
  }

  /** Makes the file, mode 0600. Throws `DIRECTORY`, `DISK_FULL`, `FILE_LIMIT` or `IO`. */
  static async create(path: string, options: ArchiveWriterOptions = {}): Promise<ArchiveWriter> {
    options.signal?.throwIfAborted();
    return new ArchiveWriter(await ArchiveFile.create(path), options);
  }

  get stats(): WriterStats {
    return {
      members: this.#members.length,
      sqlBytes: this.#sqlBytes,
      storedBytes: this.#file.size,
    };
  }

  /**
   * Takes a member; resolves when the next one may come (the work is bounded), not when this one is
   * written. Kinds come in their legal order. Data members are written as they get ready, all
   * others in the order of the calls. A failure (`DISK_FULL`, `IO` …) is thrown by every later call
   * and by {@link finish}.
   */
  async append(input: MemberInput): Promise<void> {
    this.#throwIfFailed();
    this.#validate(input);
    const earlier = this.#gate(input.kind);
    this.#lastKind = input.kind;
    const accepted = this.#budget.acquire(input.sql.length);
    const written = accepted
      .then(() => this.#process(input, earlier))
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .finally(() => {
        this.#underWay.delete(written);
        this.#budget.release(input.sql.length);
      });
    this.#underWay.add(written);
    await accepted;
    this.#throwIfFailed();
  }

  /**
   * Waits for all members, then writes index and footer, and has the disk confirm them. Afterwards
   * the file is the caller's.
   */
  async finish(parts: IndexParts): Promise<FinishedArchive> {
    await Promise.all(this.#underWay);
    this.#throwIfFailed();
    const index = this.#index(parts);
    assertStructure(index);
    const compressed = await deflateSql([...encodeIndex(index)], {
      level: this.#level,
      strategy: 'default',
    });
    const number = this.#members.length;
    const member = assembleMember('index', number, compressed);
    const footer = encodeFooter({
      indexOffset: this.#file.size,
      indexLength: member.storedLength,
      memberCount: number + 2,
      indexSha256: member.sha256,
    });
    await this.#file.append([...member.parts, footer]);
    this.#throwIfFailed();
    await this.#file.syncAndClose();
    this.#state = 'finished';
    return { size: this.#file.size, index };
  }

  /** Closes and removes the file. May be called at any time, also twice; after `finish` it does nothing. */
  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    await Promise.all(this.#underWay);
    await this.#file.remove();
  }

  #validate(input: MemberInput): void {
    const { kind, sql } = input;
    assert(this.#state === 'open', 'members come before finish and abort');
    const previous = this.#lastKind;
    assert(
      previous === undefined ? kind === 'header' : mayFollow(previous, kind),
      `a ${kind} member may not follow ${previous ?? 'nothing'}`,
    );
    if (sql.length > MEMBER_SQL_BYTES_MAX) {
      throw new ReshelveError(
        'UNSUPPORTED',
        `expected a member of less than 4 GiB of SQL but found ${sql.length} bytes` +
          (input.table === undefined ? '' : ` in table \`${input.table}\``),
      );
    }
  }

  /** What has to be written before a member of `kind` that comes now. */
  #gate(kind: ContentKind): Promise<unknown> {
    if (kind !== 'data' || this.#lastKind !== 'data') {
      this.#beforeData = Promise.all(this.#underWay);
    }
    return this.#beforeData;
  }

  async #process(input: MemberInput, earlier: Promise<unknown>): Promise<void> {
    const compressed = await this.#deflate(input);
    await earlier;
    const write = this.#lastWrite.then(() => this.#write(input, compressed));
    this.#lastWrite = write.catch(() => undefined);
    await write;
  }

  async #deflate(input: MemberInput): Promise<CompressedSql> {
    try {
      this.#throwIfFailed();
      return await deflateSql(this.#pieces(input), {
        level: this.#level,
        strategy: input.compression ?? 'default',
      });
    } finally {
      input.release?.();
    }
  }

  /** Every archive starts with its signature, whether the header's caller wrote it or not. */
  #pieces({ kind, sql }: MemberInput): Buffer[] {
    const start = sql.toString('latin1', 0, SIGNATURE_LINE.length);
    const isSigned = kind !== 'header' || start === SIGNATURE_LINE;
    return isSigned ? [sql] : [Buffer.from(SIGNATURE_LINE), sql];
  }

  async #write(input: MemberInput, compressed: CompressedSql): Promise<void> {
    this.#throwIfFailed();
    const number = this.#members.length;
    const member = assembleMember(input.kind, number, compressed);
    const offset = this.#file.size;
    await this.#file.append(member.parts);
    const { kind, table, object, range, rows, statements, longestStatement } = input;
    this.#members.push({
      number,
      kind,
      offset,
      storedLength: member.storedLength,
      sqlLength: compressed.sqlLength,
      sha256: member.sha256,
      ...(table !== undefined && { table }),
      ...(object !== undefined && { object: { type: object.type, name: object.name } }),
      ...(range !== undefined && { range }),
      ...(rows !== undefined && { rows }),
      statements,
      longestStatement,
    });
    if (input.change !== undefined) this.#changes.push({ member: number, ...input.change });
    this.#sqlBytes += compressed.sqlLength;
    this.#longestStatement = Math.max(this.#longestStatement, longestStatement);
  }

  #index(parts: IndexParts): ArchiveIndex {
    const totals: Totals = {
      rows: parts.tables.reduce((rows, table) => rows + table.rows, 0),
      tables: parts.tables.length,
      sqlBytes: this.#sqlBytes,
      longestStatement: this.#longestStatement,
    };
    const { tables, ranges, objects } = parts;
    const header = { ...parts.header, totals };
    return { header, tables, ranges, objects, changes: this.#changes, members: this.#members };
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#signal?.throwIfAborted();
    assert(this.#state === 'open', 'an archive takes nothing once it is finished or aborted');
  }
}
