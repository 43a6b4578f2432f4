/**
 * The way back of an online recovery, and its undo: the old tables are swapped in again, the new ones
 * are kept in a database of their own, and the old definitions come from the emergency backup.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import { openArchive } from '../../archive/archive-reader.js';
import { sideDatabaseName } from '../../catalog/side-database.js';
import { ReshelveError } from '../../errors.js';
import { alignObjects, prepareAligning } from '../changes/align-objects.js';
import { assertEmergencySound } from '../recovery/emergency-backup.js';
import {
  lastRecord,
  liveOf,
  lookAtPlaces,
  noteOnline,
  openEmergency,
  openLive,
  proveDefinitions,
  swapRecord,
  tablesIn,
  unstoppable,
} from './online-recovery.js';
import type { Online, SwapRecord } from './online-recovery.js';
import { giveRights, rightsDetail, rightsToReturn } from './online-rights.js';
import { dropStagings } from './online-staging.js';
import { describeFailure } from '../run.js';
import { dropSideDatabase, makeSideDatabase } from './side-database.js';
import { foreignToOldState, movesBack } from './swap-plan.js';
import { swapTables } from './swap-tables.js';

export interface Returned {
  /** The database that took the new tables; null where none had to be moved. */
  readonly aside: string | null;
  /** How long others were held up, in milliseconds. */
  readonly heldMs: number;
}

/**
 * Brings the old state back and proves its definitions. Throws ROLLBACK_FAILED; the journal then stays
 * unfinished, so that `recover --rollback` can be tried again.
 */
export async function bringBack(online: Online, reason: unknown): Promise<Returned> {
  const returning = unstoppable(online);
  const failure = describeFailure(reason);
  if (online.journal.state.phase !== 'rolling-back') {
    await noteOnline(returning, { step: 'rollback', detail: failure });
  }
  try {
    await online.lock.renew();
    return await putBack(returning);
  } catch (error) {
    const failed = describeFailure(error);
    await noteOnline(returning, { step: 'rollback-failed', detail: failed }).catch(() => undefined);
    throw new ReshelveError(
      'ROLLBACK_FAILED',
      `the old tables of ${liveOf(online)} could not be brought back: ${failed.message} (before that: ${failure.message})`,
      { hint: byHand(returning), cause: error },
    );
  }
}

function byHand(online: Online): string {
  const record = swapRecord(online);
  const { emergencyFile } = online.journal.state;
  const where =
    record === undefined
      ? ''
      : ` The old tables are whole in \`${record.previous}\` or still in place.`;
  return (
    `Remove the cause, then run \`reshelve recover --rollback\`.${where} By hand: ` +
    `\`gunzip -c ${online.context.configuration.backup.directoryShown}/${emergencyFile ?? ''} | mysql --binary-mode ${liveOf(online)}\` loads the emergency backup.`
  );
}

async function putBack(online: Online): Promise<Returned> {
  const { run, journal } = online;
  const { emergencyFile, emergencySha256 } = journal.state;
  if (emergencyFile !== null) await assertEmergencySound(run, emergencyFile, emergencySha256);
  const record = swapRecord(online);
  const emergency = await openEmergency(online);
  try {
    const returned =
      record === undefined ? { aside: null, heldMs: 0 } : await swapBack(online, record, emergency);
    const rights = await rightsToReturn(online);
    await noteOnline(online, { step: 'rollback-objects', detail: rightsDetail(rights) });
    await withLive(online, (session) =>
      alignObjects(session, { reader: emergency, database: liveOf(online) }),
    );
    await giveRights(online, rights);
    await noteOnline(online, { step: 'rollback-verify', detail: {} });
    await proveDefinitions(online, emergency);
    await removeEmptied(online, record);
    return returned;
  } finally {
    await emergency.close();
  }
}

async function withLive<T>(
  online: Online,
  use: (session: Awaited<ReturnType<typeof openLive>>) => Promise<T>,
): Promise<T> {
  const session = await openLive(online);
  try {
    await prepareAligning(session);
    return await use(session);
  } finally {
    await session.close();
  }
}

async function swapBack(
  online: Online,
  record: SwapRecord,
  emergency: ArchiveReader,
): Promise<Returned> {
  const live = liveOf(online);
  const { aside, moved } = await announceSwapBack(online, record);
  const present = await openPresent(online);
  try {
    const heldMs = await withLive(online, async (session) => {
      if (moved.length > 0) {
        const purpose = `tables of ${live} that an undone online recovery had brought`;
        await makeSideIfMissing(online, aside, purpose);
      }
      return swapTables({
        context: online.context,
        open: () => openLive(online),
        live,
        moves: async () => {
          const places = await lookAtPlaces(session, live, record);
          const asideTables = await tablesIn(session, aside);
          return movesBack(places, { aside, asideTables, moved }, record.outgoing);
        },
        after: { reader: emergency, database: live },
        before: present === undefined ? undefined : { reader: present, database: live },
      });
    });
    return { aside: moved.length > 0 ? aside : null, heldMs };
  } finally {
    await present?.close();
  }
}

/** A way back that was interrupted goes on as it was announced. */
async function announceSwapBack(
  online: Online,
  record: SwapRecord,
): Promise<{ readonly aside: string; readonly moved: readonly string[] }> {
  const announced = lastRecord(online, 'swap-back');
  if (announced !== undefined) return announced.detail;
  const live = liveOf(online);
  const { run, context } = online;
  const { timeZone } = context.configuration.backup;
  const aside = sideDatabaseName(live, 'undone', run.startedAt, timeZone);
  const places = await withLive(online, (session) => lookAtPlaces(session, live, record));
  const moved = foreignToOldState(places, record.outgoing);
  await noteOnline(online, { step: 'swap-back', detail: { aside, moved } });
  return { aside, moved };
}

async function makeSideIfMissing(online: Online, name: string, purpose: string): Promise<void> {
  await withLive(online, async (session) => {
    // Interrupted before, it may hold tables already.
    if ((await tablesIn(session, name)).size > 0) return;
    const { oldDefaults } = online.journal.state.begin;
    await makeSideDatabase(session, name, purpose, oldDefaults ?? undefined);
  });
}

/** The archive of the new state, where it is still there; it only matters if the way back is blocked. */
async function openPresent({ journal }: Online): Promise<ArchiveReader | undefined> {
  try {
    return await openArchive(journal.state.begin.backupFile);
  } catch (error) {
    if (error instanceof ReshelveError) return undefined;
    throw error;
  }
}

/** The copy, and the database of the old tables, which holds nothing but its mark now. */
async function removeEmptied(online: Online, record: SwapRecord | undefined): Promise<void> {
  await dropStagings(online);
  if (record === undefined) return;
  await withLive(online, async (session) => {
    if ((await tablesIn(session, record.previous)).size > 0) return;
    await dropSideDatabase(session, record.previous);
  });
}
