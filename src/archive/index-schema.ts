/**
 * Validation of the index's JSON lines. Fields that are not known here are dropped: a later writer
 * may add some that readers can do without; whatever a reader must know raises the format number.
 */
import * as v from 'valibot';
import { CHAIN_METHODS, COLUMN_ENCODINGS, OBJECT_TYPES } from './index-types.js';
import type {
  BinlogState,
  ChainLink,
  ChangeEntry,
  ColumnEntry,
  IndexHeader,
  MemberEntry,
  ObjectEntry,
  RangeEntry,
  TableEntry,
} from './index-types.js';
import { MEMBER_KIND_CODES } from './member-kinds.js';
import type { MemberKind } from './member-kinds.js';

const text = v.string();
const name = v.pipe(text, v.minLength(1));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(text, v.regex(/^[0-9a-f]{64}$/));
const hash64 = v.pipe(text, v.regex(/^[0-9a-f]{16}$/));
const instant = v.pipe(text, v.isoTimestamp());
const names = v.pipe(v.array(name), v.minLength(1));
const literals = v.nullable(v.pipe(v.array(text), v.minLength(1)));

const objectReference = { type: v.picklist(OBJECT_TYPES), name };

const column: v.GenericSchema<ColumnEntry> = v.object({
  name,
  expression: name,
  encoding: v.picklist(COLUMN_ENCODINGS),
  introducer: v.exactOptional(name),
});

const coordinates = {
  binlogFile: v.nullable(name),
  binlogPosition: v.nullable(count),
  gtidSet: v.nullable(text),
};

const binlogState: v.GenericSchema<BinlogState> = v.object({
  fileCreatedAt: v.nullable(count),
  format: v.nullable(name),
  gtidMode: v.nullable(name),
  pendingXa: v.array(v.object({ xid: name, file: name, position: count })),
  unreplayable: v.nullable(name),
});

const chainLink: v.GenericSchema<ChainLink> = v.object({
  fullId: v.pipe(text, v.uuid()),
  previousId: v.pipe(text, v.uuid()),
  method: v.picklist(CHAIN_METHODS),
  from: v.object({ ...coordinates, serverUuid: v.nullable(name) }),
  segment: v.exactOptional(v.literal(true)),
  merged: v.exactOptional(v.array(v.pipe(text, v.uuid()))),
});

export const headerSchema: v.GenericSchema<IndexHeader> = v.object({
  id: v.pipe(text, v.uuid()),
  type: v.picklist(['full', 'incremental'] as const),
  database: name,
  characterSet: name,
  collation: name,
  defaultEncryption: v.exactOptional(v.boolean()),
  databaseComment: v.exactOptional(text),
  serverVersion: name,
  serverFlavour: name,
  serverUuid: v.nullable(name),
  toolVersion: name,
  startedAt: instant,
  snapshotAt: instant,
  finishedAt: instant,
  consistency: name,
  consistencyNote: text,
  coordinates: v.object(coordinates),
  binlog: v.exactOptional(binlogState),
  chain: v.exactOptional(chainLink),
  timeZone: text,
  sqlMode: text,
  warnings: v.array(v.object({ code: name, message: text })),
  totals: v.object({ rows: count, tables: count, sqlBytes: count, longestStatement: count }),
});

export const tableSchema: v.GenericSchema<TableEntry> = v.object({
  name,
  engine: name,
  transactional: v.boolean(),
  versioned: v.exactOptional(v.boolean()),
  autoIncrement: v.exactOptional(v.pipe(text, v.regex(/^[0-9]{1,20}$/))),
  definitionSha256: sha256,
  columns: v.array(column),
  key: v.nullable(names),
  rows: count,
  digest: v.object({ sum: hash64, xor: hash64 }),
});

export const rangeSchema: v.GenericSchema<RangeEntry> = v.object({
  table: name,
  ordinal: count,
  lower: literals,
  upper: literals,
  rows: count,
  sum: hash64,
  xor: hash64,
});

export const objectSchema: v.GenericSchema<ObjectEntry> = v.object({
  ...objectReference,
  table: v.exactOptional(name),
  definitionSha256: sha256,
  broken: v.exactOptional(text),
});

const microseconds = v.pipe(text, v.regex(/^[0-9]{1,20}$/));
const place = v.object({ binlogFile: name, position: count });

export const changeSchema: v.GenericSchema<ChangeEntry> = v.object({
  member: count,
  transactions: count,
  firstAt: microseconds,
  lastAt: microseconds,
  from: place,
  to: place,
  gtids: v.nullable(name),
  tables: v.array(
    v.object({ name, inserted: count, updated: count, deleted: count, ddl: v.boolean() }),
  ),
});

export const memberSchema: v.GenericSchema<MemberEntry> = v.object({
  number: count,
  kind: v.picklist(Object.keys(MEMBER_KIND_CODES) as MemberKind[]),
  offset: count,
  storedLength: count,
  sqlLength: count,
  sha256,
  table: v.exactOptional(name),
  object: v.exactOptional(v.object(objectReference)),
  range: v.exactOptional(count),
  rows: v.exactOptional(count),
  statements: count,
  longestStatement: count,
});

export const endSchema = v.object({
  tables: count,
  ranges: count,
  objects: count,
  /** Not in archives made before there were incrementals. */
  changes: v.exactOptional(count),
  members: count,
});

/** The value that `schema` accepts, or a sentence about the first field that it does not. */
export function validate<T>(
  schema: v.GenericSchema<T>,
  value: unknown,
): { readonly value: T } | { readonly problem: string } {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { value: result.output };
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? 'the value';
  return {
    problem: `${field}: expected ${issue.expected ?? 'another value'} but found ${issue.received}`,
  };
}
