/** The journal of a recovery, of either kind: its name and its first record. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newJournalPath } from '../../catalog/names.js';
import type { RecoveryKind } from '../../catalog/recovery-journal.js';
import type { RecoveryJournal } from '../../catalog/store-journal.js';
import { createJournal } from '../../catalog/store-journal.js';
import { readServerUuid } from '../../mysql/coordinates.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import type { Run } from '../run.js';
import type { RecoveryLock } from './recovery-lock.js';
import type { RecoverySource } from './recovery-source.js';
import { targetRecord } from './recovery-target.js';

/** Durable when it resolves; nothing has been changed by then. */
export async function beginJournal(
  run: Run,
  lock: RecoveryLock,
  kind: RecoveryKind,
  source: RecoverySource,
  oldDefaults: DatabaseDefaults | undefined,
): Promise<RecoveryJournal> {
  const { configuration, now } = run.context;
  const { directory, timeZone } = configuration.backup;
  const database = configuration.databaseName;
  const relative = newJournalPath({ database, startedAt: run.startedAt, timeZone }, (path) =>
    existsSync(join(directory, path)),
  );
  const detail = {
    runId: run.id,
    database,
    ...(await lock.use(async (session) => ({
      server: session.where,
      serverUuid: await readServerUuid(session),
    }))),
    host: hostname(),
    pid: process.pid,
    backupFile: source.path,
    backupShown: source.shown,
    backupSha256: source.sha256,
    ...(source.chain === undefined ? {} : { target: targetRecord(source.chain) }),
    oldDefaults: oldDefaults ?? null,
  };
  return createJournal(join(directory, relative), kind, detail, now);
}
