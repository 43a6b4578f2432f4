/**
 * Acquiring, holding and releasing a lock file. See store-lease-file.ts for why exactly one
 * contender can succeed a dead holder.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ReshelveError } from '../errors.js';
import { formatHeartbeat, heartbeatOffset, LeaseJudge } from './lease.js';
import type { LeaseHolder, LeaseTiming, Liveness, ProcessIdentity } from './lease.js';
import { hasCode } from './store-files.js';
import { LeaseFile } from './store-lease-file.js';
import type { LeaseSighting, PlacedLease } from './store-lease-file.js';
import { livenessOf, thisProcess } from './store-process.js';

/** What the waiting depends on; tests put their own in place. */
export interface LeaseSurroundings {
  readonly timing: LeaseTiming;
  readonly self: () => ProcessIdentity;
  readonly livenessOf: (other: ProcessIdentity, self: ProcessIdentity) => Liveness;
  readonly now: () => Date;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** 4 to 24 lower-case letters and digits, never the same twice. */
  readonly newId: () => string;
}

export const REAL_SURROUNDINGS: LeaseSurroundings = {
  timing: { heartbeatMs: 5000, staleMs: 60_000, confirmMs: 15_000, pollMs: 500 },
  self: thisProcess,
  livenessOf,
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  },
  newId: () => randomBytes(8).toString('hex'),
};

export interface LeaseRequest {
  readonly path: string;
  /** What the lock is about, for messages: `the backup directory /srv/backups`. */
  readonly subject: string;
  readonly operation: string;
  readonly waitMs: number;
  /** Holders by their operation that keep the lock for moments only, and how long those are waited for. */
  readonly patience?: { readonly operation: string; readonly waitMs: number };
  readonly signal?: AbortSignal;
}

export interface Lease {
  readonly lost: AbortSignal;
  confirm(): Promise<void>;
  release(): Promise<void>;
}

/** Throws LOCKED when another holds it for longer than `waitMs`; file errors as of src/errors.ts. */
export async function acquireLease(
  request: LeaseRequest,
  surroundings: LeaseSurroundings = REAL_SURROUNDINGS,
): Promise<Lease> {
  const holder: LeaseHolder = {
    ...surroundings.self(),
    ownerId: surroundings.newId(),
    operation: request.operation,
    startedAt: surroundings.now().toISOString(),
  };
  const file = await LeaseFile.prepare(request.path, holder, (other) =>
    surroundings.livenessOf(other, holder),
  );
  try {
    const placed = await contend(request, file, surroundings);
    await file.sweepLeftovers();
    await file.discard();
    return new HeldLease(request, file, placed, surroundings);
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function contend(
  request: LeaseRequest,
  file: LeaseFile,
  { timing, monotonicMs, sleep }: LeaseSurroundings,
): Promise<PlacedLease> {
  const judge = new LeaseJudge(timing);
  const startMs = monotonicMs();
  const deadlineMs = startMs + request.waitMs;
  const isPatient = (sighting: LeaseSighting, nowMs: number): boolean =>
    sighting.holder?.operation === request.patience?.operation &&
    nowMs < startMs + (request.patience?.waitMs ?? 0);
  // A holder that looks dead is watched beyond the deadline, but not for ever.
  const giveUpMs = deadlineMs + 2 * timing.staleMs;
  for (;;) {
    request.signal?.throwIfAborted();
    const fileSystemMs = await file.touch();
    const placed = await file.place(request.path);
    if (placed !== undefined) return placed;
    const sighting = await file.look(request.path, fileSystemMs);
    const nowMs = monotonicMs();
    if (sighting !== undefined) {
      const verdict = judge.judge(sighting.sight, nowMs);
      if (verdict === 'dead') {
        const isDead = (claim: LeaseSighting): boolean =>
          judge.judge(claim.sight, monotonicMs()) === 'dead';
        if (await file.removeAs(request.path, sighting.ownerKey, isDead)) continue;
      }
      const isTooLate = nowMs >= deadlineMs && !isPatient(sighting, nowMs);
      if (verdict === 'held' && isTooLate) throw lockedBy(request.subject, sighting);
    }
    if (nowMs >= giveUpMs) throw lockedBy(request.subject, sighting);
    // Spread out, so that contenders do not stay in step.
    const pauseMs = timing.pollMs * (0.5 + Math.random());
    const remainingMs = deadlineMs - nowMs;
    await sleep(remainingMs > 0 ? Math.min(pauseMs, remainingMs) : pauseMs, request.signal);
  }
}

class HeldLease implements Lease {
  readonly #request: LeaseRequest;
  readonly #file: LeaseFile;
  readonly #placed: PlacedLease;
  readonly #surroundings: LeaseSurroundings;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #lastBeatMs: number;
  #beating: Promise<void> | undefined;
  #isReleased = false;

  constructor(
    request: LeaseRequest,
    file: LeaseFile,
    placed: PlacedLease,
    surroundings: LeaseSurroundings,
  ) {
    this.#request = request;
    this.#file = file;
    this.#placed = placed;
    this.#surroundings = surroundings;
    this.#lastBeatMs = surroundings.monotonicMs();
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = undefined;
      });
    }, surroundings.timing.heartbeatMs);
    this.#timer.unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async confirm(): Promise<void> {
    if (!this.#lost.signal.aborted) await this.#checkIsOurs();
    this.#lost.signal.throwIfAborted();
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearInterval(this.#timer);
    await this.#beating;
    await this.#placed.handle.close();
    if (this.#lost.signal.aborted) return;
    try {
      await this.#file.removeOwn(this.#request.path);
    } finally {
      await this.#file.discard();
    }
  }

  async #beat(): Promise<void> {
    const { timing, monotonicMs } = this.#surroundings;
    try {
      await this.#checkIsOurs();
      if (this.#lost.signal.aborted) return;
      this.#beats++;
      const position = heartbeatOffset(this.#placed.bytes);
      await this.#placed.handle.write(formatHeartbeat(this.#beats), position, 'latin1');
      this.#lastBeatMs = monotonicMs();
    } catch (error) {
      // One failed beat is no loss yet; it is one before others may take the lock over.
      const silentMs = monotonicMs() - this.#lastBeatMs;
      const isLate = silentMs > timing.staleMs - 3 * timing.heartbeatMs;
      if (isLate || hasCode(error, 'ESTALE')) this.#lose('its heartbeat cannot be written', error);
    }
  }

  async #checkIsOurs(): Promise<void> {
    const sighting = await this.#file.look(this.#request.path, 0);
    if (sighting === undefined) {
      this.#lose('its file was removed');
    } else if (sighting.ownerKey !== this.#file.ownerId) {
      this.#lose(`it is now held by ${describeHolder(sighting)}`);
    }
  }

  #lose(reason: string, cause?: unknown): void {
    const message = `the lock of ${this.#request.subject} was lost: ${reason}`;
    this.#lost.abort(new ReshelveError('LOCKED', message, { cause }));
  }
}

function lockedBy(subject: string, sighting: LeaseSighting | undefined): ReshelveError {
  const hint =
    sighting?.sight.liveness === 'alive'
      ? 'Wait until that run ends, or stop it.'
      : 'Wait until that run ends; if it was killed, its lock expires by itself within two minutes.';
  return new ReshelveError('LOCKED', `${subject} is locked by ${describeHolder(sighting)}`, {
    hint,
  });
}

function describeHolder(sighting: LeaseSighting | undefined): string {
  const holder = sighting?.holder;
  if (holder === undefined) return 'an owner whose lock file cannot be read';
  const { operation, pid, host, startedAt } = holder;
  return `\`${operation}\` (pid ${pid} on ${host}, since ${startedAt})`;
}
