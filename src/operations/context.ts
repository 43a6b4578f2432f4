/** What every operation is given; nothing in here is a global. */
import type { CatalogStore } from '../catalog/store.js';
import type { Configuration } from '../config/configuration.js';

export interface Warning {
  readonly code: string;
  readonly message: string;
}

export interface Progress {
  /** What is being done, for the line's beginning. */
  readonly activity: string;
  readonly done: number;
  /** Expected total, where one is known. */
  readonly total?: number;
  readonly unit: 'bytes' | 'rows';
}

/** Where an operation says what it does; the command line and the scheduler each have their own. */
export interface Output {
  line(text: string): void;
  warn(warning: Warning): void;
  /** May be called often; null ends the progress line. */
  progress(progress: Progress | null): void;
}

export interface Context {
  readonly configuration: Configuration;
  readonly catalog: CatalogStore;
  readonly output: Output;
  /** Aborts with a ReshelveError as reason: Ctrl-C, SIGTERM, a lost lock. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly trigger: 'manual' | 'schedule';
}

/** The same context under one more reason to stop. */
export function withSignals(context: Context, ...signals: readonly AbortSignal[]): Context {
  return { ...context, signal: AbortSignal.any([context.signal, ...signals]) };
}
