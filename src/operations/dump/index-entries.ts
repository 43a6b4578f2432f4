/** What the index says of tables, ranges and objects, made of what was read. */
import { createHash } from 'node:crypto';
import type { ObjectEntry, RangeEntry, TableEntry } from '../../archive/index-types.js';
import type { StoredObject } from '../../mysql/schema.js';
import { autoIncrementOf, withoutDatabase } from './definitions.js';
import type { TableResult } from './read-tables.js';

export function tableEntry(result: TableResult): TableEntry {
  const { record, columns } = result.planned;
  const counter = autoIncrementOf(record);
  return {
    name: record.name,
    engine: record.engine,
    transactional: record.transactional,
    ...(counter === undefined ? {} : { autoIncrement: counter }),
    ...(record.kind === 'system-versioned' ? { versioned: true } : {}),
    definitionSha256: sha256(record.createStatement),
    columns: columns.map(({ name, expression, encoding, introducer }) => ({
      name,
      expression,
      encoding,
      ...(introducer === undefined ? {} : { introducer }),
    })),
    key: result.key,
    rows: result.digest.rows,
    digest: { sum: result.digest.sum, xor: result.digest.xor },
  };
}

export function rangeEntries(result: TableResult): RangeEntry[] {
  return result.ranges.map(({ range, digest }, ordinal) => ({
    table: result.planned.record.name,
    ordinal,
    lower: range.lower,
    upper: range.upper,
    rows: digest.rows,
    sum: digest.sum,
    xor: digest.xor,
  }));
}

export function objectEntry(object: StoredObject, database: string): ObjectEntry {
  return {
    type: object.type,
    name: object.name,
    ...(object.table === undefined ? {} : { table: object.table }),
    definitionSha256: sha256(withoutDatabase(object, database)),
    ...(object.broken === undefined ? {} : { broken: object.broken }),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
