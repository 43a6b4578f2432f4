/** Recoveries that were interrupted: every command says so, and those that write refuse. */
import { join, relative } from 'node:path';
import { isInBetween, PHASE_WORDS } from '../../catalog/recovery-journal.js';
import type { RecoveryPhase } from '../../catalog/recovery-journal.js';
import type { FoundJournal } from '../../catalog/store-journal.js';
import { findUnfinishedJournals, reopenJournal } from '../../catalog/store-journal.js';
import { ReshelveError } from '../../errors.js';
import type { Context } from '../context.js';

type Place = Pick<Context, 'configuration'>;

/** What stands in the way of a command that would write, in words; and what to do about it. */
interface Unfinished {
  readonly message: string;
  readonly commands: string;
}

/** An unfinished recovery as `status` tells of it. */
export interface UnfinishedRecovery extends Unfinished {
  /** Undefined where the journal is damaged, so that nobody can tell. */
  readonly phase: RecoveryPhase | undefined;
}

/** Those of DB_NAME, and damaged journals that may be of it. Throws DIRECTORY or IO. */
export async function listUnfinishedRecoveries(
  place: Place,
): Promise<readonly UnfinishedRecovery[]> {
  const { backup, databaseName } = place.configuration;
  const journals = await findUnfinishedJournals(backup.directory);
  return journals
    .filter(({ database }) => database === databaseName)
    .map((journal) => ({ ...describe(place, journal), phase: journal.state?.phase }));
}

/** Says of each unfinished recovery that there is one; a folder that cannot be read is passed over. */
export async function warnOfUnfinishedRecoveries(
  place: Pick<Context, 'configuration' | 'output'>,
): Promise<void> {
  const { directory } = place.configuration.backup;
  let journals: readonly FoundJournal[];
  try {
    journals = await findUnfinishedJournals(directory);
  } catch (error) {
    if (error instanceof ReshelveError) return;
    throw error;
  }
  for (const journal of journals) {
    const { message, commands } = describe(place, journal);
    const code = journal.problem?.code ?? 'RECOVERY_UNFINISHED';
    place.output.warn({ code, message: `${message}. ${commands}` });
  }
}

/**
 * Throws RECOVERY_UNFINISHED (or JOURNAL_DAMAGED) while `database` may be in neither of the two states
 * of a recovery. Call it under the lock of the backup directory: no recovery is under way then.
 */
export async function refuseWhileUnfinished(place: Place, database: string): Promise<void> {
  const { directory } = place.configuration.backup;
  for (const journal of await findUnfinishedJournals(directory)) {
    if (journal.database !== database) continue;
    if (journal.state !== undefined && !isInBetween(journal.state.phase)) continue;
    const { message, commands } = describe(place, journal);
    throw new ReshelveError(journal.problem?.code ?? 'RECOVERY_UNFINISHED', message, {
      hint: commands,
    });
  }
}

/**
 * Closes journals of recoveries that were interrupted before they changed anything, so that a new one
 * can begin. Call it under the lock of the backup directory.
 */
export async function abandonUntouched({ configuration, now }: Context): Promise<void> {
  for (const found of await findUnfinishedJournals(configuration.backup.directory)) {
    const isOurs = found.database === configuration.databaseName;
    if (!isOurs || found.state?.phase !== 'unchanged' || found.state.kind !== 'recover') continue;
    const journal = await reopenJournal(found.path, now);
    try {
      await journal.append({ kind: 'recover', step: 'finish', detail: { outcome: 'abandoned' } });
    } finally {
      await journal.close();
    }
  }
}

function describe(place: Place, journal: FoundJournal): Unfinished {
  const shown = journalShown(place, journal.path);
  const { state, database, problem } = journal;
  if (state === undefined) {
    return {
      message: problem?.message ?? `${shown} cannot be read`,
      commands: problem?.hint ?? '',
    };
  }
  const { begin, begunAt, phase, kind } = state;
  const what = kind === 'online' ? 'online recovery' : 'recovery';
  const ended = phase === 'kept' ? PHASE_WORDS.kept : `is not finished: ${PHASE_WORDS[phase]}`;
  return {
    message: `the ${what} of ${database} from ${begin.backupShown}, begun ${begunAt}, ${ended} (${shown})`,
    commands: followUp(state.kind, phase === 'kept'),
  };
}

/** The two commands that end an unfinished recovery. */
export function followUp(kind: 'recover' | 'online', isKept: boolean): string {
  if (isKept) {
    return 'Run `reshelve recover --finish` to drop the old tables, or `reshelve recover --undo` to take them back.';
  }
  const what = kind === 'online' ? 'online recovery' : 'recovery';
  return `Run \`reshelve recover --resume\` to finish the ${what}, or \`reshelve recover --rollback\` to go back to the old state.`;
}

/** A journal's path as the user knows BACKUP_DIR. */
export function journalShown({ configuration }: Place, path: string): string {
  const { directory, directoryShown } = configuration.backup;
  return join(directoryShown, relative(directory, path));
}
