/** The state that a recovery goes to: how its journal keeps it, and what is said of it. */
import { ReplayUntil } from '../../binlog/replay-until.js';
import type { ReplayEnd } from '../../binlog/replay-until.js';
import { formatInstant } from '../../catalog/instant.js';
import type { BeginDetail, TargetDetail } from '../../catalog/recovery-journal.js';
import type { ChosenBackup } from '../choose-backup.js';
import type { RestorePoint } from '../chains/restore-point.js';
import { singlePoint } from '../chains/restore-point.js';

export interface WantedState {
  readonly point: RestorePoint;
  /** Passes over rows that a change does not find, or finds there already (MySQL alone). */
  readonly idempotent: boolean;
}

export interface SourceFile extends ChosenBackup {
  readonly sha256: string;
}

/** The files and the part of their changes that a state takes. */
export interface SourceChain {
  /** The full backup first. */
  readonly files: readonly SourceFile[];
  /** Which of the logged changes are applied; all where it is undefined. */
  readonly until: ReplayUntil | undefined;
  readonly idempotent: boolean;
  /** Some of the changes are those that a server logged. */
  readonly isLogged: boolean;
  /** The last file describes the state, with digests of its rows. */
  readonly describesState: boolean;
}

export function targetRecord({ files, until, idempotent }: SourceChain): TargetDetail {
  return {
    files: files.map(({ path, shown, sha256 }) => ({ file: path, shown, sha256 })),
    end: until?.end === undefined ? null : endRecord(until.end),
    skipGtids: [...(until?.skipped ?? [])],
    idempotent,
  };
}

function endRecord(end: ReplayEnd): NonNullable<TargetDetail['end']> {
  if (end.kind === 'instant') return { kind: 'instant', micros: String(end.instant) };
  if (end.kind !== 'position') return { kind: end.kind, gtid: end.gtid };
  const { file, position } = end.place;
  return { kind: 'position', binlogFile: file, position };
}

/** The files and the end of the changes that a recovery began with. */
export function recordedState(begin: BeginDetail): WantedState {
  const { backupFile, backupShown, target } = begin;
  const newest = { path: backupFile, shown: backupShown, entry: undefined };
  const [full, ...others] = (target?.files ?? []).map(({ file, shown }) => ({
    path: file,
    shown,
    entry: undefined,
  }));
  if (target === undefined || full === undefined) {
    return { point: singlePoint(newest), idempotent: false };
  }
  const end = target.end === null ? undefined : endOf(target.end);
  return {
    point: {
      backups: [full, ...others],
      newest,
      until: new ReplayUntil(end, target.skipGtids),
    },
    idempotent: target.idempotent,
  };
}

function endOf(record: NonNullable<TargetDetail['end']>): ReplayEnd {
  if (record.kind === 'instant') return { kind: 'instant', instant: BigInt(record.micros) };
  if (record.kind !== 'position') return { kind: record.kind, gtid: record.gtid };
  return {
    kind: 'position',
    place: { file: record.binlogFile, position: record.position },
  };
}

/** In words, line by line; none for a file that brings its state alone. */
export function describeChain(chain: SourceChain | undefined, timeZone: string): string[] {
  if (chain === undefined) return [];
  const { files, until, idempotent } = chain;
  const end = until?.end;
  return [
    `Files: ${files.map(({ shown }) => shown).join(', ')}`,
    ...(end === undefined ? [] : [`Target point: ${describeEnd(end, timeZone)}`]),
    ...(until ?? { skipped: [] }).skipped.map((gtid) => `Left out: transaction ${gtid}`),
    ...(idempotent ? ['Changes that do not find their rows are passed over'] : []),
  ];
}

function describeEnd(end: ReplayEnd, timeZone: string): string {
  switch (end.kind) {
    case 'instant':
      return `what was committed by ${formatInstant(end.instant, timeZone)}`;
    case 'gtid':
      return `right after transaction ${end.gtid}`;
    case 'before-gtid':
      return `right before transaction ${end.gtid}`;
    case 'position':
      return `before ${end.place.file}:${end.place.position} of the binary log`;
  }
}
