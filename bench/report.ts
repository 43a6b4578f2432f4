/** From measurements to the table that is printed and the file that is kept. */
import { cpus, totalmem } from 'node:os';
import { median, type Measurement } from './measure.js';

export type Part = 'backup' | 'restore';

export interface Result {
  readonly name: string;
  readonly part: Part;
  readonly runs: readonly Measurement[];
  readonly failures: number;
  /** Of the last run's output; of the file that it reads for a restore. */
  readonly outputBytes: number;
  /** What makes this run not comparable or failed, in words. */
  readonly note?: string;
}

export interface Summary {
  readonly name: string;
  readonly part: Part;
  readonly runs: number;
  readonly failures: number;
  readonly wallSeconds: number;
  readonly wallSecondsMin: number;
  readonly wallSecondsMax: number;
  /** Median wall by that of the first contender of the part. */
  readonly wallRatio: number | null;
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number;
  readonly peakRssMegabytes: number;
  readonly outputMegabytes: number;
  readonly outputRatio: number | null;
  /** Cores that other programs of the machine used meanwhile: median and highest. */
  readonly foreignCores: number;
  readonly foreignCoresMax: number;
  readonly note?: string;
}

export function summarize(results: readonly Result[]): Summary[] {
  return results.map((result) => {
    const baseline = results.find(({ part, runs }) => part === result.part && runs.length > 0);
    return summarizeOne(result, baseline);
  });
}

function summarizeOne(result: Result, baseline: Result | undefined): Summary {
  const { runs } = result;
  const of = (value: (run: Measurement) => number): number =>
    runs.length === 0 ? 0 : median(runs.map(value));
  const walls = runs.map(({ wallSeconds }) => wallSeconds);
  const wall = of((run) => run.wallSeconds);
  const isComparable = runs.length > 0 && baseline !== undefined;
  const baselineWall = isComparable ? median(baseline.runs.map((run) => run.wallSeconds)) : 1;
  return {
    name: result.name,
    part: result.part,
    runs: runs.length,
    failures: result.failures,
    wallSeconds: round(wall, 2),
    wallSecondsMin: round(Math.min(...walls, wall), 2),
    wallSecondsMax: round(Math.max(...walls, wall), 2),
    wallRatio: isComparable ? round(wall / baselineWall, 3) : null,
    clientCpuSeconds: round(
      of((run) => run.clientCpuSeconds),
      2,
    ),
    serverCpuSeconds: round(
      of((run) => run.serverCpuSeconds),
      2,
    ),
    peakRssMegabytes: round(Math.max(0, ...runs.map((run) => run.peakRssBytes)) / 1e6, 0),
    outputMegabytes: round(result.outputBytes / 1e6, 1),
    outputRatio: isComparable ? round(result.outputBytes / baseline.outputBytes, 3) : null,
    foreignCores: round(
      of((run) => run.foreignCores),
      2,
    ),
    foreignCoresMax: round(Math.max(0, ...runs.map((run) => run.foreignCores)), 2),
    ...(result.note === undefined ? {} : { note: result.note }),
  };
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

const COLUMNS: readonly [string, (one: Summary) => string][] = [
  ['', ({ name }) => name],
  ['n', ({ runs }) => String(runs)],
  ['wall s', ({ wallSeconds }) => wallSeconds.toFixed(1)],
  ['(min-max)', (one) => `${one.wallSecondsMin.toFixed(1)}-${one.wallSecondsMax.toFixed(1)}`],
  ['ratio', ({ wallRatio }) => wallRatio?.toFixed(2) ?? '-'],
  ['client cpu s', ({ clientCpuSeconds }) => clientCpuSeconds.toFixed(1)],
  ['server cpu s', ({ serverCpuSeconds }) => serverCpuSeconds.toFixed(1)],
  ['peak RSS MB', ({ peakRssMegabytes }) => String(peakRssMegabytes)],
  ['file MB', ({ outputMegabytes }) => outputMegabytes.toFixed(1)],
  ['size ratio', ({ outputRatio }) => outputRatio?.toFixed(2) ?? '-'],
  ['others’ cores', ({ foreignCores }) => foreignCores.toFixed(2)],
];

/** A table of one part, with notes below it. */
export function formatSummaries(summaries: readonly Summary[]): string[] {
  const lines = [
    COLUMNS.map(([title]) => title),
    ...summaries.map((one) => COLUMNS.map(([, cell]) => cell(one))),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const aligned = lines.map((line) =>
    line
      .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join('  '),
  );
  const notes = summaries.flatMap(({ name, note }) =>
    note === undefined ? [] : [`${name}: ${note}`],
  );
  return [...aligned, ...notes];
}

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGigabytes: number;
  readonly node: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    processor: all[0]?.model.trim() ?? 'unknown',
    memoryGigabytes: Math.round(totalmem() / 1e9),
    node: process.versions.node,
  };
}
