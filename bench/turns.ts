/** Contenders take turns, so that a slow minute of the machine hits them all. */
import type { Contender } from './contenders.js';
import { measure, type Measurement } from './measure.js';
import { round, type Part, type Result } from './report.js';

export interface TurnsRequest {
  readonly part: Part;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly serverPid: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Not measured. */
  readonly before: (contender: Contender) => Promise<void>;
  /** Not measured; gives what is wrong with the outcome, if anything is. */
  readonly after: (contender: Contender) => Promise<string | undefined>;
  /** Size of what the contender wrote or read. */
  readonly outputBytes: (contender: Contender) => Promise<number>;
}

/**
 * Each round runs every contender once; who begins changes from round to round. Interrupted behind the
 * first round, it gives what was measured by then.
 */
export async function takeTurns(request: TurnsRequest): Promise<Result[]> {
  const { contenders, signal, log } = request;
  const states = contenders.map((contender) => new Turns(contender, request));
  for (let turn = 0; turn < request.rounds; turn += 1) {
    const first = turn % states.length;
    try {
      for (const state of [...states.slice(first), ...states.slice(0, first)]) {
        signal.throwIfAborted();
        await state.take(turn + 1);
      }
    } catch (error) {
      if (!signal.aborted || turn === 0) throw error;
      log(`interrupted in round ${turn + 1}`);
      break;
    }
  }
  return states.map((state) => state.result());
}

class Turns {
  readonly #contender: Contender;
  readonly #request: TurnsRequest;
  readonly #runs: Measurement[] = [];
  #outputBytes = 0;
  #failures = 0;
  #note: string | undefined;

  constructor(contender: Contender, request: TurnsRequest) {
    this.#contender = contender;
    this.#request = request;
  }

  /** A peer that failed once is not tried again; how often ours fails is a result. */
  async take(turn: number): Promise<void> {
    const { before, after, outputBytes, log, signal } = this.#request;
    const { name, isOurs, script } = this.#contender;
    if (this.#failures > 0 && !isOurs) return;
    await before(this.#contender);
    try {
      const run = await measure({ ...this.#request, script });
      this.#runs.push(run);
      this.#outputBytes = await outputBytes(this.#contender);
      log(`round ${turn}, ${name}: ${describeRun(run, this.#outputBytes)}`);
      this.#note = (await after(this.#contender)) ?? this.#note;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#failures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      this.#note = `failed ${this.#failures} times: ${reason}`;
      log(`round ${turn}, ${name}: ${this.#note}`);
    }
  }

  result(): Result {
    return {
      name: this.#contender.name,
      part: this.#request.part,
      runs: this.#runs,
      failures: this.#failures,
      outputBytes: this.#outputBytes,
      ...(this.#note === undefined ? {} : { note: this.#note }),
    };
  }
}

function describeRun(run: Measurement, bytes: number): string {
  const parts = [
    `${round(run.wallSeconds, 1)} s`,
    `cpu ${round(run.clientCpuSeconds, 1)} + server ${round(run.serverCpuSeconds, 1)} s`,
    `${round(run.peakRssBytes / 1e6, 0)} MB resident`,
    `file ${round(bytes / 1e6, 1)} MB`,
    `others used ${round(run.foreignCores, 2)} cores`,
  ];
  return parts.join(', ');
}
