/** What a file says of itself; no server and no settings are needed for it. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Damage } from '../archive/archive-check-file.js';
import { openArchive } from '../archive/archive-reader.js';
import type { ArchiveIndex, IndexHeader, ObjectEntry } from '../archive/index-types.js';
import type { FileKind } from '../archive/probe-file.js';
import { probeFile } from '../archive/probe-file.js';
import { ReshelveError } from '../errors.js';
import { checkFile } from './check-file.js';
import type { Context } from './context.js';
import type { DumpFile } from './load/foreign-statements.js';
import type { InspectedDump } from './inspect/inspect-dump.js';
import { inspectDumpFile } from './inspect/inspect-dump.js';
import type { InspectedChanges } from './inspect/inspect-changes.js';
import { describeChanges } from './inspect/inspect-changes.js';

export interface InspectOptions {
  readonly file: string;
  /** Where a bare name is looked for if it is not in the working directory. */
  readonly directory?: string;
  /** Reads and compares every byte and every row. */
  readonly check: boolean;
}

export interface InspectedTable {
  readonly name: string;
  readonly engine: string;
  readonly rows: number;
  readonly columns: number;
  /** Of its definition and its rows: in the file, and as SQL. */
  readonly storedBytes: number;
  readonly sqlBytes: number;
  readonly members: number;
}

interface InspectedFile {
  readonly file: string;
  readonly sizeBytes: number;
  /** What is known to be wrong; complete only where `checked` is true. */
  readonly damages: readonly Damage[];
  readonly checked: boolean;
}

export interface InspectedArchive extends InspectedFile {
  readonly kind: 'archive';
  /** Null where the index is lost; the three lists are then empty. */
  readonly header: IndexHeader | null;
  readonly tables: readonly InspectedTable[];
  readonly objects: readonly ObjectEntry[];
  /** Of an incremental from the binary log: what its changes are, in summary. */
  readonly changes?: InspectedChanges;
  /** How many of each kind, index and footer included. */
  readonly members: Readonly<Record<string, number>>;
  /** Members whose bytes were read and compared. */
  readonly membersChecked: number;
}

export interface InspectedForeignDump extends InspectedFile, InspectedDump {
  readonly kind: 'dump';
  /** The text of an archive of ours, inflated or compressed again. */
  readonly textOfArchive: boolean;
}

export interface InspectedOther extends InspectedFile {
  readonly kind: Extract<FileKind, 'encrypted-gpg' | 'unknown'>;
  /** What was found, in words. */
  readonly detail: string;
}

export type Inspection = InspectedArchive | InspectedForeignDump | InspectedOther;

/**
 * Throws BACKUP_NOT_FOUND, FORMAT_TOO_NEW, or a file error. Damage is in the result; a file that is
 * no backup is an `unknown` one.
 */
export async function inspectFile(
  context: Pick<Context, 'output' | 'signal'>,
  options: InspectOptions,
): Promise<Inspection> {
  const file: DumpFile = { path: findFile(options), shown: options.file };
  const sizeBytes = statSync(file.path).size;
  const probe = await probeFile(file.path);
  const known = { file: options.file, sizeBytes };
  if (probe.kind === 'reshelve') return inspectArchive(context, file, known, options.check);
  if (probe.kind === 'gzip-sql' || probe.kind === 'plain-sql') {
    const dump = await inspectDumpFile(context, file);
    const { textOfArchive } = probe;
    return { ...known, kind: 'dump', textOfArchive, checked: true, ...dump };
  }
  const { kind, detail } = probe;
  return { ...known, kind, detail, checked: false, damages: [] };
}

function findFile({ file, directory }: InspectOptions): string {
  const candidates = [resolve(file)];
  if (directory !== undefined && !isAbsolute(file)) candidates.push(join(directory, file));
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new ReshelveError('BACKUP_NOT_FOUND', `there is no file ${file}`);
  }
  if (!statSync(path).isFile()) {
    throw new ReshelveError(
      'BACKUP_NOT_FOUND',
      `expected a file but found something else: ${file}`,
    );
  }
  return path;
}

async function inspectArchive(
  context: Pick<Context, 'output' | 'signal'>,
  { path }: DumpFile,
  known: Pick<InspectedFile, 'file' | 'sizeBytes'>,
  check: boolean,
): Promise<InspectedArchive> {
  if (check) {
    const { report, damages } = await checkFile(context, path);
    const { index, membersChecked } = report;
    return { ...known, ...describeIndex(index), damages, membersChecked, checked: true };
  }
  try {
    const reader = await openArchive(path);
    await reader.close();
    const description = describeIndex(reader.index);
    return { ...known, ...description, damages: [], membersChecked: 0, checked: false };
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'DAMAGED') throw error;
    const damages = [{ message: error.message }];
    return { ...known, ...describeIndex(null), damages, membersChecked: 0, checked: false };
  }
}

type Description = Pick<
  InspectedArchive,
  'kind' | 'header' | 'tables' | 'objects' | 'changes' | 'members'
>;

function describeIndex(index: ArchiveIndex | null): Description {
  if (index === null)
    return { kind: 'archive', header: null, tables: [], objects: [], members: {} };
  const members: Record<string, number> = {};
  for (const { kind } of index.members) members[kind] = (members[kind] ?? 0) + 1;
  return {
    kind: 'archive',
    header: index.header,
    tables: describeTables(index),
    objects: index.objects,
    ...(index.header.chain?.method === 'binlog' ? { changes: describeChanges(index) } : {}),
    members: { ...members, index: 1, footer: 1 },
  };
}

function describeTables(index: ArchiveIndex): InspectedTable[] {
  const sizes = new Map<string, { storedBytes: number; sqlBytes: number; members: number }>();
  for (const { table, storedLength, sqlLength } of index.members) {
    if (table === undefined) continue;
    const size = sizes.get(table) ?? { storedBytes: 0, sqlBytes: 0, members: 0 };
    size.storedBytes += storedLength;
    size.sqlBytes += sqlLength;
    size.members += 1;
    sizes.set(table, size);
  }
  return index.tables.map(({ name, engine, rows, columns }) => ({
    name,
    engine,
    rows,
    columns: columns.length,
    ...(sizes.get(name) ?? { storedBytes: 0, sqlBytes: 0, members: 0 }),
  }));
}
