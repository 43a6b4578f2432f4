/** The online recovery that still keeps its old tables. */
import type { FoundJournal } from '../../catalog/store-journal.js';
import { findUnfinishedJournals } from '../../catalog/store-journal.js';
import { ReshelveError } from '../../errors.js';
import type { Context } from '../context.js';

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
