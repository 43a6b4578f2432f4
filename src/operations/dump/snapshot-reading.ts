/**
 * One snapshot of the database with its schema, from which an archive is written. Definitions that
 * change meanwhile cost an attempt, not the backup.
 */
import { ArchiveWriter } from '../../archive/archive-writer.js';
import type { IndexParts } from '../../archive/archive-writer.js';
import { SIGNATURE_LINE } from '../../archive/format.js';
import type { BinlogState } from '../../archive/index-types.js';
import { ReshelveError } from '../../errors.js';
import type { BinlogReading } from '../../mysql/binlog-state.js';
import { readBinlogState } from '../../mysql/binlog-state.js';
import { readServerUuid } from '../../mysql/coordinates.js';
import type { DdlGuard } from '../../mysql/ddl-guard.js';
import { guardByBackupLock, METADATA_LOCKS } from '../../mysql/ddl-guard.js';
import type { GrantSet } from '../../mysql/grants.js';
import { readGrants } from '../../mysql/grants.js';
import { hasOwnRows, listTables } from '../../mysql/schema-tables.js';
import type { ListedTable } from '../../mysql/schema-tables.js';
import type { DatabaseSchema, StoredObject } from '../../mysql/schema.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import type { Snapshot } from '../../mysql/snapshot.js';
import { openSnapshot, limitLockWaits } from '../../mysql/snapshot.js';
import { headerSql, LOAD_SQL_MODE, LOAD_TIME_ZONE } from '../../sql/archive-text.js';
import { planColumns } from '../../sql/column-plan.js';
import { defaultsOf } from '../../sql/database-defaults.js';
import { TOOL_VERSION } from '../../version.js';
import type { Warning } from '../context.js';
import { readDatabaseSchema } from './database-schema.js';
import type { SchemaRequest } from './database-schema.js';
import { orderObjects } from './definitions.js';
import { heldTableError } from './held-table.js';
import { periodPlans } from './period-columns.js';
import type { PlannedTable } from './read-tables.js';
import type { Run } from '../run.js';
import { openDatabase, openServer } from '../sessions.js';

/** Attempts that detect changed definitions; the ones after them hold tables still. */
const DETECTING_ATTEMPTS = 2;
const ATTEMPTS_MAX = 7;

/** Runs `write` over a snapshot, and over a new one as long as definitions changed under it. */
export async function withSnapshot<T>(
  run: Run,
  write: (reading: SnapshotReading) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await oneAttempt(run, attempt, write);
    } catch (error) {
      const { databaseName } = run.context.configuration;
      const isHeld = isServerError(error, ERRNO.lockWaitTimeout);
      const failure = asSchemaChange(error, databaseName);
      const changed = failure instanceof ReshelveError && failure.code === 'SCHEMA_CHANGED';
      if (!changed && !isHeld) throw failure;
      if (attempt >= ATTEMPTS_MAX) {
        throw isHeld ? await heldTableError(run, ATTEMPTS_MAX, error) : failure;
      }
      const reason = isHeld
        ? `a table of ${databaseName} was locked by others for too long: ${error.message}`
        : messageOf(failure);
      run.context.output.line(`Starting again, because ${reason}...`);
    }
  }
}

async function oneAttempt<T>(
  run: Run,
  attempt: number,
  write: (reading: SnapshotReading) => Promise<T>,
): Promise<T> {
  const resources: Closable[] = [];
  try {
    return await write(await SnapshotReading.open(run, attempt > DETECTING_ATTEMPTS, resources));
  } finally {
    for (const resource of resources.reverse()) await resource.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An object that was listed a moment ago and is gone now was dropped meanwhile. */
function asSchemaChange(error: unknown, database: string): unknown {
  const { noSuchTable, noSuchRoutine, noSuchTrigger, noSuchEvent } = ERRNO;
  if (!isServerError(error, noSuchTable, noSuchRoutine, noSuchTrigger, noSuchEvent)) return error;
  return new ReshelveError(
    'SCHEMA_CHANGED',
    `objects of ${database} were dropped while they were being read`,
    { cause: error },
  );
}

interface Closable {
  close(): Promise<void>;
}

interface Parts {
  readonly control: Session;
  readonly snapshot: Snapshot;
  readonly schema: DatabaseSchema;
  readonly request: SchemaRequest;
  readonly serverUuid: string | null;
  readonly binlog: BinlogState | undefined;
  readonly warnings: readonly Warning[];
  readonly notes: readonly string[];
}

export class SnapshotReading {
  readonly control: Session;
  readonly snapshot: Snapshot;
  readonly schema: DatabaseSchema;
  /** Views, routines and so on, in an order that loads. */
  readonly objects: readonly StoredObject[];
  readonly serverUuid: string | null;
  readonly binlog: BinlogState | undefined;
  readonly warnings: readonly Warning[];
  /** For the user: what was chosen and what could not be had. */
  readonly notes: readonly string[];
  readonly #run: Run;
  readonly #request: SchemaRequest;
  readonly #resources: Closable[];

  private constructor(run: Run, parts: Parts, resources: Closable[]) {
    this.#run = run;
    this.#resources = resources;
    this.#request = parts.request;
    this.control = parts.control;
    this.snapshot = parts.snapshot;
    this.schema = parts.schema;
    this.serverUuid = parts.serverUuid;
    this.binlog = parts.binlog;
    this.warnings = parts.warnings;
    this.notes = parts.notes;
    this.objects = orderObjects(parts.schema.objects);
  }

  /** @param pin whether tables are held by metadata locks where nothing better can be had */
  static async open(run: Run, pin: boolean, resources: Closable[]): Promise<SnapshotReading> {
    const { configuration } = run.context;
    const database = configuration.databaseName;
    const notes: string[] = [];
    const control = await openDatabase(run.context);
    resources.push(control);
    await limitLockWaits(control);
    const grants = await readGrants(control);
    const { snapshot, known } = await openKnownSnapshot(run, pin, control, grants, (line) =>
      notes.push(line),
    );
    resources.push(snapshot);
    const request = { database, grants, user: configuration.server.user, known };
    const { schema, warnings } = await readDatabaseSchema(control, request);
    const { missingPrivilege } = snapshot;
    if (missingPrivilege !== undefined) {
      notes.push(
        `binlog file and position are not known (GRANT ${missingPrivilege} ON *.* would give them)`,
      );
    }
    const binlog = await readBinlogState(control, snapshot.coordinates, () =>
      openServer(run.context, configuration.server),
    );
    const parts = {
      binlog: binlog?.state,
      control,
      snapshot,
      schema,
      request,
      serverUuid: await readServerUuid(control),
      warnings: [...warnings, ...unlockedTables(schema, snapshot), ...preparedXa(binlog)],
      notes,
    };
    return new SnapshotReading(run, parts, resources);
  }

  /** Makes the archive's file and its header member; removed again unless it is finished. */
  async createWriter(path: string): Promise<ArchiveWriter> {
    const { signal, configuration } = this.#run.context;
    const writer = await ArchiveWriter.create(path, {
      level: configuration.backup.compressionLevel,
      signal,
    });
    this.#resources.push({ close: () => writer.abort() });
    await appendHeader(writer, this.#run, this.control);
    return writer;
  }

  plan(record: PlannedTable['record']): PlannedTable {
    const { flavour } = this.control.facts;
    return { record, columns: [...planColumns(record.columns, flavour), ...periodPlans(record)] };
  }

  get definitionsMayChange(): boolean {
    return this.snapshot.guard.kind !== 'backup-lock';
  }

  /** Views, routines, triggers and events must be the same at the end as at the beginning. */
  async assertStill(): Promise<void> {
    const { guard } = this.snapshot;
    if (guard.kind === 'backup-lock') {
      await guard.confirm();
      return;
    }
    const now = await readDatabaseSchema(this.control, this.#request);
    const before = new Map(this.objects.map((object) => [keyOf(object), object]));
    const after = orderObjects(now.schema.objects);
    const same =
      after.length === this.objects.length &&
      after.every(
        (object) =>
          before.get(keyOf(object))?.createStatement.equals(object.createStatement) === true,
      );
    if (!same) {
      throw new ReshelveError(
        'SCHEMA_CHANGED',
        `views, routines, triggers or events of ${this.schema.name} changed during the backup`,
      );
    }
  }

  header(type: 'full' | 'incremental'): IndexParts['header'] {
    const { schema, snapshot } = this;
    return {
      id: this.#run.id,
      type,
      database: schema.name,
      ...defaultsOf(schema),
      serverVersion: this.control.facts.version,
      serverFlavour: this.control.facts.flavour,
      serverUuid: this.serverUuid,
      toolVersion: TOOL_VERSION,
      startedAt: this.#run.startedAt.toISOString(),
      snapshotAt: snapshot.takenAt.toISOString(),
      finishedAt: this.#run.context.now().toISOString(),
      consistency: snapshot.consistency,
      consistencyNote: snapshot.consistencyNote,
      coordinates: snapshot.coordinates,
      ...(this.binlog === undefined ? {} : { binlog: this.binlog }),
      timeZone: LOAD_TIME_ZONE,
      sqlMode: LOAD_SQL_MODE,
      warnings: this.warnings.map(({ code, message }) => ({ code, message })),
    };
  }
}

/** The member that every archive begins with. */
export async function appendHeader(
  writer: ArchiveWriter,
  run: Run,
  session: Session,
): Promise<void> {
  const text = headerSql({
    database: run.context.configuration.databaseName,
    server: `${session.facts.flavour} ${session.facts.version}`,
    toolVersion: TOOL_VERSION,
    startedAt: run.startedAt.toISOString(),
  });
  const sql = Buffer.from(SIGNATURE_LINE + text);
  await writer.append({ kind: 'header', sql, statements: 7, longestStatement: 80 });
}

/** A table that appears between listing and snapshot would be missing; then all is repeated. */
async function openKnownSnapshot(
  run: Run,
  pin: boolean,
  control: Session,
  grants: GrantSet,
  note: (line: string) => void,
): Promise<{ snapshot: Snapshot; known: ReadonlySet<string> }> {
  const { configuration } = run.context;
  const database = configuration.databaseName;
  const { tables } = await listTables(control, database);
  const snapshot = await openSnapshot({
    database,
    tables: tables.filter((table) => hasOwnRows(table.engine ?? '')),
    grants,
    readers: configuration.backup.threads,
    open: () => openDatabase(run.context),
    guard: () => guardDefinitions(run, pin, grants, tables),
    note,
  });
  try {
    const now = (await listTables(control, database)).tables;
    const known = new Set(now.map((table) => table.name));
    // Under the backup lock nothing has come or gone since before the snapshot.
    if (snapshot.guard.kind === 'backup-lock') return { snapshot, known };
    if (tables.length === known.size && tables.every((table) => known.has(table.name))) {
      return { snapshot, known };
    }
  } catch (error) {
    await snapshot.close();
    throw error;
  }
  await snapshot.close();
  throw new ReshelveError(
    'SCHEMA_CHANGED',
    `tables of ${database} were created or dropped while the snapshot opened`,
  );
}

async function guardDefinitions(
  run: Run,
  pin: boolean,
  grants: GrantSet,
  tables: readonly ListedTable[],
): Promise<DdlGuard> {
  const open = (): Promise<Session> => openDatabase(run.context);
  const guard = await guardByBackupLock(open, grants, tables);
  return guard.kind === 'none' && pin ? METADATA_LOCKS : guard;
}

function keyOf(object: StoredObject): string {
  return `${object.type} ${object.name}`;
}

/** The log has their changes before the snapshot's place, and their commit behind it. */
function preparedXa(binlog: BinlogReading | undefined): Warning[] {
  const count = binlog?.preparedXa ?? 0;
  if (count === 0) return [];
  return [
    {
      code: 'XA_PENDING',
      message:
        `${count} XA transactions were prepared and not decided while the snapshot opened; if they ` +
        `are of this database, incrementals after this backup do not have their changes`,
    },
  ];
}

/** Tables without transactions that nobody locks may have changed between two of their rows. */
function unlockedTables(schema: DatabaseSchema, snapshot: Snapshot): Warning[] {
  const locked = new Set(snapshot.lockedTables);
  const unlocked = schema.tables.filter(
    (table) => !table.transactional && hasOwnRows(table.engine) && !locked.has(table.name),
  );
  if (unlocked.length === 0) return [];
  const names = unlocked.map((table) => `${table.name} (${table.engine})`).join(', ');
  return [
    {
      code: 'NOT_OF_ONE_INSTANT',
      message:
        `read without a lock, though their engine has no snapshots, so they may not be of the ` +
        `same instant as the others: ${names}. ` +
        `The privilege LOCK TABLES is missing, or the lock could not be had in time.`,
    },
  ];
}
