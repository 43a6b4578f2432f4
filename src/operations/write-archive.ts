/** The native engine: one snapshot of the database into one archive under its temporary name. */
import { ArchiveWriter } from '../archive/archive-writer.js';
import type { FinishedArchive, IndexParts } from '../archive/archive-writer.js';
import { SIGNATURE_LINE } from '../archive/format.js';
import { ReshelveError } from '../errors.js';
import { readServerUuid } from '../mysql/coordinates.js';
import type { DdlGuard } from '../mysql/ddl-guard.js';
import { guardByBackupLock, guardByMetadataLocks } from '../mysql/ddl-guard.js';
import type { GrantSet } from '../mysql/grants.js';
import { readGrants } from '../mysql/grants.js';
import { hasOwnRows, listTables } from '../mysql/schema-tables.js';
import type { ListedTable } from '../mysql/schema-tables.js';
import type { DatabaseSchema, StoredObject } from '../mysql/schema.js';
import { ERRNO, isServerError } from '../mysql/server-error.js';
import type { Session } from '../mysql/session.js';
import type { Snapshot } from '../mysql/snapshot.js';
import { openSnapshot } from '../mysql/snapshot.js';
import { headerSql, LOAD_SQL_MODE, LOAD_TIME_ZONE } from '../sql/archive-text.js';
import { planColumns } from '../sql/column-plan.js';
import { periodPlans } from './period-columns.js';
import { TOOL_VERSION } from '../version.js';
import type { Warning } from './context.js';
import { readDatabaseSchema } from './database-schema.js';
import type { SchemaRequest } from './database-schema.js';
import {
  closingMemberSql,
  objectMemberSql,
  orderObjects,
  sequenceMemberSql,
  tableMemberSql,
} from './definitions.js';
import { objectEntry, rangeEntries, tableEntry } from './index-entries.js';
import type { PlannedTable, TableResult } from './read-tables.js';
import { readTables } from './read-tables.js';
import type { Run } from './run.js';
import { openDatabase } from './sessions.js';

export interface WrittenArchive {
  readonly archive: FinishedArchive;
  readonly schema: DatabaseSchema;
  readonly snapshot: Pick<Snapshot, 'consistency' | 'consistencyNote' | 'coordinates'>;
  readonly serverUuid: string | null;
  readonly warnings: readonly Warning[];
  /** For the user: what was chosen and what could not be had. */
  readonly notes: readonly string[];
}

/** Attempts that detect changed definitions; the ones after them hold tables still. */
const DETECTING_ATTEMPTS = 2;
const ATTEMPTS_MAX = 7;

/** Writes the archive at `path`. Definitions that change meanwhile cost an attempt, not the backup. */
export async function writeArchive(run: Run, path: string): Promise<WrittenArchive> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await new ArchiveAttempt(run, path, attempt > DETECTING_ATTEMPTS).write();
    } catch (error) {
      const failure = asSchemaChange(error, run.context.configuration.databaseName);
      const changed = failure instanceof ReshelveError && failure.code === 'SCHEMA_CHANGED';
      if (!changed || attempt >= ATTEMPTS_MAX) throw failure;
      run.context.output.line(`Definitions changed (${failure.message}); starting again...`);
    }
  }
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

class ArchiveAttempt {
  readonly #run: Run;
  readonly #path: string;
  /** Whether tables are pinned by metadata locks where nothing better can be had. */
  readonly #pin: boolean;
  readonly #database: string;
  readonly #notes: string[] = [];
  readonly #toClose: { close(): Promise<void> }[] = [];

  constructor(run: Run, path: string, pin: boolean) {
    this.#run = run;
    this.#path = path;
    this.#pin = pin;
    this.#database = run.context.configuration.databaseName;
  }

  async write(): Promise<WrittenArchive> {
    try {
      return await this.#write();
    } finally {
      for (const resource of this.#toClose.reverse()) await resource.close();
    }
  }

  async #write(): Promise<WrittenArchive> {
    const control = await this.#open();
    const grants = await readGrants(control);
    const { snapshot, known } = await this.#openSnapshot(control, grants);
    const { user } = this.#run.context.configuration.server;
    const request = { database: this.#database, grants, user, known };
    const { schema, warnings } = await readDatabaseSchema(control, request);
    const lockWarnings = unlockedTables(schema, snapshot);
    const writer = await this.#createWriter();
    const objects = orderObjects(schema.objects);
    await this.#writeDefinitions(writer, control, schema, objects);
    const results = await this.#readTables(writer, schema, snapshot);
    await this.#assertStill(control, request, objects, snapshot.guard);
    for (const object of objects) {
      if (object.type !== 'sequence') await writer.append(objectMemberSql(object, schema));
    }
    await writer.append(closingMemberSql(schema));
    const serverUuid = await readServerUuid(control);
    const allWarnings = [...warnings, ...lockWarnings];
    const archive = await writer.finish({
      header: this.#header(control, schema, snapshot, serverUuid, allWarnings),
      tables: results.map(tableEntry),
      ranges: results.flatMap(rangeEntries),
      objects: objects.map((object) => objectEntry(object, schema.name)),
    });
    this.#noteCoordinates(snapshot);
    return { archive, schema, snapshot, serverUuid, warnings: allWarnings, notes: this.#notes };
  }

  async #open(): Promise<Session> {
    const session = await openDatabase(this.#run.context);
    this.#toClose.push(session);
    return session;
  }

  async #guard(grants: GrantSet, tables: readonly ListedTable[]): Promise<DdlGuard> {
    const open = (): Promise<Session> => openDatabase(this.#run.context);
    const guard = await guardByBackupLock(open, grants, tables);
    if (guard.kind !== 'none' || !this.#pin) return guard;
    return guardByMetadataLocks(
      open,
      tables.map((table) => table.name),
    );
  }

  /** A table that appears between listing and snapshot would be missing; then all is repeated. */
  async #openSnapshot(
    control: Session,
    grants: GrantSet,
  ): Promise<{ snapshot: Snapshot; known: ReadonlySet<string> }> {
    const { configuration } = this.#run.context;
    const { tables } = await listTables(control, this.#database);
    const snapshot = await openSnapshot({
      database: this.#database,
      tables: tables.filter((table) => hasOwnRows(table.engine ?? '')),
      grants,
      readers: configuration.backup.threads,
      open: () => openDatabase(this.#run.context),
      guard: () => this.#guard(grants, tables),
      note: (line) => this.#notes.push(line),
    });
    this.#toClose.push(snapshot);
    const now = (await listTables(control, this.#database)).tables;
    const known = new Set(now.map((table) => table.name));
    // Under the backup lock nothing has come or gone since before the snapshot.
    if (snapshot.guard.kind === 'backup-lock') return { snapshot, known };
    if (tables.length === known.size && tables.every((table) => known.has(table.name))) {
      return { snapshot, known };
    }
    throw new ReshelveError(
      'SCHEMA_CHANGED',
      `tables of ${this.#database} were created or dropped while the snapshot opened`,
    );
  }

  async #createWriter(): Promise<ArchiveWriter> {
    const { signal, configuration } = this.#run.context;
    const writer = await ArchiveWriter.create(this.#path, {
      level: configuration.backup.compressionLevel,
      signal,
    });
    this.#toClose.push({ close: () => writer.abort() });
    return writer;
  }

  async #writeDefinitions(
    writer: ArchiveWriter,
    control: Session,
    schema: DatabaseSchema,
    objects: readonly StoredObject[],
  ): Promise<void> {
    const text = headerSql({
      database: this.#database,
      server: `${control.facts.flavour} ${control.facts.version}`,
      toolVersion: TOOL_VERSION,
      startedAt: this.#run.startedAt.toISOString(),
    });
    const sql = Buffer.from(SIGNATURE_LINE + text);
    await writer.append({ kind: 'header', sql, statements: 7, longestStatement: 80 });
    for (const object of objects) {
      if (object.type === 'sequence') await writer.append(sequenceMemberSql(object));
    }
    for (const table of schema.tables) await writer.append(tableMemberSql(table, schema.name));
  }

  async #readTables(
    writer: ArchiveWriter,
    schema: DatabaseSchema,
    snapshot: Snapshot,
  ): Promise<TableResult[]> {
    const { output } = this.#run.context;
    const total = schema.tables.reduce((rows, table) => rows + table.estimatedRows, 0);
    let done = 0;
    const results = await readTables({
      database: this.#database,
      tables: schema.tables.map((table) => planTable(table, snapshot)),
      snapshot,
      writer,
      definitionsMayChange: snapshot.guard.kind !== 'backup-lock',
      onRows: (rows) => {
        done += rows;
        output.progress({ activity: 'Reading rows', done, total, unit: 'rows' });
      },
    });
    output.progress(null);
    return results;
  }

  /** Views, routines, triggers and events must be the same at the end as at the beginning. */
  async #assertStill(
    control: Session,
    request: SchemaRequest,
    objects: readonly StoredObject[],
    guard: DdlGuard,
  ): Promise<void> {
    if (guard.kind === 'backup-lock') {
      await guard.confirm();
      return;
    }
    const now = await readDatabaseSchema(control, request);
    const before = new Map(objects.map((object) => [keyOf(object), object]));
    const after = orderObjects(now.schema.objects);
    const same =
      after.length === objects.length &&
      after.every(
        (object) =>
          before.get(keyOf(object))?.createStatement.equals(object.createStatement) === true,
      );
    if (!same) {
      throw new ReshelveError(
        'SCHEMA_CHANGED',
        `views, routines, triggers or events of ${request.database} changed during the backup`,
      );
    }
  }

  #header(
    control: Session,
    schema: DatabaseSchema,
    snapshot: Snapshot,
    serverUuid: string | null,
    warnings: readonly Warning[],
  ): IndexParts['header'] {
    return {
      id: this.#run.id,
      type: 'full',
      database: schema.name,
      characterSet: schema.characterSet,
      collation: schema.collation,
      serverVersion: control.facts.version,
      serverFlavour: control.facts.flavour,
      serverUuid,
      toolVersion: TOOL_VERSION,
      startedAt: this.#run.startedAt.toISOString(),
      snapshotAt: snapshot.takenAt.toISOString(),
      finishedAt: this.#run.context.now().toISOString(),
      consistency: snapshot.consistency,
      consistencyNote: snapshot.consistencyNote,
      coordinates: snapshot.coordinates,
      timeZone: LOAD_TIME_ZONE,
      sqlMode: LOAD_SQL_MODE,
      warnings: warnings.map(({ code, message }) => ({ code, message })),
    };
  }

  #noteCoordinates(snapshot: Snapshot): void {
    const { missingPrivilege } = snapshot;
    if (missingPrivilege === undefined) return;
    this.#notes.push(
      `binlog file and position are not known (GRANT ${missingPrivilege} ON *.* would give them)`,
    );
  }
}

function planTable(record: PlannedTable['record'], snapshot: Snapshot): PlannedTable {
  const flavour = snapshot.readers[0]?.facts.flavour ?? 'mysql';
  return { record, columns: [...planColumns(record.columns, flavour), ...periodPlans(record)] };
}

function keyOf(object: StoredObject): string {
  return `${object.type} ${object.name}`;
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
