/** The journal of an online recovery: its beginning, and the one that still keeps old tables. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newJournalPath } from '../../catalog/names.js';
import type { FoundJournal, RecoveryJournal } from '../../catalog/store-journal.js';
import { createJournal, findUnfinishedJournals } from '../../catalog/store-journal.js';
import { ReshelveError } from '../../errors.js';
import { readServerUuid } from '../../mysql/coordinates.js';
import type { Context } from '../context.js';
import type { RecoveryLock } from '../recovery/recovery-lock.js';
import type { RecoverySource } from '../recovery/recovery-source.js';
import type { Run } from '../run.js';
import type { DatabaseDefaults } from '../load/target-database.js';

/** The online recovery of the database that is proven and whose old tables still lie beside it. */
export async function findKept({ configuration }: Context): Promise<FoundJournal | undefined> {
  const journals = await findUnfinishedJournals(configuration.backup.directory);
  return journals.findLast(
    ({ database, state }) => database === configuration.databaseName && state?.phase === 'kept',
  );
}

/** Two sets of old tables would leave nobody knowing which one an undo brings back. */
export async function assertNothingKept(context: Context): Promise<void> {
  if ((await findKept(context)) === undefined) return;
  throw new ReshelveError(
    'RECOVERY_UNFINISHED',
    `an earlier online recovery of ${context.configuration.databaseName} still keeps its old tables`,
    {
      hint: 'Run `reshelve recover --finish` to drop them, or `reshelve recover --undo` to take them back.',
    },
  );
}

export async function beginOnlineJournal(
  run: Run,
  lock: RecoveryLock,
  source: RecoverySource,
  oldDefaults: DatabaseDefaults,
): Promise<RecoveryJournal> {
  const { configuration, now } = run.context;
  const { directory, timeZone } = configuration.backup;
  const database = configuration.databaseName;
  const relative = newJournalPath({ database, startedAt: run.startedAt, timeZone }, (path) =>
    existsSync(join(directory, path)),
  );
  const server = await lock.use(async (session) => ({
    server: session.where,
    serverUuid: await readServerUuid(session),
  }));
  return createJournal(
    join(directory, relative),
    'online',
    {
      runId: run.id,
      database,
      ...server,
      host: hostname(),
      pid: process.pid,
      backupFile: source.path,
      backupShown: source.shown,
      backupSha256: source.sha256,
      oldDefaults,
    },
    now,
  );
}
