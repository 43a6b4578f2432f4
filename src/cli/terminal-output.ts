/** What an operation says, on a terminal and in a pipe. */
import pc from 'picocolors';
import type { Output, Progress, Warning } from '../operations/context.js';

const REDRAW_INTERVAL_MS = 200;
/** In a pipe a line now and then is enough. */
const PLAIN_INTERVAL_MS = 10_000;

export interface TerminalOptions {
  /** Nothing but errors and warnings. */
  readonly quiet: boolean;
  /** Where lines go: stderr when stdout carries a JSON document. */
  readonly stream: NodeJS.WriteStream;
}

export class TerminalOutput implements Output {
  readonly #quiet: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  #startedMs = 0;
  #lastShownMs = 0;
  #activity = '';
  #isLineOpen = false;

  constructor(options: TerminalOptions) {
    this.#quiet = options.quiet;
    this.#stream = options.stream;
    this.#isTerminal = options.stream.isTTY;
  }

  line(text: string): void {
    if (this.#quiet) return;
    this.#clearLine();
    this.#stream.write(`${text}\n`);
  }

  warn(warning: Warning): void {
    this.#clearLine();
    process.stderr.write(`${pc.yellow('warning')} ${warning.code}: ${warning.message}\n`);
  }

  progress(progress: Progress | null): void {
    if (this.#quiet) return;
    if (progress === null) {
      this.#clearLine();
      this.#activity = '';
      return;
    }
    const now = performance.now();
    if (progress.activity !== this.#activity) {
      this.#activity = progress.activity;
      this.#startedMs = now;
      this.#lastShownMs = now;
    }
    const interval = this.#isTerminal ? REDRAW_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (now - this.#lastShownMs < interval) return;
    this.#lastShownMs = now;
    const text = describeProgress(progress, now - this.#startedMs);
    if (!this.#isTerminal) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(`\r\u001b[K${text}`);
    this.#isLineOpen = true;
  }

  #clearLine(): void {
    if (!this.#isLineOpen) return;
    this.#stream.write('\r\u001b[K');
    this.#isLineOpen = false;
  }
}

/** `Reading rows: 1.2 M of about 6.5 M rows (18 %), 310 k/s, 17 s left`. */
export function describeProgress(progress: Progress, elapsedMs: number): string {
  const { activity, done, total, unit } = progress;
  const amount = (value: number): string =>
    unit === 'bytes' ? formatBytes(value) : formatCount(value);
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const shownUnit = unit === 'rows' ? ' rows' : '';
  if (total === undefined || total <= 0 || done > total) {
    return `${activity}: ${amount(done)}${shownUnit}, ${amount(rate)}/s`;
  }
  const left = rate > 0 ? `, ${formatDuration(((total - done) / rate) * 1000)} left` : '';
  const percent = Math.floor((done / total) * 100);
  const about = unit === 'rows' ? 'about ' : '';
  return `${activity}: ${amount(done)} of ${about}${amount(total)}${shownUnit} (${percent} %), ${amount(rate)}/s${left}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(2)} KB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(2)} MB`;
  return `${(bytes / 1024 ** 3).toFixed(2)} GB`;
}

export function formatCount(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  if (count < 1_000_000) return `${(count / 1000).toFixed(0)} k`;
  return `${(count / 1_000_000).toFixed(1)} M`;
}

export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** As `formatDuration`, with tenths where they matter. */
export function formatPreciseDuration(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms);
}
