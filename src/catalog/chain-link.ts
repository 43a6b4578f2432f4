/** One backup as a chain sees it, and whether it follows on another. Pure. */
import type { Micros } from './instant.js';

export type ChainMethod = 'binlog' | 'ranges';

/** Where in the server's change stream a backup begins or ends. */
export interface ChainPosition {
  readonly binlogFile: string | null;
  readonly binlogPosition: number | null;
  readonly gtidSet: string | null;
}

/** A backup as a chain sees it. */
export interface ChainedBackup {
  readonly id: string;
  readonly type: 'full' | 'incremental';
  /** Relative to BACKUP_DIR. */
  readonly file: string;
  /** The newest state that the backup brings, by the server's clock. */
  readonly snapshotAt: Micros;
  readonly serverUuid: string | null;
  readonly serverFlavour: string;
  /** Where the state of `snapshotAt` stands in the binlog. */
  readonly end: ChainPosition;
  /** Why no incremental can follow by the binlog. */
  readonly endsBinlog?: string;
  /** The file is there, with the size that it was made with. */
  readonly exists: boolean;
  /** No verification has failed. */
  readonly isGood: boolean;
  /** Incrementals only. */
  readonly step?: ChainStep;
}

export interface ChainStep {
  readonly fullId: string;
  readonly previousId: string;
  readonly method: ChainMethod;
  readonly from: ChainPosition;
}

export function ownProblem(link: ChainedBackup): string | undefined {
  if (!link.exists) return `${link.file} is missing or not the file that was made`;
  if (!link.isGood) return `${link.file} failed its verification`;
  return undefined;
}

/** Why `link` does not follow on `previous`, whatever it says; undefined where it does. */
export function linkProblem(previous: ChainedBackup, link: ChainedBackup): string | undefined {
  const { step } = link;
  if (step === undefined) return `${link.file} is a full backup and follows on nothing`;
  if (link.snapshotAt < previous.snapshotAt) {
    return `${link.file} is of an earlier instant than ${previous.file}, which it builds on`;
  }
  if (previous.serverFlavour !== link.serverFlavour) {
    return `${link.file} is of ${link.serverFlavour} but ${previous.file} of ${previous.serverFlavour}`;
  }
  return step.method === 'ranges'
    ? comparisonProblem(previous, link)
    : binlogProblem(previous, link, step);
}

/** Whether the place lies in what the incremental brings, its end included. */
export function reaches({ step, end }: ChainedBackup, place: ChainPosition): boolean {
  if (step?.method !== 'binlog') return false;
  const order = [step.from, place, end].map(({ binlogFile, binlogPosition }) =>
    binlogFile === null || binlogPosition === null
      ? undefined
      : [Number(/(\d+)$/.exec(binlogFile)?.[1]), binlogPosition],
  );
  const [from, wanted, to] = order;
  if (from === undefined || wanted === undefined || to === undefined) return false;
  return compareNumbers(from, wanted) <= 0 && compareNumbers(wanted, to) <= 0;
}

function compareNumbers(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((one, index) => one !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

/** What is compared is the state that an archive describes; one of the binlog describes none. */
function comparisonProblem(previous: ChainedBackup, link: ChainedBackup): string | undefined {
  if (previous.step?.method !== 'binlog') return undefined;
  return `${link.file} was made by comparison, but ${previous.file} has no state to compare with`;
}

function binlogProblem(
  previous: ChainedBackup,
  link: ChainedBackup,
  step: ChainStep,
): string | undefined {
  if (previous.endsBinlog !== undefined) {
    return `nothing can follow on ${previous.file}: ${previous.endsBinlog}`;
  }
  const samePlace =
    step.from.binlogFile === previous.end.binlogFile &&
    step.from.binlogPosition === previous.end.binlogPosition;
  if (previous.serverUuid === link.serverUuid && !samePlace) {
    return (
      `${link.file} begins at ${describePosition(step.from)} but ${previous.file} ends at ` +
      describePosition(previous.end)
    );
  }
  // On another server (a failover) positions mean nothing, and only the GTID set carries on.
  const sameSet = step.from.gtidSet !== null && step.from.gtidSet === previous.end.gtidSet;
  if (previous.serverUuid !== link.serverUuid && !sameSet) {
    return `${link.file} is of another server than ${previous.file}, and no GTID set joins them`;
  }
  return undefined;
}

export function describePosition({ binlogFile, binlogPosition, gtidSet }: ChainPosition): string {
  if (binlogFile !== null) return `${binlogFile}:${binlogPosition ?? '?'}`;
  return gtidSet === null ? 'no known position' : `GTID set ${gtidSet}`;
}
