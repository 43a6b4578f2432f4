/**
 * Continuous capture: follows the server's binary log and makes a small incremental of it every minute. What
 * server, disk or network do in between is told and tried again, for a bounded time.
 */
import { join } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import type { IndexHeader } from '../archive/index-types.js';
import { STREAM_OPERATION } from '../catalog/directory-lock.js';
import { streamLockName } from '../catalog/names.js';
import { ensureBackupDirectory } from '../catalog/store-files.js';
import { acquireLease } from '../catalog/store-lease.js';
import type { ErrorCode } from '../errors.js';
import { ReshelveError } from '../errors.js';
import type { Context, Output } from './context.js';
import { withSignals } from './context.js';
import { findBase } from './incremental.js';
import { follow } from './stream/follower.js';
import type { FollowerEnd, FollowerEvents } from './stream/follower.js';
import { pause } from './stream/pause.js';
import { enterFinished } from './stream/publish-segment.js';
import type { StreamState } from './stream/stream-state.js';
import { removeStreamState, writeStreamState } from './stream/stream-state.js';

/** What happens, for whoever prints it. */
export type StreamEvent =
  | { readonly kind: 'following'; readonly file: string }
  | {
      readonly kind: 'saved';
      readonly file: string;
      readonly sizeBytes: number;
      readonly note: string;
    }
  /** Told once, until the next segment is saved. */
  | { readonly kind: 'held-up'; readonly by: string }
  | { readonly kind: 'interrupted'; readonly error: ReshelveError; readonly retryMs: number };

export interface StreamOptions {
  /** Aborts when what there is shall be saved, and no more. */
  readonly stop: AbortSignal;
  readonly report: (event: StreamEvent) => void;
}

export interface StreamResult {
  readonly segments: number;
  /** Everything up to then is in finished files, or nothing changed; null where nothing is known. */
  readonly capturedUntil: string | null;
}

const RETRY_MS_FIRST = 1000;
const RETRY_MS_MAX = 30_000;
const HELD_UP_MS = 1000;
const STATE_MS_MIN = 1000;

/** What may be over in a while. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONNECT',
  'CONNECTION_LOST',
  'TIMEOUT',
  'PROTOCOL',
  'SERVER',
  'DISK_FULL',
  'FILE_LIMIT',
  'IO',
  'LOCKED',
]);

/**
 * Runs until it is stopped. Throws CHAIN_GAP where nothing can follow, LOCKED where another one captures this
 * database into this directory, and what does not pass within BACKUP_STREAM_RETRY_SECONDS.
 */
export async function runStream(context: Context, options: StreamOptions): Promise<StreamResult> {
  const { backup, databaseName } = context.configuration;
  await ensureBackupDirectory(backup.directory);
  const lease = await acquireLease({
    path: join(backup.directory, streamLockName(databaseName)),
    subject: `the continuous capture of ${databaseName} into ${backup.directoryShown}`,
    operation: STREAM_OPERATION,
    waitMs: 0,
    signal: context.signal,
  });
  try {
    const output = withoutRepetition(context.output);
    const stream = new Stream({ ...withSignals(context, lease.lost), output }, options);
    return await stream.run();
  } finally {
    await removeStreamState(context);
    await lease.release();
  }
}

class Stream implements FollowerEvents {
  readonly #context: Context;
  readonly #options: StreamOptions;
  /** Since when nothing has worked. */
  #failingSinceMs: number | undefined;
  #retryMs = RETRY_MS_FIRST;
  #toldHeldUp = false;
  #segments = 0;
  #state: StreamState;
  #writing: Promise<void> | undefined;
  #lastStateMs = Number.NEGATIVE_INFINITY;

  constructor(context: Context, options: StreamOptions) {
    this.#context = context;
    this.#options = options;
    const updatedAt = context.now().toISOString();
    this.#state = { phase: 'waiting', reason: '', lagSeconds: 0, capturedUntil: null, updatedAt };
  }

  async run(): Promise<StreamResult> {
    const { stop } = this.#options;
    while (!stop.aborted) {
      try {
        if ((await this.#followOnce()) === 'stopped') break;
      } catch (error) {
        await this.#waitAfter(error);
      }
    }
    await this.#writing;
    return { segments: this.#segments, capturedUntil: this.#state.capturedUntil };
  }

  async #followOnce(): Promise<FollowerEnd> {
    const { stop, report } = this.#options;
    for (;;) {
      const by = await enterFinished(this.#context);
      if (by === undefined) break;
      this.onHeldUp(by);
      await pause(HELD_UP_MS, AbortSignal.any([stop, this.#context.signal]));
      this.#context.signal.throwIfAborted();
      if (stop.aborted) return 'stopped';
    }
    const links = await findBase(this.#context);
    const { file } = links.at(-1) ?? links[0];
    const base = await this.#readHeader(file);
    report({ kind: 'following', file });
    return follow({ context: this.#context, base, stop, events: this });
  }

  async #readHeader(file: string): Promise<IndexHeader> {
    const reader = await openArchive(join(this.#context.configuration.backup.directory, file));
    await reader.close();
    return reader.index.header;
  }

  /** Waits as long as the failure may pass; throws it where it does not. */
  async #waitAfter(error: unknown): Promise<void> {
    const { stop, report } = this.#options;
    if (this.#context.signal.aborted || stop.aborted) throw error;
    if (!(error instanceof ReshelveError) || !PASSING.has(error.code)) throw error;
    const nowMs = performance.now();
    this.#failingSinceMs ??= nowMs;
    const { retryMs: retryMsMax } = this.#context.configuration.backup.stream;
    if (nowMs - this.#failingSinceMs >= retryMsMax) throw error;
    report({ kind: 'interrupted', error, retryMs: this.#retryMs });
    this.#tell({ phase: 'waiting', reason: `${error.code}: ${error.message}` });
    await pause(this.#retryMs, AbortSignal.any([stop, this.#context.signal]));
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  onSaved({ file, entry, note }: Parameters<FollowerEvents['onSaved']>[0]): void {
    this.#segments += 1;
    this.#toldHeldUp = false;
    this.#options.report({ kind: 'saved', file, sizeBytes: entry.sizeBytes ?? 0, note });
  }

  onHeldUp(by: string): void {
    if (!this.#toldHeldUp) this.#options.report({ kind: 'held-up', by });
    this.#toldHeldUp = true;
    this.#tell({ phase: 'waiting', reason: by });
  }

  onCaptured(untilMs: number): void {
    this.#failingSinceMs = undefined;
    this.#retryMs = RETRY_MS_FIRST;
    this.#tell({ phase: 'following', reason: '', capturedUntil: new Date(untilMs).toISOString() });
  }

  onLag(lagSeconds: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastStateMs < STATE_MS_MIN) return;
    this.#tell({ phase: this.#toldHeldUp ? 'waiting' : 'following', lagSeconds });
  }

  #tell(change: Partial<StreamState>): void {
    this.#lastStateMs = performance.now();
    const updatedAt = this.#context.now().toISOString();
    this.#state = { ...this.#state, ...change, updatedAt };
    this.#writing ??= writeStreamState(this.#context, this.#state).finally(() => {
      this.#writing = undefined;
    });
  }
}

/** Each segment would warn of the same things again. */
function withoutRepetition(output: Output): Output {
  const told = new Set<string>();
  return {
    line: (text) => {
      output.line(text);
    },
    progress: () => undefined,
    warn: (warning) => {
      const text = `${warning.code} ${warning.message}`;
      if (told.has(text)) return;
      if (told.size < TOLD_MAX) told.add(text);
      output.warn(warning);
    },
  };
}

const TOLD_MAX = 100;
