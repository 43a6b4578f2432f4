/**
 * Rights on single routines outlast an online recovery and its undo: they are in the journal before the
 * first routine is dropped, and are given again to the one that takes its place.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { RoutineRight } from '../../mysql/routine-rights.js';
import {
  giveRoutineRights,
  grantOfRight,
  readRoutineRights,
  sameRoutine,
} from '../../mysql/routine-rights.js';
import { listCallables } from '../../mysql/object-names.js';
import type { Session } from '../../mysql/session.js';
import { routinesToReplace } from '../changes/align-objects.js';
import { grantOnDatabase, grantOnTable } from '../doctor/doctor-grant.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import type { Ability } from '../recovery/recovery-abilities.js';
import { lastRecord, liveOf, openLive } from './online-recovery.js';
import type { Online } from './online-recovery.js';
import { openServer } from '../sessions.js';

/** For the detail of a step: nothing where there are none, or none that this user may read. */
export interface RightsDetail {
  readonly routineRights?: RoutineRight[];
}

export function rightsDetail(rights: readonly RoutineRight[] | undefined): RightsDetail {
  return rights === undefined || rights.length === 0 ? {} : { routineRights: [...rights] };
}

/** Those that the way back has to give again: as they are now, and what the swap took along. */
export async function rightsToReturn(online: Online): Promise<readonly RoutineRight[]> {
  const announced = lastRecord(online, 'rollback-objects');
  if (announced !== undefined) return announced.detail.routineRights ?? [];
  const before = lastRecord(online, 'swap')?.detail.routineRights ?? [];
  const session = await openLive(online);
  try {
    const now = (await readRoutineRights(session, liveOf(online))) ?? [];
    // Once the new state was proven, a right that is gone from a routine which is there was revoked.
    const isProven = lastRecord(online, 'proven') !== undefined;
    const present = isProven ? await routinesIn(session, liveOf(online)) : new Set<string>();
    return [...now, ...before.filter((right) => !present.has(sameRoutine(right)))];
  } finally {
    await session.close();
  }
}

async function routinesIn(session: Session, database: string): Promise<Set<string>> {
  const callables = await listCallables(session, database);
  return new Set(callables.map(({ type, name }) => `${type} ${name}`.toLowerCase()));
}

/** What cannot be given is said, with the statements to run. */
export async function giveRights(online: Online, rights: readonly RoutineRight[]): Promise<void> {
  if (rights.length === 0) return;
  // Not in the database: there MySQL 9.7 does not see a GRANT OPTION that is held on it (error 1370).
  const session = await openServer(online.context, online.context.configuration.server);
  try {
    const refused = await giveRoutineRights(session, liveOf(online), rights);
    if (refused.length === 0) return;
    online.run.warn({
      code: 'ROUTINE_RIGHTS',
      message: `rights on routines that were made anew could not be given again; run as an administrator: ${refused.join(' ')}`,
    });
  } finally {
    await session.close();
  }
}

/** Whether rights on routines that the backup replaces could be read, and be given again. */
export async function judgeRights(
  session: Session,
  state: ServerState,
  database: string,
  reader: ArchiveReader,
): Promise<Ability[]> {
  const replaced = await routinesToReplace(session, { reader, database });
  if (replaced.length === 0) return [];
  const names = replaced.map(({ type, name }) => `${type} ${name}`);
  const rights = await readRoutineRights(session, database);
  if (rights === undefined) {
    return [
      {
        level: 'warning',
        text: `rights that accounts hold on ${shown(names)} alone would be lost, because this user may not read them`,
        next: grantOnTable(state, 'SELECT', '`mysql`.`procs_priv`'),
      },
    ];
  }
  const lost = new Set(names.map((name) => name.toLowerCase()));
  const held = rights.filter((right) => lost.has(sameRoutine(right)));
  const [first] = held;
  if (first === undefined || state.grants.holdsOnDatabase('GRANT OPTION', database)) return [];
  const grant = grantOnDatabase(state, ['EXECUTE', 'ALTER ROUTINE'], database);
  return [
    {
      level: 'refused',
      text: `GRANT OPTION missing on ${database}: ${held.length} rights on single routines could not be given again, such as ${grantOfRight(first, database)}`,
      next: `${grant.slice(0, -1)} WITH GRANT OPTION; or run \`reshelve recover\` without --online, which leaves these rights alone.`,
    },
  ];
}

function shown(names: readonly string[]): string {
  const rest = names.length - 5;
  return names.slice(0, 5).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
