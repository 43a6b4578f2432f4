/** The failure of a backup that could not get at a table. */
import { ReshelveError } from '../../errors.js';
import { describeClient, readConnectedClients } from '../../mysql/connected-clients.js';
import { databaseLockName } from '../../mysql/database-lock.js';
import { readGrants } from '../../mysql/grants.js';
import { quoteString } from '../../sql/quote.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';

const SHOWN_MAX = 5;

/** Names who was there, as far as this user may see it; ours must be closed by then. */
export async function heldTableError(
  run: Run,
  attempts: number,
  cause: Error,
): Promise<ReshelveError> {
  const { configuration } = run.context;
  const database = configuration.databaseName;
  return new ReshelveError(
    'TIMEOUT',
    `a table of ${database} was locked by others in each of ${attempts} attempts to read it` +
      `${await describeOthers(run)}: ${cause.message}`,
    {
      hint:
        'See who holds it (`SHOW FULL PROCESSLIST` as a user with PROCESS; on MySQL also ' +
        '`SELECT * FROM sys.schema_table_lock_waits` while the backup waits), end that, then run the command again.',
      cause,
    },
  );
}

/** Ends a message. The connection that holds the lock on the database's name is our own. */
async function describeOthers({ context }: Run): Promise<string> {
  const { server, databaseName } = context.configuration;
  try {
    const observer = await openServer(context, server);
    try {
      const name = quoteString(databaseLockName(databaseName));
      const own = Number(await observer.value(`SELECT IS_USED_LOCK(${name})`));
      const grants = await readGrants(observer);
      const others = await readConnectedClients(observer, databaseName, grants, [own]);
      const shown = others.clients.slice(0, SHOWN_MAX).map(describeClient).join(', ');
      if (shown !== '') return `; connected there: ${shown}`;
      return others.isComplete ? '' : ' (this user may not see by whom)';
    } finally {
      await observer.close();
    }
  } catch {
    // That nobody can be named must not hide what happened.
    return '';
  }
}
