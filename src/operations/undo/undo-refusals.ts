/** Why a transaction cannot be taken back, by what its tables are now. Pure, but for its inputs. */
import { isComparable } from '../../binlog/image-value.js';
import type { ForeignKey } from '../../mysql/foreign-keys.js';
import type { PresentFacts, PresentTable } from './undo-facts.js';
import type { UndoTable } from './undo-collector.js';

/** Each in words, for all tables. Columns that the log lacks are told even where no server answers. */
export function refusalsOf(
  tables: ReadonlyMap<string, UndoTable>,
  facts: PresentFacts | undefined,
  { isApplied }: { readonly isApplied: boolean },
): string[] {
  return [...tables.values()].flatMap((table) => {
    if (facts === undefined) return table.missing.size === 0 ? [] : [partialImages(table)];
    const present = facts.tables.get(table.name);
    if (present === undefined) return [`${table.name} is not there any more`];
    return [
      ...definitionRefusals(table, present),
      ...(isApplied ? applyRefusals(table, present) : []),
    ];
  });
}

/** What foreign keys of the storage engine did to other tables along with it is not in the log. */
export function hiddenChanges(
  tables: ReadonlyMap<string, UndoTable>,
  facts: PresentFacts,
): string[] {
  return [...tables.values()].flatMap((table) => {
    const present = facts.tables.get(table.name);
    return present === undefined ? [] : hiddenOf(table, present, facts.foreignKeys);
  });
}

function partialImages({ name }: UndoTable): string {
  return `${name}: the log holds parts of rows (binlog_row_image is not FULL)`;
}

function definitionRefusals(table: UndoTable, { columns, hiddenColumns }: PresentTable): string[] {
  const { name, types, missing } = table;
  if (columns.length + hiddenColumns !== types.length) {
    return [`${name} had ${types.length} columns then and has ${columns.length} now`];
  }
  const isPartial = [...missing].some((column) => columns[column]?.isGenerated === false);
  return isPartial ? [partialImages(table)] : [];
}

function applyRefusals({ name, types }: UndoTable, present: PresentTable): string[] {
  const { columns, engine, isTransactional, isVersioned, key } = present;
  const refusals: string[] = [];
  if (!isTransactional) refusals.push(`${name} cannot be rolled back (ENGINE=${engine})`);
  if (isVersioned) refusals.push(`${name} is system-versioned: its old rows would be changed`);
  if (key === undefined) return refusals;
  for (const [at, type] of types.entries()) {
    const column = columns[at];
    if (column === undefined || column.isGenerated || isComparable(type, column)) continue;
    refusals.push(
      `${name}: column ${column.name} (${column.dataType}) cannot be compared with what was logged`,
    );
  }
  return refusals;
}

function hiddenOf(
  { name, hidesDeletes, hiddenUpdates }: UndoTable,
  { columns }: PresentTable,
  keys: readonly ForeignKey[],
): string[] {
  return keys
    .filter(({ parentTable }) => parentTable === name)
    .filter(({ onDelete, onUpdate, parentColumns }) => {
      const isUpdated = parentColumns.some((parent) =>
        hiddenUpdates.has(columns.findIndex((column) => column.name === parent)),
      );
      return (
        (hidesDeletes && CHANGES_ALONG.has(onDelete)) || (isUpdated && CHANGES_ALONG.has(onUpdate))
      );
    })
    .map(
      ({ table, name: constraint }) =>
        `${table}: what the foreign key ${constraint} did to its rows along with those of ${name} is not in the log`,
    );
}

const CHANGES_ALONG: ReadonlySet<string> = new Set(['CASCADE', 'SET NULL', 'SET DEFAULT']);
