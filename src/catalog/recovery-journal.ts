/**
 * The journal of a recovery: which steps there are, what each record holds, and the state that
 * follows from the records. A record is durable before its step is taken, so that what a killed run
 * leaves is never further than the last record says, and never less far than the one before it.
 */
import * as v from 'valibot';

export const RECOVERY_KINDS = ['recover', 'online'] as const;
/** `recover` drops and recreates the database; `online` loads a second one and swaps the tables. */
export type RecoveryKind = (typeof RECOVERY_KINDS)[number];

/**
 * Where a recovery stands, worst case: a step that was announced may have been taken in part.
 * - `unchanged`: the live database has not been touched.
 * - `old-gone`: the old state is gone or being taken apart; the way back is the rollback.
 * - `new-unproven`: the new state is there in full, and not yet compared with its backup.
 * - `new-proven`: the new state was compared; only the record in the catalog is missing.
 * - `rolling-back`: the old state is being put back.
 * - `kept`: the new state is proven and in use, and the old one still lies beside it (`online`).
 * - `recovered`, `rolled-back`, `abandoned`: finished; the last means that nothing was changed.
 */
export type RecoveryPhase =
  | 'unchanged'
  | 'old-gone'
  | 'new-unproven'
  | 'new-proven'
  | 'rolling-back'
  | 'kept'
  | 'recovered'
  | 'rolled-back'
  | 'abandoned';

export const OUTCOMES = ['recovered', 'rolled-back', 'abandoned'] as const;
export type RecoveryOutcome = (typeof OUTCOMES)[number];

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** Relative to BACKUP_DIR; retention and rollback trust that it does not lead out of there. */
const relativePath = v.pipe(
  text,
  v.check(
    (path) => !path.includes('\0') && !path.startsWith('/') && !path.split('/').includes('..'),
    'Invalid path: Expected one inside BACKUP_DIR',
  ),
);

const defaults = v.object({
  characterSet: text,
  collation: text,
  defaultEncryption: v.exactOptional(v.boolean()),
  databaseComment: v.exactOptional(v.string()),
});

const end = v.variant('kind', [
  /** µs since the epoch, as digits. */
  v.object({ kind: v.literal('instant'), micros: v.pipe(v.string(), v.regex(/^-?\d+$/)) }),
  v.object({ kind: v.picklist(['gtid', 'before-gtid']), gtid: text }),
  v.object({ kind: v.literal('position'), binlogFile: text, position: count }),
]);

/** A state that takes more than one file. */
const TARGET = v.object({
  /** The full backup first; the last one is `backupFile`. */
  files: v.pipe(v.array(v.object({ file: text, shown: text, sha256 })), v.minLength(2)),
  /** Where the logged changes end; null where all are applied. */
  end: v.nullable(end),
  skipGtids: v.array(text),
  idempotent: v.boolean(),
});

/** What both kinds begin with. */
const BEGIN = v.object({
  /** The run that began it, as the catalog has it. */
  runId: text,
  database: text,
  /** The server as messages name it, and its own identity where it tells one. */
  server: text,
  serverUuid: v.nullable(text),
  /** Who works on it: a journal of a process that lives is not an abandoned one. */
  host: text,
  pid: count,
  /** The backup to recover from: absolute, and as the user named it. */
  backupFile: text,
  backupShown: text,
  backupSha256: sha256,
  target: v.exactOptional(TARGET),
  /** Null where the database did not exist. */
  oldDefaults: v.nullable(defaults),
});

const EMERGENCY = v.object({ file: relativePath });
const EMERGENCY_READY = v.object({
  /** Null where there was nothing to save: the database was missing or held nothing. */
  file: v.nullable(relativePath),
  sha256: v.nullable(sha256),
});
const FAILURE = v.object({ code: text, message: v.string() });
const FINISH = v.object({ outcome: v.picklist(OUTCOMES) });
const NOTHING = v.object({});

interface Step {
  readonly detail: v.GenericSchema<unknown, unknown>;
  /** The phase from this record on; the finishing step takes it from its outcome. */
  readonly phase: RecoveryPhase;
}

/** What accounts may do with single routines, which go with a routine that is replaced. */
const routineRights = v.exactOptional(
  v.array(
    v.object({
      user: v.string(),
      host: v.string(),
      routine: text,
      type: text,
      privileges: v.array(text),
    }),
  ),
);

/** The steps of `recover`, in the order in which they are taken. */
const RECOVER_STEPS = {
  begin: { detail: BEGIN, phase: 'unchanged' },
  emergency: { detail: EMERGENCY, phase: 'unchanged' },
  'emergency-ready': { detail: EMERGENCY_READY, phase: 'unchanged' },
  drop: { detail: NOTHING, phase: 'old-gone' },
  create: { detail: v.object({ defaults: v.nullable(defaults) }), phase: 'old-gone' },
  load: { detail: NOTHING, phase: 'old-gone' },
  verify: { detail: NOTHING, phase: 'new-unproven' },
  proven: { detail: v.object({ tables: count, rows: count }), phase: 'new-proven' },
  /** What others wrote to the new state goes into this file before the way back drops it. */
  others: { detail: EMERGENCY, phase: 'old-gone' },
  rollback: { detail: FAILURE, phase: 'rolling-back' },
  'rollback-drop': { detail: NOTHING, phase: 'rolling-back' },
  'rollback-load': { detail: NOTHING, phase: 'rolling-back' },
  'rollback-verify': { detail: NOTHING, phase: 'rolling-back' },
  'rollback-failed': { detail: FAILURE, phase: 'rolling-back' },
  finish: { detail: FINISH, phase: 'recovered' },
} as const satisfies Record<string, Step>;

/**
 * The steps of `online`. Until `swap` only the staging database is written to; what follows is put
 * together again by looking at which database holds which table.
 */
const ONLINE_STEPS = {
  begin: { detail: BEGIN, phase: 'unchanged' },
  emergency: { detail: EMERGENCY, phase: 'unchanged' },
  'emergency-ready': { detail: EMERGENCY_READY, phase: 'unchanged' },
  stage: { detail: v.object({ staging: text }), phase: 'unchanged' },
  'stage-load': { detail: NOTHING, phase: 'unchanged' },
  'stage-verify': { detail: NOTHING, phase: 'unchanged' },
  /** `previous` takes the tables of `outgoing`, those of `incoming` come from the staging database. */
  swap: {
    detail: v.object({
      previous: text,
      outgoing: v.array(text),
      incoming: v.array(text),
      routineRights,
    }),
    phase: 'old-gone',
  },
  objects: { detail: NOTHING, phase: 'old-gone' },
  verify: { detail: NOTHING, phase: 'new-unproven' },
  proven: { detail: v.object({ tables: count, rows: count }), phase: 'kept' },
  rollback: { detail: FAILURE, phase: 'rolling-back' },
  /** `aside` takes the tables of `moved`, which are in the live database; the old ones come back. */
  'swap-back': {
    detail: v.object({ aside: text, moved: v.array(text) }),
    phase: 'rolling-back',
  },
  'rollback-objects': { detail: v.object({ routineRights }), phase: 'rolling-back' },
  'rollback-verify': { detail: NOTHING, phase: 'rolling-back' },
  'rollback-failed': { detail: FAILURE, phase: 'rolling-back' },
  'remove-previous': { detail: NOTHING, phase: 'kept' },
  finish: { detail: FINISH, phase: 'recovered' },
} as const satisfies Record<string, Step>;

export const RECOVERY_STEPS = { recover: RECOVER_STEPS, online: ONLINE_STEPS } as const;

type StepsOf<K extends RecoveryKind> = (typeof RECOVERY_STEPS)[K];

/** A step with its detail, as it is given to the journal. */
export type RecoveryStep<K extends RecoveryKind = RecoveryKind> = {
  [Kind in K]: {
    [Name in keyof StepsOf<Kind>]: {
      readonly kind: Kind;
      readonly step: Name;
      readonly detail: StepsOf<Kind>[Name] extends { readonly detail: infer S }
        ? S extends v.GenericSchema
          ? v.InferOutput<S>
          : never
        : never;
    };
  }[keyof StepsOf<Kind>];
}[K];

/** A record as it stands in the journal. */
export type RecoveryRecord<K extends RecoveryKind = RecoveryKind> = RecoveryStep<K> & {
  /** ISO 8601, UTC. */
  readonly at: string;
};

export type BeginDetail = v.InferOutput<typeof BEGIN>;
export type TargetDetail = v.InferOutput<typeof TARGET>;

export interface RecoveryState {
  readonly kind: RecoveryKind;
  readonly phase: RecoveryPhase;
  readonly begin: BeginDetail;
  readonly begunAt: string;
  /** The verified emergency backup, relative to BACKUP_DIR; null where there is or was none. */
  readonly emergencyFile: string | null;
  readonly emergencySha256: string | null;
  /** Whether the emergency step was completed, with a file or knowingly without. */
  readonly isSaved: boolean;
  /** Emergency backups that this journal names, verified or not; also of what others wrote. */
  readonly namedFiles: readonly string[];
  readonly lastStep: string;
  /** Why it is being rolled back, where it is. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** Undefined for a journal without a first record: its run ended before it did anything. */
export function recoveryState(records: readonly RecoveryRecord[]): RecoveryState | undefined {
  const [first] = records;
  const last = records.at(-1);
  if (first?.step !== 'begin' || last === undefined) return undefined;
  const ready = records.findLast((record) => record.step === 'emergency-ready');
  const reason = records.findLast((record) => record.step === 'rollback');
  const named = records.flatMap((record) =>
    record.step === 'emergency' || record.step === 'others' ? [record.detail.file] : [],
  );
  return {
    kind: first.kind,
    phase: phaseAfter(last),
    begin: first.detail,
    begunAt: first.at,
    emergencyFile: ready?.detail.file ?? null,
    emergencySha256: ready?.detail.sha256 ?? null,
    isSaved: ready !== undefined,
    namedFiles: named,
    lastStep: last.step,
    failure: reason?.detail ?? null,
  };
}

function phaseAfter(record: RecoveryRecord): RecoveryPhase {
  if (record.step === 'finish') return record.detail.outcome;
  const steps: Readonly<Record<string, Step>> = RECOVERY_STEPS[record.kind];
  return steps[record.step]?.phase ?? 'old-gone';
}

/** Nothing is left to be done, ever. */
export function isFinished(phase: RecoveryPhase): boolean {
  return phase === 'recovered' || phase === 'rolled-back' || phase === 'abandoned';
}

/**
 * The database may be in neither of its two states, or in one that is not proven: nobody may back it
 * up as good, and nothing but the recovery itself may write to it.
 */
export function isInBetween(phase: RecoveryPhase): boolean {
  return !isFinished(phase) && phase !== 'unchanged' && phase !== 'kept';
}

/** In words, for warnings: completes "the recovery of X is not finished: …". */
export const PHASE_WORDS: Readonly<Record<RecoveryPhase, string>> = {
  unchanged: 'nothing has been changed yet',
  'old-gone': 'the old state is gone and the new one is not complete',
  'new-unproven': 'the new state is loaded but not proven',
  'new-proven': 'the new state is proven, only its record is missing',
  'rolling-back': 'it is being rolled back',
  kept: 'it is done, and the old tables are still kept',
  recovered: 'it is done',
  'rolled-back': 'it was rolled back',
  abandoned: 'it was given up before it changed anything',
};

/** What is wrong with a value that should be a record, or undefined. */
export function recordProblem(value: unknown): string | undefined {
  const shape = v.safeParse(RECORD_SHAPE, value);
  if (!shape.success) return shape.issues[0].message;
  const { kind, step, detail } = shape.output;
  const steps: Readonly<Record<string, Step>> = RECOVERY_STEPS[kind];
  const known = Object.hasOwn(steps, step) ? steps[step] : undefined;
  if (known === undefined) return `expected a step of ${kind} but found ${JSON.stringify(step)}`;
  const result = v.safeParse(known.detail, detail);
  if (result.success) return undefined;
  const [issue] = result.issues;
  return `${step}: ${issue.message}`;
}

const RECORD_SHAPE = v.object({
  at: v.pipe(v.string(), v.isoTimestamp()),
  kind: v.picklist(RECOVERY_KINDS),
  step: text,
  detail: v.record(v.string(), v.unknown()),
});
