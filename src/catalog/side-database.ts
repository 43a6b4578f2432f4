/**
 * Names of the databases that an online recovery keeps beside the live one: the copy being loaded, the
 * tables as they were before, and what an undo set aside.
 */
import { compareText, localTimestamp } from './names.js';

export type SideRole = 'staging' | 'before' | 'undone';

const DATABASE_NAME_CHARACTERS_MAX = 64;
const TIME_CHARACTERS = 15;
const NAME = /^(.*)__(staging|before|undone)_(\d{8}_\d{6})$/s;

/** `LibraryDB__before_20260102_153045`; a long name of the database is cut to fit. */
export function sideDatabaseName(
  database: string,
  role: SideRole,
  at: Date,
  timeZone: string,
): string {
  return `${stemOf(database, role)}__${role}_${localTimestamp(at, timeZone)}`;
}

/** The local time in a name that `sideDatabaseName` may have given for `database`. */
export function sideDatabaseTime(
  name: string,
  database: string,
  role: SideRole,
): string | undefined {
  const [, stem, found, time] = NAME.exec(name) ?? [];
  // A server that keeps names in lower case gives them back so.
  const isOurs = stem?.toLowerCase() === stemOf(database, role).toLowerCase() && found === role;
  return isOurs ? time : undefined;
}

/** Those of `names` that `sideDatabaseName` may have given, oldest first. */
export function sideDatabasesOf(
  names: readonly string[],
  database: string,
  role: SideRole,
): string[] {
  return names
    .filter((name) => sideDatabaseTime(name, database, role) !== undefined)
    .sort((left, right) =>
      compareText(
        sideDatabaseTime(left, database, role) ?? '',
        sideDatabaseTime(right, database, role) ?? '',
      ),
    );
}

function stemOf(database: string, role: SideRole): string {
  const room = DATABASE_NAME_CHARACTERS_MAX - `__${role}_`.length - TIME_CHARACTERS;
  // Names hold no characters beyond the basic plane, so this cannot cut one in two.
  return database.slice(0, room);
}
