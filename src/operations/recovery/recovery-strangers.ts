/**
 * What others wrote while the new state was being loaded: the way back drops it, and so it is saved first
 * where there is a sign of it.
 */
import { join } from 'node:path';
import type { RecoveryStep } from '../../catalog/recovery-journal.js';
import { ReshelveError } from '../../errors.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Context } from '../context.js';
import { lookAtDatabase } from '../load/target-database.js';
import { describeFailure } from '../run.js';
import { makeEmergencyBackup, nameEmergencyBackup } from './emergency-backup.js';
import { dropProvenState } from './recovery-drop.js';
import { othersIn } from './recovery-others.js';
import type { Recovery } from './recovery-steps.js';
import { note } from './recovery-steps.js';

/** Who keeps writing could keep us here for ever. */
const ATTEMPTS_MAX = 2;

/**
 * Saves what is in the database where others may have written to it, and drops it while it is still what
 * was saved. Gives the end of a sentence for the message; empty where nobody was there. Never throws: the
 * old state comes back whatever happens here.
 */
export async function keepWhatOthersWrote(recovery: Recovery, error: unknown): Promise<string> {
  const context: Context = { ...recovery.run.context, signal: new AbortController().signal };
  const kept: Recovery = { ...recovery, run: { ...recovery.run, context } };
  try {
    const others = await whoIsThere(kept);
    if (others === '' && !isOthersDoing(error)) return '';
    return await keep(kept, others);
  } catch (failure) {
    recovery.run.warn({
      code: 'OTHERS_NOT_KEPT',
      message: `what others may have written meanwhile could not be saved before the rollback: ${describeFailure(failure).message}`,
    });
    return '';
  }
}

/** Failures that a sound backup does not have by itself: rows or objects were there that are not its own. */
function isOthersDoing(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isServerError(cause, ERRNO.tableExists, ERRNO.duplicateKey, ERRNO.routineExists))
      return true;
    if (!(cause instanceof ReshelveError)) continue;
    if (cause.code === 'VERIFY_FAILED' || cause.code === 'DATABASE_IN_USE') return true;
  }
  return false;
}

async function whoIsThere({ lock, run }: Recovery): Promise<string> {
  return lock.use((session) => othersIn(run.context, session)).catch(() => '');
}

async function keep(recovery: Recovery, others: string): Promise<string> {
  const { run, lock } = recovery;
  const { configuration, output } = run.context;
  const { databaseName, backup } = configuration;
  const state = await lock.use((session) => lookAtDatabase(session, databaseName));
  if (!state.exists || state.tables.length === 0) return others;
  output.line('Saving what is in the database now, because others may have written to it...');
  const files: string[] = [];
  for (let attempt = 1; ; attempt += 1) {
    const file = nameEmergencyBackup(run);
    const step: RecoveryStep<'recover'> = {
      kind: 'recover',
      step: 'others',
      detail: { file: file.relative },
    };
    await note(recovery, step);
    const { shown } = await makeEmergencyBackup(run, file);
    files.push(shown);
    output.line(`✓ Saved: ${shown}`);
    try {
      await dropSaved(recovery, join(backup.directory, file.relative));
      return describeKept(files, '', others);
    } catch (error) {
      const isChanged = error instanceof ReshelveError && error.code === 'DATABASE_IN_USE';
      if (!isChanged) throw error;
      const until = run.context.now().toISOString();
      if (attempt >= ATTEMPTS_MAX) {
        return describeKept(files, `; what they write from ${until} on is lost`, others);
      }
    }
  }
}

function describeKept(files: readonly string[], limit: string, others: string): string {
  const list = files.join(' and ');
  return `; what was in the database by then, perhaps written by others, is kept in ${list}${limit}${others}`;
}

/** Under locks and compared with what was saved, as the old state was. */
async function dropSaved({ run, lock, mayLock }: Recovery, path: string): Promise<void> {
  const { context } = run;
  await lock.use((session) =>
    dropProvenState(
      {
        context,
        session,
        emergencyPath: path,
        mayLock,
        describeOthers: () => othersIn(context, session),
      },
      () => Promise.resolve(),
    ),
  );
}
