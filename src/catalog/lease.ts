/** Pure part of a lock file: its text, and the judgement whether its holder still lives. */
import * as v from 'valibot';

/** What identifies a process beyond its pid, which is used again, in containers all the time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and start, from /proc; null where there is no /proc. */
  readonly processStart: string | null;
  readonly bootId: string | null;
  /** The pid means something only inside its namespace. */
  readonly pidNamespace: string | null;
  readonly host: string;
}

export interface LeaseHolder extends ProcessIdentity {
  /** Unique for each acquisition. */
  readonly ownerId: string;
  readonly operation: string;
  readonly startedAt: string;
}

const HOLDER_SCHEMA = v.object({
  ownerId: v.pipe(v.string(), v.regex(/^[0-9a-z]{4,24}$/)),
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  processStart: v.nullable(v.string()),
  bootId: v.nullable(v.string()),
  pidNamespace: v.nullable(v.string()),
  host: v.string(),
  operation: v.string(),
  startedAt: v.string(),
}) satisfies v.GenericSchema<unknown, LeaseHolder>;

const HEARTBEAT_DIGITS = 12;
const HEARTBEAT_ENDING_BYTES = '"}\n'.length;

/** One line of JSON whose last field is a counter of fixed width, so that it is rewritten in place. */
export function formatLease(holder: LeaseHolder): string {
  return `${JSON.stringify({ ...holder, heartbeat: formatHeartbeat(0) })}\n`;
}

export function formatHeartbeat(count: number): string {
  return String(count).padStart(HEARTBEAT_DIGITS, '0');
}

/** Where `formatHeartbeat`'s digits stand in a lease of so many bytes. */
export function heartbeatOffset(leaseBytes: number): number {
  return leaseBytes - HEARTBEAT_ENDING_BYTES - HEARTBEAT_DIGITS;
}

/** Undefined where the text is no lease: cut short by a crash, or somebody else's file. */
export function parseLease(leaseText: string): LeaseHolder | undefined {
  try {
    const result = v.safeParse(HOLDER_SCHEMA, JSON.parse(leaseText));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

export type Liveness = 'alive' | 'gone' | 'unknown';

/** One look at a lock file. */
export interface LeaseSight {
  readonly path: string;
  /** Changes with the holder and with each heartbeat: inode, text and modification time. */
  readonly fingerprint: string;
  /** What the operating system knows of the holder's process. */
  readonly liveness: Liveness;
  /** Since the last heartbeat, by the file system's own clock; negative after a clock was set back. */
  readonly ageMs: number;
}

export interface LeaseTiming {
  readonly heartbeatMs: number;
  /** Without a heartbeat for so long, a holder that nobody can look at counts as dead. */
  readonly staleMs: number;
  /** However old the file looks, it is watched for so long first: clocks jump. */
  readonly confirmMs: number;
  /** Pause between two looks. */
  readonly pollMs: number;
}

/**
 * `held`: the holder lives or beat a short while ago. `suspect`: it looks dead and must be watched
 * a little longer. `dead`: it may be replaced.
 */
export type Verdict = 'held' | 'suspect' | 'dead';

interface Watch {
  readonly fingerprint: string;
  readonly sinceMs: number;
  readonly neededMs: number;
  readonly looksDead: boolean;
}

/** Modification times a little in the future are rounding, not a clock that was set back. */
const FUTURE_TOLERANCE_MS = 5000;

/**
 * Judges holders over several looks. Wall clocks only say how long to watch, never that somebody
 * is dead: that takes either the operating system's word or a heartbeat that stays away for at
 * least `confirmMs` on the watcher's own monotonic clock.
 */
export class LeaseJudge {
  readonly #timing: LeaseTiming;
  readonly #watches = new Map<string, Watch>();

  constructor(timing: LeaseTiming) {
    this.#timing = timing;
  }

  /** `nowMs` is monotonic. */
  judge(sight: LeaseSight, nowMs: number): Verdict {
    if (sight.liveness === 'gone') return 'dead';
    if (sight.liveness === 'alive') return 'held';
    const watch = this.#watch(sight, nowMs);
    if (nowMs - watch.sinceMs >= watch.neededMs) return 'dead';
    return watch.looksDead ? 'suspect' : 'held';
  }

  #watch(sight: LeaseSight, nowMs: number): Watch {
    const known = this.#watches.get(sight.path);
    if (known?.fingerprint === sight.fingerprint) return known;
    const { staleMs, confirmMs } = this.#timing;
    const isFromFuture = sight.ageMs < -FUTURE_TOLERANCE_MS;
    const watch = {
      fingerprint: sight.fingerprint,
      sinceMs: nowMs,
      neededMs: isFromFuture ? staleMs : Math.max(confirmMs, staleMs - Math.max(0, sight.ageMs)),
      looksDead: isFromFuture || sight.ageMs >= staleMs,
    };
    this.#watches.set(sight.path, watch);
    return watch;
  }
}
