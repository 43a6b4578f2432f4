/** The database that a restore loads into: emptied, or made as the backup says that it was. */
import type { Session } from '../../mysql/session.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import type { Context } from '../context.js';
import { othersIn } from '../recovery/recovery-others.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';
import { assertTablesFree } from './table-locks.js';
import { createDatabase, dropDatabase, lookAtDatabase } from './target-database.js';

export interface Target {
  readonly database: string;
  /** Whether what was there before the restore may be gone. */
  isChanged: boolean;
}

export async function prepareTarget(
  run: Run,
  target: Target,
  defaults: DatabaseDefaults | undefined,
  /** The only ones that are replaced; all where it is empty. */
  tables: readonly string[],
): Promise<void> {
  const { context } = run;
  const { database } = target;
  const session: Session = await openServer(context, context.configuration.server);
  try {
    const state = await lookAtDatabase(session, database);
    if (state.exists) await assertFree(context, session, database, tables);
    target.isChanged = true;
    if (state.exists && tables.length > 0) return;
    if (state.exists) await dropDatabase(session, database);
    // What a dump does not say of its database stays as it is in the one it replaces.
    const wanted = state.defaults && { ...state.defaults, ...defaults };
    if (!(await createDatabase(session, database, wanted ?? defaults))) {
      run.warn({
        code: 'DEFAULT_ENCRYPTION',
        message: `${database} has the server's default encryption and not the one it had: that takes TABLE_ENCRYPTION_ADMIN`,
      });
    }
  } finally {
    await session.close();
  }
}

/** Else the drop would wait, without a word, for whoever has left a transaction open. */
async function assertFree(
  context: Context,
  session: Session,
  database: string,
  wanted: readonly string[],
): Promise<void> {
  const { tables } = await listTables(session, database);
  const names = tables.map(({ name }) => name);
  await assertTablesFree(session, {
    database,
    tables: wanted.length === 0 ? names : names.filter((name) => wanted.includes(name)),
    describeOthers: async () => {
      const observer = await openServer(context, context.configuration.server);
      try {
        return await othersIn(context, observer, database);
      } finally {
        await observer.close();
      }
    },
  });
}
