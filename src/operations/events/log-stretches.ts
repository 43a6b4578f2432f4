/**
 * Where the log of a database is to be had: stretch after stretch, in an incremental or only on the
 * server. Pure arithmetic over what the backups say of themselves.
 */
import { isBefore } from '../../binlog/log-position.js';
import type { ChainedBackup, ChainModel, ChainPosition } from '../../catalog/chain.js';
import type { BinlogPlace } from '../../archive/index-types.js';
import type { Micros } from '../../catalog/instant.js';

export interface ArchiveStretch {
  readonly kind: 'archive';
  readonly backup: ChainedBackup;
  /** All that it builds on is there, so that its transactions are points to recover to. */
  readonly isReachable: boolean;
  readonly from: Micros | undefined;
  readonly to: Micros;
}

export interface ServerStretch {
  readonly kind: 'server';
  /** Begins where this backup ends. */
  readonly after: ChainedBackup;
  /** Where the next backup takes over; of the newest stretch undefined. */
  readonly until: BinlogPlace | undefined;
  /** The next incremental will hold it. */
  readonly canFollow: boolean;
  readonly from: Micros;
  readonly to: Micros | undefined;
}

export type LogStretch = ArchiveStretch | ServerStretch;

/** Oldest first. Empty where there is no backup at all. */
export function logStretches(chains: ChainModel): LogStretch[] {
  const newest = chains.newest()?.at(-1);
  const stretches: LogStretch[] = [];
  let last: ChainedBackup | undefined;
  for (const backup of presentBackups(chains, newest)) {
    const isLogged = backup.step?.method === 'binlog';
    const begin = placeOf(backup.step !== undefined && isLogged ? backup.step.from : backup.end);
    if (last !== undefined && begin !== undefined && isHole(last, backup, begin)) {
      const bounds = { from: last.snapshotAt, to: backup.snapshotAt };
      stretches.push({ kind: 'server', after: last, until: begin, canFollow: false, ...bounds });
    }
    if (isLogged) {
      const isReachable = chains.pathTo(backup).links !== undefined;
      const bounds = { from: last?.snapshotAt, to: backup.snapshotAt };
      stretches.push({ kind: 'archive', backup, isReachable, ...bounds });
    }
    last = backup;
  }
  if (last === undefined) return stretches;
  const canFollow = last === newest && last.endsBinlog === undefined;
  const tail = { until: undefined, canFollow, from: last.snapshotAt, to: undefined };
  return [...stretches, { kind: 'server', after: last, ...tail }];
}

/** Files that are there. What lies behind the newest state is read from the server once more. */
function presentBackups(chains: ChainModel, newest: ChainedBackup | undefined): ChainedBackup[] {
  const unreachable = [...chains.chains(), { unreachable: chains.orphans() }].flatMap((chain) =>
    chain.unreachable.map(({ link }) => link),
  );
  const sound = chains.chains().flatMap(({ full, incrementals }) => [full, ...incrementals]);
  return [...sound, ...unreachable]
    .filter(({ exists }) => exists)
    .filter(({ snapshotAt }) => newest === undefined || snapshotAt <= newest.snapshotAt)
    .sort((left, right) => compare(left.snapshotAt, right.snapshotAt));
}

function compare(left: Micros, right: Micros): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

function isHole(last: ChainedBackup, backup: ChainedBackup, begin: BinlogPlace): boolean {
  const end = placeOf(last.end);
  return last.serverUuid === backup.serverUuid && end !== undefined && isBefore(end, begin);
}

export function placeOf(position: ChainPosition): BinlogPlace | undefined {
  const { binlogFile, binlogPosition } = position;
  if (binlogFile === null || binlogPosition === null) return undefined;
  return { binlogFile, position: binlogPosition };
}
