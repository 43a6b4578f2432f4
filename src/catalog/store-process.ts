/** Which process this is, and whether another one still runs. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Liveness, ProcessIdentity } from './lease.js';

/**
 * Fields 20 and 22 of /proc/PID/stat (man proc_pid_stat), counted after the name, which may hold
 * spaces and parentheses.
 */
const THREADS_FIELD_AFTER_NAME = 17;
const START_FIELD_AFTER_NAME = 19;

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    processStart: processStat(process.pid)?.start ?? null,
    bootId: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
    host: hostname(),
  };
}

/**
 * `unknown` unless both processes are of the same boot of the same kernel and see the same pids:
 * host names and pids alone say nothing between containers.
 */
export function livenessOf(other: ProcessIdentity, self: ProcessIdentity): Liveness {
  const comparable =
    other.bootId !== null &&
    other.bootId === self.bootId &&
    other.pidNamespace !== null &&
    other.pidNamespace === self.pidNamespace &&
    other.processStart !== null;
  if (!comparable) return 'unknown';
  if (!exists(other.pid)) return 'gone';
  const stat = processStat(other.pid);
  // It exists but cannot be looked at: /proc mounted with hidepid.
  if (stat === undefined) return exists(other.pid) ? 'unknown' : 'gone';
  const isSame = stat.start === other.processStart;
  // Its first thread may have ended while another still finishes a write.
  const isDefunct = (stat.state === 'Z' || stat.state === 'X') && stat.threads <= 1;
  return isSame && !isDefunct ? 'alive' : 'gone';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface ProcessStat {
  readonly state: string;
  readonly threads: number;
  readonly start: string;
}

function processStat(pid: number): ProcessStat | undefined {
  const text = readOrNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === null) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const start = fields[START_FIELD_AFTER_NAME];
  if (state === undefined || start === undefined) return undefined;
  return { state, threads: Number(fields[THREADS_FIELD_AFTER_NAME]), start };
}

function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
