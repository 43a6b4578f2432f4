/** What a recovery restores: an archive of ours with its incrementals, or a dump of another tool. */
import { probeFile } from '../../archive/probe-file.js';
import { ReshelveError } from '../../errors.js';
import { defaultsOf } from '../../sql/database-defaults.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { hashFile } from '../catalog-rebuild.js';
import { ChainArchives } from '../chains/chain-archives.js';
import type { ChosenBackup } from '../choose-backup.js';
import type { Context } from '../context.js';
import type { ForeignDump } from '../load/load-foreign.js';
import { examineDump } from '../load/load-foreign.js';
import type { RecoveryNeeds } from './recovery-needs.js';
import { NeedsCollector, readArchiveNeeds } from './recovery-needs.js';
import type { SourceChain, SourceFile, WantedState } from './recovery-target.js';
import { chooseRestorePoint, openSound, singlePoint } from '../chains/restore-point.js';
import type { RestorePoint } from '../chains/restore-point.js';
import type { TargetWish } from '../load/restore-target.js';

export interface RecoverySource {
  /** Where incrementals belong to the state, this is the last of them. */
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
  /** How the catalog lists it, or its path. */
  readonly file: string;
  readonly sha256: string;
  /** Set where it is a dump of another tool, which has been read to its end. */
  readonly dump: ForeignDump | undefined;
  /** Set where incrementals belong to the state. */
  readonly chain: SourceChain | undefined;
  /** What the database gets; undefined where the file does not say. */
  readonly defaults: DatabaseDefaults | undefined;
  /** What the server must have for it. */
  readonly needs: RecoveryNeeds;
  /** Of an archive: where it comes from. */
  readonly origin:
    { readonly database: string; readonly flavour: string; readonly version: string } | undefined;
}

export interface SourceOptions {
  readonly file?: string;
  /** The state that is wanted; the newest that can be had where nothing is said. */
  readonly target: TargetWish;
  readonly idempotent: boolean;
  /** The backup may be of a database of another name. */
  readonly otherDatabase: boolean;
}

/** Finds what the wanted state needs and looks at it. */
export async function chooseSource(
  context: Context,
  { file, target, idempotent, otherDatabase }: SourceOptions,
): Promise<RecoverySource> {
  const point = await chooseRestorePoint(context, file, target);
  return lookAtSource(context, { point, idempotent }, otherDatabase);
}

/**
 * Looks at the files before anything else: that they are a backup, of this database, in a format that
 * is known, and follow on one another. Their bytes are checked later, by {@link assertSourceSound}. A
 * file given by itself must be a full backup.
 */
export async function lookAtSource(
  context: Context,
  wanted: ChosenBackup | WantedState,
  allowOtherDatabase: boolean,
): Promise<RecoverySource> {
  const { point, idempotent } =
    'point' in wanted ? wanted : { point: singlePoint(wanted), idempotent: false };
  const probe = await probeFile(point.backups[0].path);
  if (probe.kind === 'reshelve') {
    return lookAtArchives(context, { point, idempotent }, allowOtherDatabase);
  }
  if (probe.kind !== 'gzip-sql' && probe.kind !== 'plain-sql') {
    throw new ReshelveError(
      'NOT_A_BACKUP',
      `${point.newest.shown}: expected a backup but found ${probe.detail}`,
    );
  }
  return lookAtDump(context, point.newest, allowOtherDatabase);
}

async function lookAtArchives(
  context: Context,
  { point, idempotent }: WantedState,
  allowOtherDatabase: boolean,
): Promise<RecoverySource> {
  const { newest } = point;
  const files = await hashFiles(point);
  const archives = await ChainArchives.open(files.map(({ path }) => path));
  try {
    const { header } = archives.full.index;
    if (header.type !== 'full') throw notFull(newest.shown);
    archives.assertLinked();
    assertOfDatabase(context, newest.shown, header.database, allowOtherDatabase);
    const { database, serverFlavour, serverVersion } = header;
    const { describesState } = archives;
    const isLogged = archives.readers.some(({ index }) => index.header.chain?.method === 'binlog');
    return {
      ...describeFile(newest, files.at(-1)?.sha256 ?? ''),
      dump: undefined,
      chain:
        files.length === 1
          ? undefined
          : { files, until: point.until, idempotent, isLogged, describesState },
      defaults: defaultsOf(header),
      needs: await readArchiveNeeds(archives.readers),
      origin: { database, flavour: serverFlavour, version: serverVersion },
    };
  } finally {
    await archives.close();
  }
}

async function hashFiles({ backups }: RestorePoint): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const backup of backups) files.push({ ...backup, sha256: await hashFile(backup.path) });
  return files;
}

function describeFile({ path, shown, entry }: ChosenBackup, sha256: string) {
  return { path, shown, file: entry?.file ?? path, sha256 };
}

function notFull(shown: string): ReshelveError {
  return new ReshelveError(
    'USAGE',
    `${shown}: expected a full backup but found an incremental, which needs the backups before it`,
    {
      hint: 'Name the full backup, or run `reshelve recover` with this file and without --online.',
    },
  );
}

async function lookAtDump(
  context: Context,
  backup: ChosenBackup,
  allowOtherDatabase: boolean,
): Promise<RecoverySource> {
  const sha256 = await hashFile(backup.path);
  const collector = new NeedsCollector();
  const { databaseName } = context.configuration;
  const dump = await examineDump(context, backup, databaseName, (statement) => {
    collector.add(statement);
  });
  if (dump.sourceDatabase !== undefined) {
    assertOfDatabase(context, backup.shown, dump.sourceDatabase, allowOtherDatabase);
  }
  return {
    ...describeFile(backup, sha256),
    dump,
    chain: undefined,
    defaults: undefined,
    needs: collector.needs,
    origin: undefined,
  };
}

function assertOfDatabase(
  { configuration }: Context,
  shown: string,
  found: string,
  allowOther: boolean,
): void {
  if (allowOther || found === configuration.databaseName) return;
  throw new ReshelveError(
    'OTHER_DATABASE',
    `${shown}: expected a backup of ${configuration.databaseName} but found one of ${found}`,
  );
}

/**
 * The complete check of every file, digests included, and that each is still the one that was looked
 * at and follows on the one before it.
 */
export async function assertSourceSound(context: Context, source: RecoverySource): Promise<void> {
  const files = filesOf(source);
  if (source.dump === undefined) await (await openSound(context, { backups: files })).close();
  for (const { path, shown, sha256 } of files) {
    if ((await hashFile(path)) === sha256) continue;
    throw new ReshelveError('DAMAGED', `${shown} changed while it was being looked at`, {
      hint: 'Find out what writes to it (a copy under way?), then run the command again.',
    });
  }
}

/** The files that the state needs, in the order in which they are loaded. */
export function filesOf({
  path,
  shown,
  sha256,
  chain,
}: RecoverySource): readonly Omit<SourceFile, 'entry'>[] {
  return chain === undefined ? [{ path, shown, sha256 }] : chain.files;
}
