/** The way back: the emergency backup in the place of whatever is there, proven by the same comparison. */
import { join } from 'node:path';
import type { RecoveryStep } from '../../catalog/recovery-journal.js';
import { ReshelveError } from '../../errors.js';
import { defaultsClause, hasDefaults } from '../../sql/database-defaults.js';
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { Context } from '../context.js';
import { assertEmergencySound } from './emergency-backup.js';
import { assertNoProblems } from '../load/compare-copy.js';
import { loadInPlace, proveInPlace } from './recovery-load.js';
import type { ProvenTables } from './recovery-load.js';
import { othersIn } from './recovery-others.js';
import type { Recovery } from './recovery-steps.js';
import { dropWhatIsThere, note } from './recovery-steps.js';
import { describeFailure } from '../run.js';
import { createDatabase, lookAtDatabase } from '../load/target-database.js';

type Returning = Pick<Recovery, 'run' | 'lock' | 'journal'>;

/** One more attempt where the connection or the server was lost on the way. */
const ATTEMPTS_MAX = 3;

/**
 * Puts the old state back and proves it. Throws ROLLBACK_FAILED, with the commands that finish by hand;
 * the journal then stays unfinished, so that `recover --rollback` can be tried again.
 */
export async function rollBack(recovery: Returning, reason: unknown): Promise<ProvenTables> {
  const failure = describeFailure(reason);
  // Neither Ctrl-C nor what ended the recovery may end the way back; a second Ctrl-C ends the process.
  const context: Context = { ...recovery.run.context, signal: new AbortController().signal };
  const returning: Returning = { ...recovery, run: { ...recovery.run, context } };
  await noteIfPossible(returning, { kind: 'recover', step: 'rollback', detail: failure });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await putBack(returning);
    } catch (error) {
      if (attempt < ATTEMPTS_MAX && isPassing(error)) continue;
      const failed = describeFailure(error);
      await noteIfPossible(returning, { kind: 'recover', step: 'rollback-failed', detail: failed });
      throw await rollbackFailed(returning, failure.message, error);
    }
  }
}

function isPassing(error: unknown): boolean {
  const codes = ['CONNECTION_LOST', 'PROTOCOL', 'TIMEOUT'];
  return error instanceof ReshelveError && codes.includes(error.code);
}

async function putBack(returning: Returning): Promise<ProvenTables> {
  const { run, lock, journal } = returning;
  const { emergencyFile, emergencySha256, begin } = journal.state;
  const file =
    emergencyFile === null
      ? undefined
      : await assertEmergencySound(run, emergencyFile, emergencySha256);
  await lock.renew();
  await noteIfPossible(returning, { kind: 'recover', step: 'rollback-drop', detail: {} });
  await dropWhatIsThere(returning);
  if (file === undefined) return proveAbsence(returning);
  await lock.use((session) =>
    createDatabase(session, run.context.configuration.databaseName, begin.oldDefaults ?? undefined),
  );
  await noteIfPossible(returning, { kind: 'recover', step: 'rollback-load', detail: {} });
  await loadInPlace(run.context, file);
  await noteIfPossible(returning, { kind: 'recover', step: 'rollback-verify', detail: {} });
  const tables = await proveInPlace(run.context, file);
  await assertDefaults(returning, begin.oldDefaults);
  return tables;
}

async function proveAbsence({ run, lock }: Returning): Promise<ProvenTables> {
  const { databaseName } = run.context.configuration;
  const { exists } = await lock.use((session) => lookAtDatabase(session, databaseName));
  if (exists) assertNoProblems([`database ${databaseName}: expected none but found one`]);
  return [];
}

async function assertDefaults(
  { run, lock }: Returning,
  expected: DatabaseDefaults | null,
): Promise<void> {
  const { databaseName } = run.context.configuration;
  const { defaults } = await lock.use((session) => lookAtDatabase(session, databaseName));
  const isSame =
    expected === null || defaults === undefined
      ? expected === null && defaults === undefined
      : hasDefaults(defaults, expected);
  if (isSame) return;
  const wanted = expected === null ? 'none' : defaultsClause(expected);
  const found = defaults === undefined ? 'none' : defaultsClause(defaults);
  assertNoProblems([`database ${databaseName}: expected ${wanted} but found ${found}`]);
}

/** The way back does not depend on its own record: the journal already says that it may be needed. */
async function noteIfPossible(returning: Returning, step: RecoveryStep<'recover'>): Promise<void> {
  try {
    await note(returning, step);
  } catch (error) {
    returning.run.context.output.warn({
      code: 'JOURNAL_NOT_WRITTEN',
      message: `the journal could not be written, the rollback goes on: ${describeFailure(error).message}`,
    });
  }
}

async function rollbackFailed(
  returning: Returning,
  reason: string,
  error: unknown,
): Promise<ReshelveError> {
  const { lock, run } = returning;
  const { databaseName } = run.context.configuration;
  const others = await lock.use((session) => othersIn(run.context, session)).catch(() => '');
  return new ReshelveError(
    'ROLLBACK_FAILED',
    `${databaseName} is NOT in its old state. The recovery failed: ${reason}. The rollback failed: ` +
      describeFailure(error).message +
      others,
    {
      hint:
        'When the cause is gone, run `reshelve recover --rollback`. To put the old state back by hand ' +
        `with plain tools:\n${commandsByHand(returning).join('\n')}`,
      cause: error,
    },
  );
}

/** Runnable in a shell as they are; the password is asked for. */
export function commandsByHand({ run, journal }: Pick<Returning, 'run' | 'journal'>): string[] {
  const { server, databaseName, backup } = run.context.configuration;
  const { begin, emergencyFile } = journal.state;
  const where =
    server.socketPath === undefined
      ? `-h ${shell(server.host)} -P ${server.port}`
      : `-S ${shell(server.socketPath)}`;
  const mysql = `mysql ${where} -u ${shell(server.user)} -p`;
  const name = quoteIdentifier(databaseName);
  const defaults = begin.oldDefaults === null ? '' : ` ${defaultsClause(begin.oldDefaults)}`;
  const drop = `${mysql} -e ${shell(`SET foreign_key_checks = 0; DROP DATABASE IF EXISTS ${name}`)}`;
  if (emergencyFile === null) return [drop, `rm ${shell(journal.path)}`];
  const file = join(backup.directory, emergencyFile);
  return [
    drop,
    `${mysql} -e ${shell(`CREATE DATABASE ${name}${defaults}`)}`,
    `gunzip -c ${shell(file)} | ${mysql} --binary-mode ${shell(databaseName)}`,
    `rm ${shell(journal.path)}   # so that reshelve knows that it is done`,
  ];
}

function shell(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
