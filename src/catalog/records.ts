/** The entries of backup_logs.json: their type, and the strict reading of text that claims to be them. */
import * as v from 'valibot';
import { ReshelveError } from '../errors.js';

const RUN_TYPES = [
  'full',
  'incremental',
  'verify',
  'restore',
  'recover',
  'undo',
  'prune',
  'offsite',
] as const;
export type RunType = (typeof RUN_TYPES)[number];

const RUN_STATUSES = ['success', 'failed', 'warning'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

interface RunFailure {
  /** A code of the table in src/errors.ts; text, because other versions know other codes. */
  readonly code: string;
  readonly message: string;
}

/** Where in the server's change stream the snapshot stands; null where the server did not say. */
export interface RecordedCoordinates {
  readonly binlogFile: string | null;
  readonly position: number | null;
  readonly gtidSet: string | null;
  readonly serverUuid: string | null;
}

/** The newest check of a backup. */
export interface Verification {
  readonly status: 'success' | 'failed';
  /** `restore`: loaded into a test database and compared. `file`: the file's own checksums alone. */
  readonly method: 'restore' | 'file';
  /** The `verify` run (or the run itself) that found it. */
  readonly runId: string;
}

/** A backup's place in its chain, as its archive's header says it. */
export interface RecordedChain {
  /** The full backup that the chain begins with; a full one names itself. */
  readonly fullId: string;
  readonly method: 'full' | 'binlog' | 'ranges';
  /** The newest state that the backup brings. */
  readonly snapshotAt: string;
  readonly serverFlavour: string;
  /** Where its changes begin. */
  readonly from?: RecordedCoordinates;
  /** Why no incremental can follow by the binlog. */
  readonly endsBinlog?: string;
  /** One of the many small archives of a continuous capture. */
  readonly segment?: true;
  /** Ids of the segments that it stands for. */
  readonly merged?: readonly string[];
}

/** A chain that gave, at the place of the next full backup, what that one holds. */
export interface ChainProof {
  /** The full backup that the chain begins with. */
  readonly fullId: string;
  /** The one that proves it. */
  readonly byId: string;
  /** The newest instant that is proven. */
  readonly until: string;
}

/** The exercise of a recovery: how long each step took, and the sum. */
export interface Drill {
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[];
  /** From looking at the file to the compared copy: what the drill measured. */
  readonly recoveryMs: number;
  /** The same, and the backup of the present state that a recovery makes first. */
  readonly expectedMs: number;
}

/**
 * One run. Times are ISO 8601 UTC with milliseconds, sizes bytes, durations milliseconds. Fields
 * that this version does not know are kept as they are.
 */
export interface CatalogEntry {
  readonly id: string;
  readonly type: RunType;
  readonly status: RunStatus;
  readonly database: string;
  /**
   * The backup that the run made, checked or loaded: relative to BACKUP_DIR with `/` where it lies
   * in there, else absolute. Null where there is none, always so for a backup that failed.
   */
  readonly file: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly sizeBytes: number | null;
  readonly host: string;
  readonly trigger: 'manual' | 'schedule';
  /** Present exactly where the status is `failed`. */
  readonly error?: RunFailure;
  readonly warnings?: readonly string[];
  /** Of the whole file, 64 lower-case hex digits. */
  readonly sha256?: string;
  /** When `verification` was found. */
  readonly verifiedAt?: string;
  readonly verification?: Verification;
  /** For an incremental: the id of the entry that it builds on. */
  readonly baseId?: string;
  /** Missing in entries that earlier versions wrote. */
  readonly chain?: RecordedChain;
  readonly tables?: number;
  readonly rows?: number;
  /** How many of each: `{"views": 2, "triggers": 3}`. */
  readonly objects?: Readonly<Record<string, number>>;
  /** The consistency level, as the archive's header names it. */
  readonly consistency?: string;
  readonly coordinates?: RecordedCoordinates;
  /** For a recovery: the backup of the state before it, relative to BACKUP_DIR. */
  readonly emergencyFile?: string;
  /** For a `verify` run that was an exercise of a recovery. */
  readonly drill?: Drill;
  /** For an `undo` run: the transaction that was taken back. */
  readonly undone?: {
    readonly gtid: string | null;
    readonly binlogFile: string;
    readonly position: number;
  };
  /** For a `verify` run that proved a chain. */
  readonly chainProof?: ChainProof;
  /** Set when the file is about to be deleted: the run stays in the history, the backup is gone. */
  readonly removedAt?: string;
  readonly removedReason?: string;
}

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const instant = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'Invalid time: Expected ISO 8601 UTC'),
  v.check((value) => !Number.isNaN(Date.parse(value)), 'Invalid time: Expected a real time'),
);

/** Neither outside BACKUP_DIR by `..` nor with a NUL: deleting trusts this. */
const filePath = v.pipe(
  text,
  v.check(
    (path) => !path.includes('\0') && !path.split('/').includes('..'),
    'Invalid path: Expected no `..` and no NUL',
  ),
);

const coordinates = v.looseObject({
  binlogFile: v.nullable(v.string()),
  position: v.nullable(count),
  gtidSet: v.nullable(v.string()),
  serverUuid: v.nullable(v.string()),
});

const duration = v.pipe(v.number(), v.finite(), v.minValue(0));

const ENTRY_SHAPE = v.looseObject({
  id: text,
  type: v.picklist(RUN_TYPES),
  status: v.picklist(RUN_STATUSES),
  database: v.string(),
  file: v.nullable(filePath),
  startedAt: instant,
  finishedAt: instant,
  durationMs: duration,
  sizeBytes: v.nullable(count),
  host: v.string(),
  trigger: v.picklist(['manual', 'schedule']),
  error: v.exactOptional(v.looseObject({ code: text, message: v.string() })),
  warnings: v.exactOptional(v.array(v.string())),
  sha256: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  verifiedAt: v.exactOptional(instant),
  verification: v.exactOptional(
    v.looseObject({
      status: v.picklist(['success', 'failed']),
      method: v.picklist(['restore', 'file']),
      runId: text,
    }),
  ),
  baseId: v.exactOptional(text),
  chain: v.exactOptional(
    v.looseObject({
      fullId: text,
      method: v.picklist(['full', 'binlog', 'ranges']),
      snapshotAt: instant,
      serverFlavour: text,
      from: v.exactOptional(coordinates),
      endsBinlog: v.exactOptional(text),
      segment: v.exactOptional(v.literal(true)),
      merged: v.exactOptional(v.array(text)),
    }),
  ),
  tables: v.exactOptional(count),
  rows: v.exactOptional(count),
  objects: v.exactOptional(v.record(v.string(), count)),
  consistency: v.exactOptional(v.string()),
  coordinates: v.exactOptional(coordinates),
  emergencyFile: v.exactOptional(filePath),
  drill: v.exactOptional(
    v.looseObject({
      steps: v.array(v.looseObject({ name: text, durationMs: duration })),
      recoveryMs: duration,
      expectedMs: duration,
    }),
  ),
  undone: v.exactOptional(
    v.looseObject({ gtid: v.nullable(text), binlogFile: text, position: count }),
  ),
  chainProof: v.exactOptional(v.looseObject({ fullId: text, byId: text, until: instant })),
  removedAt: v.exactOptional(instant),
  removedReason: v.exactOptional(v.string()),
}) satisfies v.GenericSchema<unknown, CatalogEntry>;

const ENTRY_SCHEMA = v.pipe(
  ENTRY_SHAPE,
  v.check(
    (entry) => (entry.status === 'failed') === (entry.error !== undefined),
    'Invalid entry: Expected `error` exactly where the status is failed',
  ),
);

/** What is wrong with a value that should be an entry, or undefined: `durationMs: Invalid type: …`. */
export function entryProblem(value: unknown): string | undefined {
  const result = v.safeParse(ENTRY_SCHEMA, value, { abortEarly: true });
  if (result.success) return undefined;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path}: ${issue.message}`;
}

/**
 * Reads the text of backup_logs.json. The entries are the parsed objects themselves, so unknown
 * fields and the order of fields survive a rewrite. Throws CATALOG_DAMAGED naming `path` and the
 * first thing that is wrong.
 */
export function parseCatalog(catalogText: string, path: string): CatalogEntry[] {
  const value = parseJson(catalogText, path);
  if (!Array.isArray(value))
    throw damaged(path, `expected a JSON array but found ${kindOf(value)}`);
  const ids = new Set<string>();
  return value.map((candidate: unknown, index) => {
    const problem = entryProblem(candidate);
    if (problem !== undefined) throw damaged(path, `entry ${index + 1}: ${problem}`);
    const entry = candidate as CatalogEntry;
    if (ids.has(entry.id))
      throw damaged(path, `entry ${index + 1}: the id ${entry.id} occurs twice`);
    ids.add(entry.id);
    return entry;
  });
}

/** Two spaces, a final newline: for eyes, `jq` and `diff`. */
export function formatCatalog(entries: readonly CatalogEntry[]): string {
  return `${JSON.stringify(entries, null, 2)}\n`;
}

function parseJson(catalogText: string, path: string): unknown {
  if (catalogText === '') throw damaged(path, 'expected a JSON array but found an empty file');
  try {
    return JSON.parse(catalogText);
  } catch (cause) {
    throw damaged(path, `expected a JSON array but found text that is not JSON`, cause);
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : `a JSON ${typeof value}`;
}

function damaged(path: string, detail: string, cause?: unknown): ReshelveError {
  return new ReshelveError('CATALOG_DAMAGED', `${path} is damaged: ${detail}`, { cause });
}
