/** What the steps of an online recovery work on, and how they see where its tables are. */
import { join } from 'node:path';
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import type { RecoveryRecord, RecoveryStep } from '../../catalog/recovery-journal.js';
import type { RecoveryJournal } from '../../catalog/store-journal.js';
import { assert } from '../../errors.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import { assertNoProblems, compareDefinitions } from '../load/compare-copy.js';
import type { Context } from '../context.js';
import type { RecoveryLock } from '../recovery/recovery-lock.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';
import { SIDE_MARK } from './side-database.js';
import type { Places, SwapTables } from './swap-plan.js';

export interface Online {
  readonly run: Run;
  /** Ends with the lock on the database. */
  readonly context: Context;
  readonly lock: RecoveryLock;
  readonly journal: RecoveryJournal;
}

/** Neither Ctrl-C nor what ended the recovery may end the way back; a second Ctrl-C ends the process. */
export function unstoppable(online: Online): Online {
  const context = { ...online.context, signal: new AbortController().signal };
  return { ...online, context, run: { ...online.run, context } };
}

/** The kind of each step makes appending short. */
export async function noteOnline(
  { journal }: Pick<Online, 'journal'>,
  step: Omit<RecoveryStep<'online'>, 'kind'>,
): Promise<void> {
  await journal.append({ kind: 'online', ...step } as RecoveryStep<'online'>);
}

export function liveOf({ context }: Pick<Online, 'context'>): string {
  return context.configuration.databaseName;
}

export function openLive({ context }: Pick<Online, 'context'>): Promise<Session> {
  const { server, databaseName } = context.configuration;
  return openServer(context, server, databaseName);
}

type OnlineStepName = RecoveryStep<'online'>['step'];
type RecordOf<N extends OnlineStepName> = Extract<RecoveryRecord<'online'>, { readonly step: N }>;

/** The last record of a step; undefined where it was never announced. */
export function lastRecord<N extends OnlineStepName>(
  { journal }: Pick<Online, 'journal'>,
  step: N,
): RecordOf<N> | undefined {
  return journal.records.findLast(
    (record): record is RecordOf<N> => record.kind === 'online' && record.step === step,
  );
}

export interface SwapRecord extends SwapTables {
  readonly staging: string;
  readonly previous: string;
}

/** What the swap was announced as; undefined where it was not. */
export function swapRecord(online: Pick<Online, 'journal'>): SwapRecord | undefined {
  const stage = lastRecord(online, 'stage');
  const swap = lastRecord(online, 'swap');
  return stage === undefined || swap === undefined
    ? undefined
    : { ...swap.detail, staging: stage.detail.staging };
}

export async function lookAtPlaces(
  session: Session,
  live: string,
  { staging, previous }: Pick<SwapRecord, 'staging' | 'previous'>,
): Promise<Places> {
  return {
    live,
    liveTables: await tablesIn(session, live),
    staging,
    stagingTables: await tablesIn(session, staging),
    previous,
    previousTables: await tablesIn(session, previous),
  };
}

/** Tables and sequences, everything that RENAME moves; without the mark of our own databases. */
export async function tablesIn(session: Session, database: string): Promise<Set<string>> {
  const { tables, sequences } = await listTables(session, database);
  const names = new Set([...tables.map(({ name }) => name), ...sequences]);
  names.delete(SIDE_MARK);
  return names;
}

/** The archive of the old state. */
export async function openEmergency(online: Online): Promise<ArchiveReader> {
  const { emergencyFile } = online.journal.state;
  assert(emergencyFile !== null, 'an online recovery has its emergency backup');
  return openArchive(join(online.context.configuration.backup.directory, emergencyFile));
}

/**
 * Throws VERIFY_FAILED unless the live database has the definitions of the archive. Its rows are not
 * looked at: whoever uses the database writes to them.
 */
export async function proveDefinitions(online: Online, reader: ArchiveReader): Promise<void> {
  const session = await openLive(online);
  try {
    const { problems } = await compareDefinitions({
      reader,
      database: liveOf(online),
      sessions: [session],
      differences: { eventsDisabled: false, definersReplaced: false },
      compareDefinitions: reader.index.header.serverVersion === session.facts.version,
      output: online.context.output,
      ignoredTables: new Set(),
    });
    assertNoProblems(problems);
  } finally {
    await session.close();
  }
}
