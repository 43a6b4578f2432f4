/** One thing that the doctor looked at. */
import { ReshelveError } from '../../errors.js';

/** In the order in which they are printed. */
export const FINDING_GROUPS = [
  'server',
  'backup privileges',
  'consistency',
  'routines',
  'coordinates',
  'verification',
  'restoring',
  'binary log',
  'backup directory',
  'backups',
  'schedule',
] as const;
export type FindingGroup = (typeof FINDING_GROUPS)[number];

/** `warning`: works, but not as well as it could. `failed`: something would fail. */
export type FindingStatus = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly group: FindingGroup;
  readonly status: FindingStatus;
  readonly text: string;
  /** What to do about it: a statement, a command, or a sentence. */
  readonly next?: string;
}

/** Makes findings of one group. */
export interface FindingMaker {
  ok(text: string, next?: string): Finding;
  warning(text: string, next?: string): Finding;
  failed(text: string, next?: string): Finding;
}

export function findingsOf(group: FindingGroup): FindingMaker {
  const make =
    (status: FindingStatus) =>
    (text: string, next?: string): Finding => ({
      group,
      status,
      text,
      ...(next === undefined ? {} : { next }),
    });
  return { ok: make('ok'), warning: make('warning'), failed: make('failed') };
}

/** A check that fails itself is a finding: the others still have their say. */
export function failedCheck(group: FindingGroup, error: unknown): Finding {
  if (!(error instanceof ReshelveError)) throw error;
  return findingsOf(group).failed(`${error.code}: ${error.message}`, error.hint);
}
