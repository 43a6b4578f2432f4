/** The one transaction in which a way back is run: all of it, or nothing. */
import { ReshelveError } from '../../errors.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import type { Context } from '../context.js';
import { grantGlobally, grantOnDatabase, replayPrivileges } from '../doctor/doctor-grant.js';
import { readServerState } from '../doctor/doctor-server-state.js';
import { openDatabase } from '../sessions.js';
import { applyUndo, assertNoOrphans, describeLog } from './undo-apply.js';
import type { UndoCollector } from './undo-collector.js';
import type { PresentFacts } from './undo-facts.js';

/** With ROLLBACK everything is run and nothing changed. Throws UNDO_CONFLICT, NOT_UNDOABLE, PRIVILEGE. */
export async function runUndoThere(
  context: Context,
  collector: UndoCollector,
  facts: PresentFacts,
  end: 'COMMIT' | 'ROLLBACK',
): Promise<void> {
  const session = await openDatabase(context);
  const other = await openDatabase(context);
  try {
    await session.execute('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await assertStrict(session);
    await describeLog(session, collector);
    await session.execute('BEGIN');
    let done = 0;
    await applyUndo({
      session,
      collector,
      facts,
      signal: context.signal,
      onRows: (rows) => {
        done += rows;
        context.output.progress({ activity: 'Taking rows back', done, unit: 'rows' });
      },
    });
    await assertNoOrphans(session, other, facts);
    await finish(session, end);
  } catch (error) {
    throw await withGrant(error, other, context.configuration.databaseName);
  } finally {
    context.output.progress(null);
    // What was not committed is rolled back with its connection.
    await Promise.all([session.close(), other.close()]);
  }
}

async function finish(session: Session, end: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  try {
    await session.execute(end);
  } catch (error) {
    if (end === 'ROLLBACK' || !(error instanceof ReshelveError) || isServerError(error))
      throw error;
    throw new ReshelveError(
      error.code,
      `whether the undo was committed is not known: ${error.message}`,
      { hint: 'Run `reshelve events`: the newest transaction shows whether it was.', cause: error },
    );
  }
}

/** In the other mode rows that are missing would be passed over without a word. */
async function assertStrict(session: Session): Promise<void> {
  const variable =
    session.facts.flavour === 'mariadb' ? '@@GLOBAL.slave_exec_mode' : '@@SESSION.rbr_exec_mode';
  const mode = await session.value(`SELECT ${variable}`);
  if (mode === 'STRICT') return;
  throw new ReshelveError(
    'NOT_UNDOABLE',
    `${session.where}: expected ${variable} to be STRICT but found ${mode ?? 'nothing'}: missing rows would be passed over`,
    { hint: `Set ${variable.replace('@@', '')} to STRICT, then run the command again.` },
  );
}

async function withGrant(error: unknown, session: Session, database: string): Promise<unknown> {
  const isOfTable = isServerError(error, ERRNO.tableAccessDenied, ERRNO.columnAccessDenied);
  if (!isOfTable && !isServerError(error, ERRNO.specificAccessDenied)) return error;
  const state = await readServerState(session);
  // MySQL reads under lock only for who may lock or write.
  const grant = isOfTable
    ? grantOnDatabase(state, ['SELECT', 'LOCK TABLES'], database)
    : grantGlobally(state, replayPrivileges(state.facts));
  return new ReshelveError('PRIVILEGE', `${error.message}; nothing was changed`, {
    hint: `Run \`${grant}\` as an administrator, then the command again.`,
    cause: error,
  });
}
