/** Warnings about settings that are probably not what their author meant. Pure. */
import { isSecret, SETTING_NAMES } from './settings.js';
import type { SettingName } from './settings.js';

/** Names of the same thing in other tools, too far from ours to be found by spelling. */
const OTHER_WORDS: Readonly<Record<string, SettingName>> = {
  DB_PASSWORD: 'DB_PASS',
  DB_USERNAME: 'DB_USER',
  DB_DATABASE: 'DB_NAME',
  DB_HOSTNAME: 'DB_HOST',
  VERIFY_DB_PASSWORD: 'VERIFY_DB_PASS',
  VERIFY_DB_USERNAME: 'VERIFY_DB_USER',
  VERIFY_DB_HOSTNAME: 'VERIFY_DB_HOST',
  BACKUP_PATH: 'BACKUP_DIR',
  BACKUP_SCHEDULE: 'BACKUP_CRON_SCHEDULE',
  BACKUP_RETENTION_COUNT: 'BACKUP_RETENTION',
};

const EDITS_MAX = 2;

const KNOWN: ReadonlySet<string> = new Set([
  ...SETTING_NAMES,
  ...SETTING_NAMES.filter(isSecret).map((name) => `${name}_FILE`),
]);

/**
 * One warning for each name in .env that looks like ours and is not. `BACKUP_*` is ours alone; `DB_*` is
 * shared with the host application, so there only a near miss of a setting that is otherwise unset counts.
 */
export function spellingWarnings(
  names: readonly string[],
  isSet: (name: SettingName) => boolean,
): string[] {
  const warnings: string[] = [];
  for (const name of names) {
    if (KNOWN.has(name) || !/^(?:BACKUP|DB|VERIFY_DB)_/.test(name)) continue;
    const meant = nearest(name);
    const isOursAlone = !name.startsWith('DB_');
    if (meant !== undefined && (isOursAlone || !isSet(meant))) {
      warnings.push(`${name} in .env is not a setting of Reshelve; did you mean ${meant}?`);
    } else if (isOursAlone) {
      warnings.push(
        `${name} in .env is not a setting of this version of Reshelve; it has no effect`,
      );
    }
  }
  return warnings;
}

/**
 * A `#` in an unquoted value starts a comment, so a password with one in it is cut short without a
 * word. One warning for each secret of ours to which that happens.
 */
export function cutSecretWarnings(dotEnvText: string): string[] {
  const warnings: string[] = [];
  for (const line of dotEnvText.split(/\r?\n/)) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*([^\s'"`].*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const setting = SETTING_NAMES.find((known) => known === name);
    if (setting === undefined || !isSecret(setting) || !/[^\s#]#/.test(value)) continue;
    warnings.push(
      `${name} in .env: what follows the first # is read as a comment; put the value in quotes`,
    );
  }
  return warnings;
}

function nearest(name: string): SettingName | undefined {
  const byWord = OTHER_WORDS[name];
  if (byWord !== undefined) return byWord;
  let best: SettingName | undefined;
  let fewest = EDITS_MAX + 1;
  for (const known of SETTING_NAMES) {
    const edits = editDistance(name, known);
    if (edits < fewest) [best, fewest] = [known, edits];
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const differs = left[row - 1] === right[column - 1] ? 0 : 1;
      let edits = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + differs,
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      if (swapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      current.push(edits);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

/** Within the table's bounds by construction; infinity would lose every `min`. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
