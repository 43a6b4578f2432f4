/**
 * Segments of a continuous capture become one incremental by the hour. The merged file bears the id of its
 * last segment, because it brings the same state: what builds on that one builds on it. Between any two steps
 * the catalog lists a whole chain, the segments' before its one replacement and the merged file's behind it.
 */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import { ArchiveWriter } from '../../archive/archive-writer.js';
import type { IndexHeader } from '../../archive/index-types.js';
import { newBackupPath, parseBackupPath, partialPath } from '../../catalog/names.js';
import type { CatalogEntry } from '../../catalog/records.js';
import { planMerges } from '../../catalog/segment-merges.js';
import { assert } from '../../errors.js';
import { changesClosing } from '../../sql/changes-text.js';
import type { BackupFile } from '../backup-file.js';
import { discard, publish } from '../backup-file.js';
import { hashFile, readEntry } from '../catalog-rebuild.js';
import { chainFields } from '../chains/chain-record.js';
import { readChains } from '../chains/read-chains.js';
import { headerMember } from '../changes/write-changes.js';
import { assertReadsBack } from '../finish-backup.js';
import type { Run } from '../run.js';

const FOLDER = 'incremental';

/** Merges what is due. Call it under the directory's lock. Gives the files that came of it. */
export async function mergeSegments(run: Run): Promise<string[]> {
  const { catalog, now } = run.context;
  const chains = await readChains(run.context);
  const merged: string[] = [];
  for (const segments of planMerges(await catalog.read(), chains, now())) {
    merged.push(await mergeGroup(run, segments));
  }
  return merged;
}

async function mergeGroup(run: Run, segments: readonly CatalogEntry[]): Promise<string> {
  const { catalog, output } = run.context;
  const last = segments.at(-1);
  assert(last !== undefined, 'a group of segments has a last one');
  const file = nameMerged(run, last);
  let header: IndexHeader;
  try {
    header = await write(run, segments, file.partialPath);
    await assertReadsBack(run, file);
    const sha256 = await hashFile(file.partialPath);
    const { size } = await stat(file.partialPath);
    await publish(run, file);
    const patch = { file: file.relative, sizeBytes: size, sha256, ...chainFields(header) };
    const others = segments.slice(0, -1).map(({ id }) => id);
    const entry = await catalog.absorb(last.id, patch, others);
    assert(entry !== undefined, 'the last segment is listed: the directory is locked');
  } catch (error) {
    await discard(file);
    throw error;
  }
  for (const segment of segments) await removeFile(run, segment.file ?? '');
  output.line(`Merged ${segments.length} segments into ${file.shown}`);
  return file.relative;
}

/** Of the time of the last segment, so that names stay in the order of the chain. */
function nameMerged(run: Run, last: CatalogEntry): BackupFile {
  const { backup, databaseName: database } = run.context.configuration;
  const relative = newBackupPath(
    {
      kind: 'incremental',
      database,
      startedAt: new Date(last.startedAt),
      timeZone: backup.timeZone,
    },
    (path) => existsSync(join(backup.directory, path)),
  );
  const partial = partialPath(relative, run.id.replaceAll('-', '').slice(0, 12));
  return {
    relative,
    shown: join(backup.directoryShown, relative),
    finalPath: join(backup.directory, relative),
    partialPath: join(backup.directory, partial),
  };
}

async function write(
  run: Run,
  segments: readonly CatalogEntry[],
  path: string,
): Promise<IndexHeader> {
  const { configuration, signal } = run.context;
  const { directory, compressionLevel: level } = configuration.backup;
  const writer = await ArchiveWriter.create(path, { level, signal });
  try {
    const headers: IndexHeader[] = [];
    for (const { file } of segments) {
      const reader = await openArchive(join(directory, file ?? ''));
      try {
        const { header } = reader.index;
        if (headers.length === 0) await writer.append(firstMember(run, header));
        await copyChanges(reader, writer);
        headers.push(header);
      } finally {
        await reader.close();
      }
    }
    await writer.append({ kind: 'closing', ...changesClosing() });
    const header = mergedHeader(run, headers);
    const { index } = await writer.finish({ header, tables: [], ranges: [], objects: [] });
    return index.header;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function firstMember(run: Run, header: IndexHeader): ReturnType<typeof headerMember> {
  const { serverFlavour: flavour, serverVersion: version, chain, startedAt } = header;
  const author = { context: run.context, startedAt: new Date(startedAt) };
  return headerMember(author, { flavour, version }, chain?.previousId ?? '');
}

/** Every member is checked against the index while it is read. */
async function copyChanges(reader: ArchiveReader, writer: ArchiveWriter): Promise<void> {
  const changes = new Map(reader.index.changes.map(({ member, ...change }) => [member, change]));
  for (const { number, kind, statements, longestStatement } of reader.members()) {
    const change = changes.get(number);
    if (kind !== 'change' || change === undefined) continue;
    const sql = await reader.readMember(number);
    await writer.append({ kind: 'change', sql, statements, longestStatement, change });
  }
}

/** The last one's, but for where it begins. */
function mergedHeader(run: Run, headers: readonly IndexHeader[]): Omit<IndexHeader, 'totals'> {
  const [first, last] = [headers[0], headers.at(-1)];
  assert(first?.chain !== undefined && last?.chain !== undefined, 'segments are of a chain');
  const { fullId, method } = last.chain;
  const { previousId, from } = first.chain;
  const warnings = new Map(
    headers.flatMap((one) => one.warnings).map((warning) => [JSON.stringify(warning), warning]),
  );
  return {
    ...last,
    startedAt: first.startedAt,
    finishedAt: run.context.now().toISOString(),
    chain: { fullId, previousId, method, from, merged: headers.map(({ id }) => id) },
    warnings: [...warnings.values()],
  };
}

function isThere(directory: string, entry: CatalogEntry | undefined): boolean {
  const file = entry?.chain?.segment === true ? entry.file : null;
  return file !== null && existsSync(join(directory, file));
}

/** Its entry is gone already: a crash in between leaves a file too many, never a listed one too few. */
async function removeFile(run: Run, file: string): Promise<void> {
  await run.confirmLock();
  await rm(join(run.context.configuration.backup.directory, file), { force: true });
}

/**
 * What a merge that was killed has left: a merged file that is not listed, whose segments are; or segments
 * that are not listed, whose merged file is.
 */
export async function removeMergeLeftovers(run: Run): Promise<void> {
  const { configuration, catalog, output } = run.context;
  const { directory } = configuration.backup;
  const entries = await catalog.read();
  // Runs that loaded or checked a file name it too.
  const listed = new Set(entries.flatMap(({ type, file }) => (type === 'incremental' ? file : [])));
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const merged = new Set(
    entries
      .filter(({ file }) => file !== null && existsSync(join(directory, file)))
      .flatMap(({ chain }) => chain?.merged ?? []),
  );
  for (const name of await readdir(join(directory, FOLDER))) {
    const file = `${FOLDER}/${name}`;
    if (listed.has(file) || parseBackupPath(file)?.database !== configuration.databaseName)
      continue;
    const entry = await readEntry(directory, file, 'incremental');
    const parts = entry?.chain?.merged;
    // Not where a part is gone: the catalog is an old one then, and this file may be all that is left.
    const isUnlistedMerge = parts?.every((id) => isThere(directory, byId.get(id))) === true;
    const isMergedSegment = entry?.chain?.segment === true && merged.has(entry.id);
    if (!isUnlistedMerge && !isMergedSegment) continue;
    await removeFile(run, file);
    output.line(`Removed ${file}, which an interrupted merge left`);
  }
}
