/**
 * Keeps a continuous capture going beside the slots: a gap is closed by a full backup at once, and whatever
 * else ends the capture is told and tried again in a while.
 */
import { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';
import { pause } from '../operations/stream/pause.js';
import type { StreamEvent, StreamOptions } from '../operations/stream.js';

/** What the capture does, for whoever prints it. */
export type KeeperEvent =
  | { readonly kind: 'stream'; readonly event: StreamEvent }
  | {
      readonly kind: 'stream-ended';
      readonly error: unknown;
      /** A full backup is made first. */
      readonly isGap: boolean;
      readonly waitMs: number;
    };

export interface KeeperParts {
  readonly context: Context;
  readonly report: (event: KeeperEvent) => void;
  readonly capture: (context: Context, options: StreamOptions) => Promise<unknown>;
  /** Makes what the chain needs to go on; resolves when that is over, good or bad. */
  readonly closeGap: () => Promise<void>;
}

const AGAIN_MS_FIRST = 5000;
const AGAIN_MS_MAX = 15 * 60 * 1000;
/** A capture that went well for so long begins anew with short pauses. */
const HEALTHY_MS = 10 * 60 * 1000;

export class StreamKeeper {
  readonly #parts: KeeperParts;
  readonly #stop = new AbortController();
  /** Never rejects. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#work = this.#keep();
  }

  /** Saves what there is; resolves when the capture has ended. */
  async stop(reason: ReshelveError): Promise<void> {
    this.#stop.abort(reason);
    await this.#work;
  }

  async #keep(): Promise<void> {
    const { context, capture, report } = this.#parts;
    const stop = this.#stop.signal;
    let againMs = AGAIN_MS_FIRST;
    while (!stop.aborted) {
      const startedMs = performance.now();
      try {
        await capture(context, {
          stop,
          report: (event) => {
            report({ kind: 'stream', event });
          },
        });
      } catch (error) {
        if (context.signal.aborted) return;
        if (performance.now() - startedMs >= HEALTHY_MS) againMs = AGAIN_MS_FIRST;
        const isGap = error instanceof ReshelveError && error.code === 'CHAIN_GAP';
        // Behind the full backup for a gap at once, unless there is a gap again.
        const waitMs = isGap && againMs === AGAIN_MS_FIRST ? 0 : againMs;
        report({ kind: 'stream-ended', error, isGap, waitMs });
        if (isGap) await this.#parts.closeGap();
        await pause(waitMs, AbortSignal.any([stop, context.signal]));
        againMs = Math.min(againMs * 2, AGAIN_MS_MAX);
      }
    }
  }
}
