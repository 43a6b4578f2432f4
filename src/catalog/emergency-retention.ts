/** Which emergency backups stay and which go, and why: arithmetic over names and journals. */
import { assert } from '../errors.js';
import { compareBackupNames, parseBackupPath } from './names.js';

export interface EmergencyInput {
  readonly database: string;
  /** BACKUP_EMERGENCY_RETENTION, at least 1. */
  readonly keep: number;
  /** Relative paths of what lies in the folder of emergency backups. */
  readonly files: readonly string[];
  readonly journals: readonly EmergencyJournal[];
}

export interface EmergencyJournal {
  /** Relative. */
  readonly path: string;
  readonly database: string;
  /** The emergency backups that it names. */
  readonly files: readonly string[];
  readonly isFinished: boolean;
}

export interface EmergencyDecision {
  readonly path: string;
  readonly reason: string;
}

export interface EmergencyPlan {
  /** Newest first. */
  readonly keep: readonly EmergencyDecision[];
  /** Oldest first, a backup before the journal that names it. */
  readonly remove: readonly EmergencyDecision[];
}

/** A damaged journal may need any of them: then nothing of its database goes. */
export function planEmergencies(input: EmergencyInput): EmergencyPlan {
  assert(
    Number.isSafeInteger(input.keep) && input.keep >= 1,
    'retention keeps one emergency backup',
  );
  const journals = input.journals.filter((journal) => journal.database === input.database);
  const needed = new Set(
    journals.filter((journal) => !journal.isFinished).flatMap((journal) => journal.files),
  );
  const isUnclear = journals.some((journal) => !journal.isFinished && journal.files.length === 0);
  const keep: EmergencyDecision[] = [];
  const remove: EmergencyDecision[] = [];
  for (const [at, path] of newestFirst(input).entries()) {
    if (at < input.keep) {
      keep.push({ path, reason: `one of the newest ${input.keep} emergency backups` });
    } else if (needed.has(path) || isUnclear) {
      keep.push({ path, reason: 'an unfinished recovery may need it' });
    } else {
      remove.unshift({ path, reason: `older than the newest ${input.keep} emergency backups` });
    }
  }
  const gone = new Set(remove.map(({ path }) => path));
  const stale = journals.filter(
    (journal) =>
      journal.isFinished &&
      journal.files.length > 0 &&
      journal.files.every((file) => gone.has(file)),
  );
  const endings = stale.map(({ path }) => ({ path, reason: 'its emergency backup is removed' }));
  return { keep, remove: [...remove, ...endings] };
}

function newestFirst({ files, database }: EmergencyInput): string[] {
  return files
    .flatMap((path) => {
      const name = parseBackupPath(path);
      return name?.kind === 'emergency' && name.database === database ? [{ path, name }] : [];
    })
    .sort((left, right) => compareBackupNames(right.name, left.name))
    .map(({ path }) => path);
}
