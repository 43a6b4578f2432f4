/** Which views, routines, triggers, events and sequences differ from the newest state of a chain. */
import type { MemberInput } from '../../archive/archive-writer.js';
import type { ObjectEntry } from '../../archive/index-types.js';
import type { StoredObject } from '../../mysql/schema.js';
import { LOAD_SQL_MODE } from '../../sql/archive-text.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { ChainArchives } from '../chains/chain-archives.js';
import { objectMemberSql, sequenceMemberSql } from '../dump/definitions.js';
import type { SnapshotReading } from '../dump/snapshot-reading.js';

export interface ComparedObjects {
  readonly sequences: readonly MemberInput[];
  /** In an order that loads. */
  readonly objects: readonly MemberInput[];
  /** Removes what is not there any more, and the triggers that must not fire. */
  readonly drops: readonly ObjectDrop[];
}

export interface ObjectDrop {
  /** Of a trigger; null for other objects. */
  readonly table: string | null;
  readonly statements: readonly string[];
}

/**
 * @param touched tables whose rows or definition will be written: their triggers are removed before
 * and made again behind, in their order
 */
export async function compareObjects(
  reading: SnapshotReading,
  base: ChainArchives,
  touched: ReadonlySet<string>,
): Promise<ComparedObjects> {
  const members = new Map(
    reading.objects.map((object) => [keyOf(object), memberOf(object, reading)]),
  );
  const changed = new Set<string>();
  for (const object of reading.objects) {
    const now = members.get(keyOf(object));
    if (now !== undefined && !(await isArchived(base, object, now))) changed.add(keyOf(object));
  }
  const before = base.index.objects;
  const triggerTables = new Set([
    ...touched,
    ...tablesOfChangedTriggers(before, reading.objects, changed),
  ]);
  const isWritten = (object: StoredObject): boolean =>
    changed.has(keyOf(object)) || triggerTables.has(object.table ?? '');
  const written = reading.objects.filter(isWritten);
  const take = (isSequence: boolean): MemberInput[] =>
    written
      .filter((object) => (object.type === 'sequence') === isSequence)
      .flatMap((object) => members.get(keyOf(object)) ?? []);
  return {
    sequences: take(true),
    objects: take(false),
    drops: before
      .filter((object) => object.broken === undefined && mustGo(object, reading, triggerTables))
      .map((object) => ({ table: object.table ?? null, statements: dropStatements(object) })),
  };
}

function memberOf(object: StoredObject, reading: SnapshotReading): MemberInput {
  return object.type === 'sequence'
    ? sequenceMemberSql(object)
    : objectMemberSql(object, reading.schema);
}

async function isArchived(
  base: ChainArchives,
  object: StoredObject,
  now: MemberInput,
): Promise<boolean> {
  const isListed = base.index.objects.some((entry) => keyOf(entry) === keyOf(object));
  const place = isListed ? base.object(object) : undefined;
  if (place === undefined) return false;
  return (await place.reader.readMember(place.member.number)).equals(now.sql);
}

/** Triggers of one table follow each other in an order, so they are made anew together. */
function tablesOfChangedTriggers(
  before: readonly ObjectEntry[],
  now: readonly StoredObject[],
  changed: ReadonlySet<string>,
): string[] {
  const left = new Set(now.map(keyOf));
  return [
    ...now.filter((object) => object.type === 'trigger' && changed.has(keyOf(object))),
    ...before.filter((object) => object.type === 'trigger' && !left.has(keyOf(object))),
  ].flatMap(({ table }) => table ?? []);
}

function mustGo(
  object: ObjectEntry,
  reading: SnapshotReading,
  triggerTables: ReadonlySet<string>,
): boolean {
  if (object.type === 'trigger' && triggerTables.has(object.table ?? '')) return true;
  // The member of the table that took the name of a view has removed that view.
  const isTaken = reading.schema.tables.some(({ name }) => name === object.name);
  const becameSequence = reading.objects.some(
    ({ type, name }) => type === 'sequence' && name === object.name && object.type === 'view',
  );
  if ((object.type === 'view' || object.type === 'sequence') && isTaken) return false;
  if (becameSequence) return false;
  const now = reading.objects.find((candidate) => keyOf(candidate) === keyOf(object));
  return now === undefined || now.broken !== undefined;
}

/** MariaDB knows packages only under ORACLE. */
function dropStatements({ type, name }: ObjectEntry): string[] {
  const drop = `DROP ${type.toUpperCase()} IF EXISTS ${quoteIdentifier(name)};`;
  if (!type.startsWith('package')) return [drop];
  return ["SET SESSION sql_mode = 'ORACLE';", drop, `SET SESSION sql_mode = '${LOAD_SQL_MODE}';`];
}

function keyOf(object: { readonly type: string; readonly name: string }): string {
  return `${object.type} ${object.name}`;
}
