/** The backup that a recovery restores: an archive of ours or a dump of another tool. */
import { openArchive } from '../archive/archive-reader.js';
import { probeFile } from '../archive/probe-file.js';
import { ReshelveError } from '../errors.js';
import { hashFile } from './catalog-rebuild.js';
import { assertSound } from './check-file.js';
import type { ChosenBackup } from './choose-backup.js';
import type { Context } from './context.js';
import type { ForeignDump } from './load-foreign.js';
import { examineDump } from './load-foreign.js';
import type { RecoveryNeeds } from './recovery-needs.js';
import { NeedsCollector, readArchiveNeeds } from './recovery-needs.js';
import type { DatabaseDefaults } from './target-database.js';

export interface RecoverySource {
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
  /** How the catalog lists it, or its path. */
  readonly file: string;
  readonly sha256: string;
  /** Set where it is a dump of another tool, which has been read to its end. */
  readonly dump: ForeignDump | undefined;
  /** What the database gets; undefined where the file does not say. */
  readonly defaults: DatabaseDefaults | undefined;
  /** What the server must have for it. */
  readonly needs: RecoveryNeeds;
  /** Of an archive: where it comes from. */
  readonly origin:
    { readonly database: string; readonly flavour: string; readonly version: string } | undefined;
}

/**
 * Looks at the file before anything else: that it is a backup, of this database, in a format that is
 * known. Its bytes are checked later, by {@link assertSourceSound}.
 */
export async function lookAtSource(
  context: Context,
  backup: ChosenBackup,
  allowOtherDatabase: boolean,
): Promise<RecoverySource> {
  const probe = await probeFile(backup.path);
  const sha256 = await hashFile(backup.path);
  const { path, shown } = backup;
  const common = { path, shown, file: backup.entry?.file ?? path, sha256 };
  if (probe.kind === 'reshelve') {
    const header = await readHeader(path);
    if (header.type !== 'full') {
      throw new ReshelveError(
        'NOT_A_BACKUP',
        `${shown}: expected a full backup but found another`,
        {
          hint: 'Name the full backup that this one builds on.',
        },
      );
    }
    assertOfDatabase(context, shown, header.database, allowOtherDatabase);
    const { characterSet, collation, database, serverFlavour, serverVersion } = header;
    return {
      ...common,
      dump: undefined,
      defaults: { characterSet, collation },
      needs: await readArchiveNeeds(path),
      origin: { database, flavour: serverFlavour, version: serverVersion },
    };
  }
  if (probe.kind !== 'gzip-sql' && probe.kind !== 'plain-sql') {
    throw new ReshelveError(
      'NOT_A_BACKUP',
      `${shown}: expected a backup but found ${probe.detail}`,
    );
  }
  const collector = new NeedsCollector();
  const dump = await examineDump(
    context,
    backup,
    context.configuration.databaseName,
    (statement) => {
      collector.add(statement);
    },
  );
  if (dump.sourceDatabase !== undefined) {
    assertOfDatabase(context, shown, dump.sourceDatabase, allowOtherDatabase);
  }
  return { ...common, dump, defaults: undefined, needs: collector.needs, origin: undefined };
}

async function readHeader(path: string) {
  const reader = await openArchive(path);
  await reader.close();
  return reader.index.header;
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

/** The complete check, digests included, and that the file is still the one that was looked at. */
export async function assertSourceSound(context: Context, source: RecoverySource): Promise<void> {
  if (source.dump === undefined) await assertSound(context, source.path, source.shown);
  if ((await hashFile(source.path)) === source.sha256) return;
  throw new ReshelveError('DAMAGED', `${source.shown} changed while it was being looked at`, {
    hint: 'Find out what writes to it (a copy under way?), then run the command again.',
  });
}
