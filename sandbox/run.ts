import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SandboxError, systemErrorCode } from './errors.js';

/** Receives one line of progress, without a line break. */
export type Log = (line: string) => void;

export const silent: Log = () => undefined;

/** How to start a program: arguments of ours come before the caller's own. */
export interface CommandLine {
  readonly command: string;
  readonly argsPrefix: readonly string[];
  /** The whole environment to give it. */
  readonly env: NodeJS.ProcessEnv;
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: Readable | Buffer | string;
}

export interface RunResult {
  /** The exit code, or null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end and collects what it printed (all of it, in memory).
 *
 * @throws SandboxError where it cannot be started, or did not end within `timeoutMs` (it is then
 * killed). An exit code other than 0 is a result, not an error.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const fed = feed(child.stdin, options.input);
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    child.kill('SIGKILL');
  }, options.timeoutMs);
  try {
    const [code, signal] = await ended(child);
    await fed;
    if (late.signal.aborted) {
      throw new SandboxError(`${command} did not end within ${options.timeoutMs / 1000} s`);
    }
    const text = Buffer.concat(stderr).toString('utf8');
    return { code, signal, stdout: Buffer.concat(stdout), stderr: text };
  } finally {
    clearTimeout(timer);
  }
}

/** Like {@link run}, and an exit code other than 0 is an error that quotes the end of stderr. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    const how = result.code === null ? `by ${String(result.signal)}` : `with code ${result.code}`;
    throw new SandboxError(
      `${command} ${args[0] ?? ''} ended ${how}: ${lastLines(result.stderr, 12)}`,
    );
  }
  return result;
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The full path of a program on PATH (and the places of system programs), if it is there. */
export function onPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

type Ending = [code: number | null, signal: NodeJS.Signals | null];

function ended(child: ReturnType<typeof spawn>): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const name = child.spawnfile;
      reject(new SandboxError(`could not start ${name}: ${cause.message}`, { cause }));
    });
    child.once('close', (code, signal) => {
      resolve([code, signal]);
    });
  });
}

async function feed(stdin: NodeJS.WritableStream, input: RunOptions['input']): Promise<void> {
  try {
    const source = input === undefined || typeof input === 'string' ? [input ?? ''] : input;
    await pipeline(Buffer.isBuffer(source) ? [source] : source, stdin);
  } catch (error) {
    // A program that ends without reading all its input is judged by its exit code.
    const code = systemErrorCode(error);
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
