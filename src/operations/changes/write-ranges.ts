/**
 * An incremental without the binlog: what differs from the newest state of the chain, as SQL. Its index
 * describes the whole new state, so that the next one can be compared with it and a restore be proven.
 */
import type { ArchiveWriter, FinishedArchive, MemberInput } from '../../archive/archive-writer.js';
import type { ChainLink } from '../../archive/index-types.js';
import { whereRange } from '../../mysql/key-ranges.js';
import { closingSql } from '../../sql/archive-text.js';
import { defaultsClause, defaultsOf, hasDefaults } from '../../sql/database-defaults.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { ChainArchives } from '../chains/chain-archives.js';
import { compareObjects } from './compared-objects.js';
import type { ObjectDrop } from './compared-objects.js';
import type { TableChange } from './compared-tables.js';
import { comparedMarkerLine } from './compared-marker.js';
import type { ComparedMarker } from './compared-marker.js';
import { compareTables } from './compared-tables.js';
import type { Warning } from '../context.js';
import { counterAfterRows, tableMemberSql } from '../dump/definitions.js';
import { objectEntry, rangeEntries, tableEntry } from '../dump/index-entries.js';
import type { PlannedTable, TableResult } from '../dump/read-tables.js';
import { readTables } from '../dump/read-tables.js';
import type { Run } from '../run.js';
import type { SnapshotReading } from '../dump/snapshot-reading.js';
import { withSnapshot } from '../dump/snapshot-reading.js';

export interface WrittenIncremental {
  readonly archive: FinishedArchive;
  readonly warnings: readonly Warning[];
  readonly notes: readonly string[];
}

export async function writeRanges(
  run: Run,
  path: string,
  base: ChainArchives,
  chain: ChainLink,
): Promise<WrittenIncremental> {
  return withSnapshot(run, (reading) => new RangeWriter(run, reading, base, chain).write(path));
}

class RangeWriter {
  readonly #run: Run;
  readonly #reading: SnapshotReading;
  readonly #base: ChainArchives;
  readonly #chain: ChainLink;

  constructor(run: Run, reading: SnapshotReading, base: ChainArchives, chain: ChainLink) {
    this.#run = run;
    this.#reading = reading;
    this.#base = base;
    this.#chain = chain;
  }

  async write(path: string): Promise<WrittenIncremental> {
    const { schema, objects, warnings, notes } = this.#reading;
    const compared = await compareTables(this.#run, this.#reading, this.#base);
    const { changes } = compared;
    const touched = changes.filter(({ kind }) => kind !== 'none').map(nameOf);
    const objectChanges = await compareObjects(this.#reading, this.#base, new Set(touched));
    const writer = await this.#reading.createWriter(path);
    for (const member of objectChanges.sequences) await writer.append(this.#makingRoom(member));
    const whole = changes.flatMap((change) => (change.kind === 'whole' ? [change.planned] : []));
    for (const { record } of whole) {
      await writer.append(this.#makingRoom(tableMemberSql(record, schema.name)));
    }
    const written = await this.#readWhole(writer, whole);
    const drops = [...this.#goneTables(), ...objectChanges.drops, ...this.#newDefaults()];
    for (const { table, statements } of drops) {
      await writer.append(changeMember({ table }, statements));
    }
    for (const change of changes) {
      if (change.kind === 'ranges') await writer.append(deletionMember(change));
    }
    const rewritten = await this.#readRanges(writer, changes);
    await this.#reading.snapshot.releaseTableLock();
    await this.#reading.assertStill();
    for (const member of objectChanges.objects) await writer.append(member);
    await writer.append(this.#closing(changes));
    const results = inOrder(changes, written);
    const archive = await writer.finish({
      header: { ...this.#reading.header('incremental'), chain: this.#chain },
      tables: results.map(tableEntry),
      ranges: results.flatMap(rangeEntries),
      objects: objects.map((object) => objectEntry(object, schema.name)),
    });
    const rowsWritten = rewritten + written.reduce((rows, { digest }) => rows + digest.rows, 0);
    return {
      archive,
      warnings,
      notes: [
        ...notes,
        `compared ${compared.rowsRead} rows in ${compared.rangesCompared} ranges of keys; wrote ` +
          `${rowsWritten} rows of ${touched.length} tables that differ`,
      ],
    };
  }

  /** The name may have been a view, a table or a sequence before. */
  #makingRoom(member: MemberInput): MemberInput {
    const name = member.table ?? member.object?.name ?? '';
    const { index } = this.#base;
    const drops = [
      ...index.objects
        .filter((object) => object.name === name && object.broken === undefined)
        .filter(({ type }) => type === 'view' || (type === 'sequence' && member.kind === 'table'))
        .map(({ type }) => `DROP ${type.toUpperCase()} IF EXISTS ${quoteIdentifier(name)};\n`),
      ...index.tables
        .filter((table) => table.name === name && member.kind !== 'table')
        .map(() => `DROP TABLE IF EXISTS ${quoteIdentifier(name)};\n`),
    ];
    if (drops.length === 0) return member;
    return {
      ...member,
      sql: Buffer.concat([Buffer.from(drops.join('')), member.sql]),
      statements: member.statements + drops.length,
    };
  }

  #readWhole(writer: ArchiveWriter, tables: readonly PlannedTable[]): Promise<TableResult[]> {
    return this.#read({ tables, writer });
  }

  /** Returns the number of rows written. */
  async #readRanges(writer: ArchiveWriter, changes: readonly TableChange[]): Promise<number> {
    const tables = changes.flatMap((change): PlannedTable[] => {
      if (change.kind !== 'ranges') return [];
      const split = { ...change.split, only: change.changed };
      return [{ ...change.result.planned, split }];
    });
    const results = await this.#read({ tables, writer, asMember: asChange });
    return results.reduce((rows, { digest }) => rows + digest.rows, 0);
  }

  async #read(
    request: Pick<Parameters<typeof readTables>[0], 'tables' | 'writer' | 'asMember'>,
  ): Promise<TableResult[]> {
    const { output } = this.#run.context;
    let done = 0;
    const results = await readTables({
      ...request,
      database: this.#reading.schema.name,
      snapshot: this.#reading.snapshot,
      keepTableLock: true,
      definitionsMayChange: this.#reading.definitionsMayChange,
      onRows: (rows) => {
        done += rows;
        output.progress({ activity: 'Writing changed rows', done, unit: 'rows' });
      },
    });
    output.progress(null);
    return results;
  }

  #goneTables(): ObjectDrop[] {
    const now = new Set(this.#reading.schema.tables.map((table) => table.name));
    const sequences = this.#reading.objects.filter(({ type }) => type === 'sequence');
    for (const { name } of sequences) now.add(name);
    return this.#base.index.tables
      .filter((table) => !now.has(table.name))
      .map(({ name }) => ({
        table: name,
        statements: [`DROP TABLE IF EXISTS ${quoteIdentifier(name)};`],
      }));
  }

  #newDefaults(): ObjectDrop[] {
    const { header } = this.#base.index;
    const defaults = defaultsOf(this.#reading.schema);
    // What the base does not say is not known to have changed.
    if (hasDefaults(defaults, header) && header.characterSet === defaults.characterSet) return [];
    const statement = `ALTER DATABASE ${defaultsClause(defaults)};`;
    return [{ table: null, statements: [statement] }];
  }

  /** Counters follow the rows that were deleted and inserted, and not the other way round. */
  #closing(changes: readonly TableChange[]): MemberInput {
    const before = new Map(this.#base.index.tables.map((table) => [table.name, table]));
    const counters = changes.flatMap((change) => {
      const { record } = plannedOf(change);
      const known = before.get(record.name)?.autoIncrement;
      const counter = counterAfterRows(record, change.kind, known);
      return counter === undefined ? [] : [{ table: record.name, counter }];
    });
    const { sql, statements, longestStatement } = closingSql(counters);
    return { kind: 'closing', sql, statements, longestStatement };
  }
}

function plannedOf(change: TableChange): PlannedTable {
  return change.kind === 'whole' ? change.planned : change.result.planned;
}

function nameOf(change: TableChange): string {
  return plannedOf(change).record.name;
}

/** The state of every table now: as compared, or as written anew. */
function inOrder(changes: readonly TableChange[], written: readonly TableResult[]): TableResult[] {
  const byName = new Map(written.map((result) => [result.planned.record.name, result]));
  return changes.flatMap((change) =>
    change.kind === 'whole' ? (byName.get(nameOf(change)) ?? []) : [change.result],
  );
}

function changeMember(marker: ComparedMarker, statements: readonly string[]): MemberInput {
  return {
    kind: 'change',
    sql: Buffer.concat([comparedMarkerLine(marker), Buffer.from(`${statements.join('\n')}\n`)]),
    statements: statements.length,
    longestStatement: Math.max(...statements.map((text) => Buffer.byteLength(text) + 1)),
  };
}

/**
 * All deletions of a table come before the first insertion: a value of a unique key may have moved
 * from one range to another.
 */
function deletionMember(change: Extract<TableChange, { kind: 'ranges' }>): MemberInput {
  const { name } = change.result.planned.record;
  const { key, ranges } = change.split;
  const statements = [...change.changed].flatMap((ordinal) => {
    const range = ranges[ordinal];
    if (range === undefined) return [];
    const where = whereRange(key?.columns ?? [], range);
    return [`DELETE FROM ${quoteIdentifier(name)}${where};`];
  });
  return changeMember({ table: name }, statements);
}

/** Rows of a range as `change` members, whose order in the file is kept. */
function asChange(input: MemberInput): MemberInput {
  const { sql, table = '', range, statements, longestStatement, compression, release } = input;
  const marker = { table, ...(range === undefined ? {} : { range }) };
  return {
    kind: 'change',
    sql: Buffer.concat([comparedMarkerLine(marker), sql]),
    statements,
    longestStatement,
    ...(compression === undefined ? {} : { compression }),
    ...(release === undefined ? {} : { release }),
  };
}
