/** A segment under way: an archive with a temporary name, begun when the first change comes. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveWriter } from '../../archive/archive-writer.js';
import type { FinishedArchive, IndexParts } from '../../archive/archive-writer.js';
import type { ChangeMember } from '../../binlog/change-members.js';
import { newBackupPath, partialPath, segmentPartialId } from '../../catalog/names.js';
import { changesClosing } from '../../sql/changes-text.js';
import { appendMembers } from '../changes/capture-binlog.js';
import { headerMember } from '../changes/write-changes.js';
import type { ServerSide } from '../changes/write-changes.js';
import type { Context } from '../context.js';

export class OpenSegment {
  /** Absolute. */
  readonly path: string;
  readonly #context: Context;
  readonly #server: Pick<ServerSide, 'flavour' | 'version'>;
  readonly #previousId: string;
  #writer: ArchiveWriter | undefined;
  #isFinished = false;

  /** Makes no file yet. */
  constructor(
    context: Context,
    server: Pick<ServerSide, 'flavour' | 'version'>,
    previousId: string,
  ) {
    const { databaseName: database, backup } = context.configuration;
    const { timeZone, directory } = backup;
    const name = newBackupPath(
      { kind: 'incremental', database, startedAt: context.now(), timeZone },
      () => false,
    );
    const id = segmentPartialId(randomBytes(6).toString('hex'));
    this.path = join(directory, partialPath(name, id));
    this.#context = context;
    this.#server = server;
    this.#previousId = previousId;
  }

  get isBegun(): boolean {
    return this.#writer !== undefined;
  }

  get storedBytes(): number {
    return this.#writer?.stats.storedBytes ?? 0;
  }

  async append(members: Iterable<ChangeMember>): Promise<void> {
    for (const member of members) await appendMembers(await this.#begin(), [member]);
  }

  async #begin(): Promise<ArchiveWriter> {
    if (this.#writer !== undefined) return this.#writer;
    const { configuration, signal, now } = this.#context;
    const level = configuration.backup.compressionLevel;
    this.#writer = await ArchiveWriter.create(this.path, { level, signal });
    const author = { context: this.#context, startedAt: now() };
    await this.#writer.append(headerMember(author, this.#server, this.#previousId));
    return this.#writer;
  }

  /** Writes the rest of the archive, also of one without changes, and has the disk confirm it. */
  async finish(header: IndexParts['header']): Promise<FinishedArchive> {
    const writer = await this.#begin();
    await writer.append({ kind: 'closing', ...changesClosing() });
    const archive = await writer.finish({ header, tables: [], ranges: [], objects: [] });
    this.#isFinished = true;
    return archive;
  }

  /** Removes the file, unless it has its own name by now. May be called at any time. */
  async discard(): Promise<void> {
    await this.#writer?.abort();
    if (this.#isFinished) await rm(this.path, { force: true });
  }
}
