/** From the proven copy to the proven database: the swap, and what belongs to it. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { sideDatabaseName } from '../../catalog/side-database.js';
import { assert, ReshelveError } from '../../errors.js';
import { alignObjects, dropTriggers, prepareAligning } from '../changes/align-objects.js';
import { assertNoProblems, compareDefinitions } from '../load/compare-copy.js';
import { readRoutineRights } from '../../mysql/routine-rights.js';
import {
  lastRecord,
  lookAtPlaces,
  noteOnline,
  liveOf,
  openEmergency,
  openLive,
  proveDefinitions,
  swapRecord,
  tablesIn,
} from './online-recovery.js';
import type { Online, SwapRecord } from './online-recovery.js';
import { giveRights, rightsDetail } from './online-rights.js';
import { openServer } from '../sessions.js';
import { makeSideDatabase } from './side-database.js';
import { movesForward } from './swap-plan.js';
import { swapTables } from './swap-tables.js';

/** The swap is announced and its places are made; nothing that others see is changed. */
export async function prepareSwap(
  online: Online,
  staging: string,
  incoming: readonly string[],
): Promise<void> {
  const { run, context } = online;
  const { configuration } = context;
  const live = liveOf(online);
  const previous = sideDatabaseName(live, 'before', run.startedAt, configuration.backup.timeZone);
  const session = await openServer(context, configuration.server, staging);
  try {
    await assertDefinitionsSaved(online);
    const { oldDefaults } = online.journal.state.begin;
    const purpose = `tables of ${live} as they were before the online recovery ${run.id}`;
    await makeSideDatabase(session, previous, purpose, oldDefaults ?? undefined);
    const outgoing = [...(await tablesIn(session, live))].sort();
    const rights = await readRoutineRights(session, live);
    context.signal.throwIfAborted();
    await run.confirmLock();
    await noteOnline(online, {
      step: 'swap',
      detail: { previous, outgoing, incoming: [...incoming], ...rightsDetail(rights) },
    });
    // A table with triggers cannot be moved; those of the copy are made again in the live database.
    await dropTriggers(session, staging);
  } finally {
    await session.close();
  }
}

/** Definitions that changed since the emergency backup could not be brought back from it. */
async function assertDefinitionsSaved(online: Online): Promise<void> {
  const reader = await openEmergency(online);
  const session = await openLive(online);
  try {
    const { problems } = await compareDefinitions({
      reader,
      database: liveOf(online),
      sessions: [session],
      differences: { eventsDisabled: false, definersReplaced: false },
      compareDefinitions: true,
      output: online.context.output,
      ignoredTables: new Set(),
    });
    assertNoProblems(problems);
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'VERIFY_FAILED') throw error;
    throw new ReshelveError(
      'SCHEMA_CHANGED',
      `definitions in ${liveOf(online)} were changed during the recovery: ${error.message}; the live database is as it was`,
      { hint: 'Run the command again when no migration runs.', cause: error },
    );
  } finally {
    await session.close();
    await reader.close();
  }
}

/** Gives how long others were held up, in milliseconds. May be called again after an interruption. */
export async function swapAndAlign(online: Online, reader: ArchiveReader): Promise<number> {
  const live = liveOf(online);
  const record = swapRecord(online);
  assert(record !== undefined, 'the swap was announced');
  const emergency = await openEmergency(online);
  const session = await openLive(online);
  try {
    await prepareAligning(session);
    const heldMs = await swapTables({
      context: online.context,
      open: () => openLive(online),
      live,
      moves: async () => movesForward(await lookAtPlaces(session, live, record), record),
      after: { reader, database: live },
      before: { reader: emergency, database: live },
    });
    await noteOnline(online, { step: 'objects', detail: {} });
    await alignObjects(session, { reader, database: live });
    await giveRights(online, lastRecord(online, 'swap')?.detail.routineRights ?? []);
    await noteOnline(online, { step: 'verify', detail: {} });
    await proveDefinitions(online, reader);
    return heldMs;
  } finally {
    await session.close();
    await emergency.close();
  }
}

/** Whether no table has been moved yet. */
export async function isUnswapped(online: Online, record: SwapRecord): Promise<boolean> {
  const session = await openLive(online);
  try {
    const places = await lookAtPlaces(session, liveOf(online), record);
    const { outgoing, incoming } = record;
    return (
      outgoing.every((table) => !places.previousTables.has(table)) &&
      incoming.every((table) => places.stagingTables.has(table))
    );
  } finally {
    await session.close();
  }
}
