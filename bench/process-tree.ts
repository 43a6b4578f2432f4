/** What a process and all its descendants use, sampled from /proc (Linux only). */
import { readFileSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 40;
/** USER_HZ: what /proc counts processor time in, on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface TreeUsage {
  /** The highest sum of the resident memory of all processes at one sample. */
  readonly peakRssBytes: number;
  /** Processor time of all processes, as of the last sample before each ended. */
  readonly cpuSeconds: number;
}

export interface TreeSampler {
  /** Takes a last sample and ends. */
  stop(): TreeUsage;
}

/** Watches the process `pid` and its descendants from now on. */
export function sampleTree(pid: number): TreeSampler {
  const ticksOf = new Map<number, number>();
  let peakRssBytes = 0;
  const sample = (): void => {
    let rssBytes = 0;
    for (const member of treeOf(pid)) {
      const usage = usageOf(member);
      if (usage === undefined) continue;
      rssBytes += usage.rssBytes;
      ticksOf.set(member, usage.ticks);
    }
    peakRssBytes = Math.max(peakRssBytes, rssBytes);
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      let ticks = 0;
      for (const one of ticksOf.values()) ticks += one;
      return { peakRssBytes, cpuSeconds: ticks / TICKS_PER_SECOND };
    },
  };
}

/** Processor time of one process so far, in seconds. */
export function cpuSecondsOf(pid: number): number {
  return (usageOf(pid)?.ticks ?? 0) / TICKS_PER_SECOND;
}

/** Processor time that all processes of this machine have used so far, in seconds. */
export function machineCpuSeconds(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user nice system idle iowait irq softirq steal: https://man7.org/linux/man-pages/man5/proc_stat.5.html
  const ticks = first.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = ticks;
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

function treeOf(root: number): number[] {
  const tree = [root];
  for (const pid of tree) tree.push(...childrenOf(pid));
  return tree;
}

function childrenOf(pid: number): number[] {
  const text = readProc(`/proc/${pid}/task/${pid}/children`);
  return text === undefined ? [] : text.split(' ').filter(Boolean).map(Number);
}

function usageOf(pid: number): { rssBytes: number; ticks: number } | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in brackets may hold spaces; state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks, rssPages] = [fields[11], fields[12], fields[21]].map(Number);
  return { ticks: (userTicks ?? 0) + (systemTicks ?? 0), rssBytes: (rssPages ?? 0) * PAGE_BYTES };
}

/** A process may end between being listed and being looked at. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
