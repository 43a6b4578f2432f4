/** The native engine: one snapshot of the database into one archive under its temporary name. */
import type { ArchiveWriter, FinishedArchive } from '../../archive/archive-writer.js';
import type { Snapshot } from '../../mysql/snapshot.js';
import type { DatabaseSchema } from '../../mysql/schema.js';
import type { Warning } from '../context.js';
import {
  closingMemberSql,
  objectMemberSql,
  sequenceMemberSql,
  tableMemberSql,
} from './definitions.js';
import { objectEntry, rangeEntries, tableEntry } from './index-entries.js';
import type { TableResult } from './read-tables.js';
import { readTables } from './read-tables.js';
import type { Run } from '../run.js';
import type { SnapshotReading } from './snapshot-reading.js';
import { withSnapshot } from './snapshot-reading.js';

export interface WrittenArchive {
  readonly archive: FinishedArchive;
  readonly schema: DatabaseSchema;
  readonly snapshot: Pick<Snapshot, 'consistency' | 'consistencyNote' | 'coordinates'>;
  readonly warnings: readonly Warning[];
  /** For the user: what was chosen and what could not be had. */
  readonly notes: readonly string[];
}

/** Writes the archive at `path`. Definitions that change meanwhile cost an attempt, not the backup. */
export async function writeArchive(run: Run, path: string): Promise<WrittenArchive> {
  return withSnapshot(run, (reading) => writeSnapshot(run, reading, path));
}

async function writeSnapshot(
  run: Run,
  reading: SnapshotReading,
  path: string,
): Promise<WrittenArchive> {
  const { schema, snapshot, objects, warnings, notes } = reading;
  const writer = await reading.createWriter(path);
  for (const object of objects) {
    if (object.type === 'sequence') await writer.append(sequenceMemberSql(object));
  }
  for (const table of schema.tables) await writer.append(tableMemberSql(table, schema.name));
  const results = await readAllTables(run, reading, writer);
  await reading.assertStill();
  for (const object of objects) {
    if (object.type !== 'sequence') await writer.append(objectMemberSql(object, schema));
  }
  await writer.append(closingMemberSql(schema));
  const archive = await writer.finish({
    header: reading.header('full'),
    tables: results.map(tableEntry),
    ranges: results.flatMap(rangeEntries),
    objects: objects.map((object) => objectEntry(object, schema.name)),
  });
  return { archive, schema, snapshot, warnings, notes };
}

async function readAllTables(
  run: Run,
  reading: SnapshotReading,
  writer: ArchiveWriter,
): Promise<TableResult[]> {
  const { output } = run.context;
  const { schema, snapshot } = reading;
  const total = schema.tables.reduce((rows, table) => rows + table.estimatedRows, 0);
  let done = 0;
  const results = await readTables({
    database: schema.name,
    tables: schema.tables.map((table) => reading.plan(table)),
    snapshot,
    writer,
    definitionsMayChange: reading.definitionsMayChange,
    onRows: (rows) => {
      done += rows;
      output.progress({ activity: 'Reading rows', done, total, unit: 'rows' });
    },
  });
  output.progress(null);
  return results;
}
