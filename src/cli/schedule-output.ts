/** The scheduler's log: each line with its time, because supervisors keep lines and no times. */
import pc from 'picocolors';
import { ReshelveError } from '../errors.js';
import type { Output, Progress, Warning } from '../operations/context.js';
import { describeFailure } from '../operations/run.js';
import { formatLocalTime } from './local-time.js';
import { TerminalOutput } from './terminal-output.js';
import type { TerminalOptions } from './terminal-output.js';

export class ScheduleOutput implements Output {
  readonly #terminal: TerminalOutput;
  readonly #timeZone: string;
  readonly #now: () => Date;

  constructor(options: TerminalOptions, timeZone: string, now: () => Date) {
    this.#terminal = new TerminalOutput(options);
    this.#timeZone = timeZone;
    this.#now = now;
  }

  line(text: string): void {
    this.#terminal.line(`${this.#stamp()} ${text}`);
  }

  warn({ code, message }: Warning): void {
    this.#toStderr(`${pc.yellow('warning')} ${code}: ${message}`);
  }

  progress(progress: Progress | null): void {
    this.#terminal.progress(progress);
  }

  failure(error: unknown): void {
    const { code, message } = describeFailure(error);
    this.#toStderr(`${pc.red('error')} ${code}: ${message}`);
    if (error instanceof ReshelveError) this.#toStderr(`${pc.bold('next:')} ${error.hint}`);
    else if (error instanceof Error) this.#toStderr(error.stack ?? '');
  }

  #toStderr(text: string): void {
    this.#terminal.progress(null);
    process.stderr.write(`${this.#stamp()} ${text}\n`);
  }

  #stamp(): string {
    return formatLocalTime(this.#now(), this.#timeZone);
  }
}
