/** How many emergency backups stay: the newest, and every one that somebody may still need. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { planEmergencies } from '../../catalog/emergency-retention.js';
import { RECOVERY_FOLDER } from '../../catalog/names.js';
import { isFinished } from '../../catalog/recovery-journal.js';
import { findJournals } from '../../catalog/store-journal.js';
import { withFileErrors } from '../../file-errors.js';
import type { Run } from '../run.js';
import { describeFailure } from '../run.js';

/** After a recovery that succeeded; that old ones could not go is no failure of it. */
export async function pruneEmergencies(run: Run): Promise<void> {
  try {
    await prune(run);
  } catch (error) {
    const { message } = describeFailure(error);
    run.context.output.warn({
      code: 'RETENTION_FAILED',
      message: `old emergency backups were not removed: ${message}`,
    });
  }
}

async function prune(run: Run): Promise<void> {
  const { configuration, output } = run.context;
  const { directory, emergencyRetention } = configuration.backup;
  const journals = await findJournals(directory);
  const plan = planEmergencies({
    database: configuration.databaseName,
    keep: emergencyRetention,
    files: (await readdir(join(directory, RECOVERY_FOLDER))).map(
      (name) => `${RECOVERY_FOLDER}/${name}`,
    ),
    journals: journals.map(({ path, database, state }) => ({
      path: path.slice(directory.length + 1),
      database,
      files: state?.namedFiles ?? [],
      isFinished: state !== undefined && isFinished(state.phase),
    })),
  });
  for (const { path, reason } of plan.remove) {
    await run.confirmLock();
    await withFileErrors('remove', path, () => rm(join(directory, path), { force: true }));
    output.line(`Removed ${path}: ${reason}`);
  }
}
