/** Runs one command line and measures it. */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { cpuSecondsOf, machineCpuSeconds, sampleTree } from './process-tree.js';

export interface Measurement {
  readonly wallSeconds: number;
  /** Of the client's processes together. */
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number;
  readonly peakRssBytes: number;
  /** Processor time of everything else on the machine during the run, in whole cores. */
  readonly foreignCores: number;
  /** The load average of the last minute before the run. */
  readonly loadBefore: number;
}

export interface MeasureRequest {
  /** For bash, under `pipefail`. */
  readonly script: string;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The database server: its processor time belongs to the price. */
  readonly serverPid: number;
  readonly signal: AbortSignal;
}

const STDERR_KEPT = 4000;

/** @throws Error where the command fails: its exit code and the line that says why. */
export async function measure(request: MeasureRequest): Promise<Measurement> {
  request.signal.throwIfAborted();
  const [loadBefore = 0] = loadavg();
  const machineBefore = machineCpuSeconds();
  const serverBefore = cpuSecondsOf(request.serverPid);
  const ownBefore = process.cpuUsage();
  const started = performance.now();
  const usage = await runSampled(request);
  const wallSeconds = (performance.now() - started) / 1000;
  const serverCpuSeconds = cpuSecondsOf(request.serverPid) - serverBefore;
  const own = process.cpuUsage(ownBefore);
  const known = usage.cpuSeconds + serverCpuSeconds + (own.user + own.system) / 1e6;
  const foreign = machineCpuSeconds() - machineBefore - known;
  return {
    wallSeconds,
    clientCpuSeconds: usage.cpuSeconds,
    serverCpuSeconds,
    peakRssBytes: usage.peakRssBytes,
    foreignCores: Math.max(0, foreign / wallSeconds),
    loadBefore,
  };
}

function runSampled(
  request: MeasureRequest,
): Promise<{ cpuSeconds: number; peakRssBytes: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${request.script}`], {
      cwd: request.directory,
      env: request.environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      // A process group of its own, so that an abort reaches each process of the pipeline.
      detached: true,
    });
    const sampler = sampleTree(child.pid ?? 0);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    const abort = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    request.signal.addEventListener('abort', abort, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      request.signal.removeEventListener('abort', abort);
      const usage = sampler.stop();
      if (code === 0) {
        resolve(usage);
        return;
      }
      reject(new Error(`ended with code ${String(code)}: ${tellingLine(stderr)}`));
    });
  });
}

/** Of what a program said on stderr, the line that most likely says why it failed. */
function tellingLine(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.findLast((line) => /error|critical/i.test(line)) ?? lines.at(-1) ?? '';
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle];
  if (high === undefined) throw new Error('assertion failed: a median needs a value');
  const low = sorted[middle - 1];
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}
