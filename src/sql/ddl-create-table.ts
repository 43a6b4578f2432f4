/** Puts off what is faster to build once the rows are there: secondary indexes and foreign keys. */
import { tableParts } from './ddl-table-parts.js';
import type { TableElement, TableParts } from './ddl-table-parts.js';
import { applyEdits } from './ddl-text.js';
import type { DdlOptions } from './ddl-text.js';

export interface SplitTable {
  /** The CREATE TABLE without what stands in the two lists; the whole text where those are empty. */
  readonly withoutSecondary: Buffer;
  /** `ADD KEY …` clauses for one ALTER TABLE, in the order that gives the same SHOW CREATE TABLE. */
  readonly addIndexes: string[];
  /** `ADD CONSTRAINT … FOREIGN KEY …` clauses, for an ALTER TABLE after all tables' indexes. */
  readonly addForeignKeys: string[];
}

export interface SplitTableOptions extends DdlOptions {
  /** Leave unique keys where they are, so that duplicates fail at once. Default true. */
  readonly keepUnique?: boolean;
  /** The server's; default `mariadb`, which is right for both but puts off fewer keys on MySQL. */
  readonly flavour?: 'mysql' | 'mariadb';
}

/**
 * Splits the text of SHOW CREATE TABLE. Only plain indexes of InnoDB tables over stored columns are
 * put off (and unique ones on request); kept in place are the key that AUTO_INCREMENT needs, indexes
 * over virtual columns and expressions, fulltext, spatial and vector indexes, and all indexes of
 * system-versioned tables.
 *
 * The server lists plain keys in order of creation, so no key is put off that stands before a kept one
 * of its class; but MySQL lists keys over virtual columns and expressions after all others.
 */
export function splitCreateTable(
  createTableText: Uint8Array,
  options: SplitTableOptions = {},
): SplitTable {
  const parts = tableParts(createTableText, options);
  const isText = Buffer.from(createTableText).equals(
    Buffer.from(Buffer.from(createTableText).toString()),
  );
  if (parts === undefined || !isText || !isPlainInnoDb(createTableText, parts)) {
    return { withoutSecondary: Buffer.from(createTableText), addIndexes: [], addForeignKeys: [] };
  }
  const foreignKeys = parts.elements.filter(({ kind }) => kind === 'foreign key');
  const indexes = movableIndexes(parts, options);
  return {
    withoutSecondary: without(createTableText, parts.elements, [...indexes, ...foreignKeys]),
    addIndexes: indexes.map((element) => addClause(createTableText, element)),
    addForeignKeys: foreignKeys.map((element) => addClause(createTableText, element)),
  };
}

function isPlainInnoDb(text: Uint8Array, { optionWords, elements }: TableParts): boolean {
  const engineAt = optionWords.indexOf('ENGINE');
  const isInnoDb = engineAt !== -1 && optionWords[engineAt + 2] === 'INNODB';
  const isVersioned = optionWords.includes('VERSIONING') || elements.some(isPeriod);
  return isInnoDb && !isVersioned;

  function isPeriod({ kind, start, end }: TableElement): boolean {
    const head = Buffer.from(text.subarray(start, end)).toString('latin1').slice(0, 12);
    return kind === 'other' && /^PERIOD\s/i.test(head);
  }
}

function movableIndexes({ elements }: TableParts, options: SplitTableOptions): TableElement[] {
  const { keepUnique = true, flavour = 'mariadb' } = options;
  const columns = elements.flatMap(({ column }) => column ?? []);
  const stored = new Set(columns.filter(({ isVirtual }) => !isVirtual).map(({ name }) => name));
  const isSimple = ({ keyColumns }: TableElement): boolean =>
    keyColumns?.every((name) => stored.has(name)) ?? false;
  const ofKind = (kind: string): TableElement[] =>
    elements.filter((element) => element.kind === kind);
  // Without a primary key a unique one orders the rows: building it later would copy the table.
  const maySplitUnique = !keepUnique && ofKind('primary').length > 0;
  const unique = maySplitUnique ? tailOf(ofKind('unique'), isSimple) : [];
  const plain = ofKind('key');
  const keys = flavour === 'mysql' ? plain.filter(isSimple) : tailOf(plain, isSimple);
  const auto = columns.find(({ isAutoIncrement }) => isAutoIncrement)?.name;
  if (auto === undefined) return [...unique, ...keys];
  return keepAutoIncrementKey(auto, elements, unique, keys);
}

/** The elements after the last one that has to stay. */
function tailOf(
  elements: readonly TableElement[],
  mayMove: (element: TableElement) => boolean,
): TableElement[] {
  return elements.slice(elements.findLastIndex((element) => !mayMove(element)) + 1);
}

function keepAutoIncrementKey(
  auto: string,
  elements: readonly TableElement[],
  unique: readonly TableElement[],
  keys: readonly TableElement[],
): TableElement[] {
  const moving = new Set([...unique, ...keys]);
  const isItsKey = ({ keyColumns }: TableElement): boolean => keyColumns?.[0] === auto;
  const staysCovered = elements.some((element) => isItsKey(element) && !moving.has(element));
  if (staysCovered) return [...unique, ...keys];
  if (unique.some(isItsKey)) return [...tailOf(unique, (element) => !isItsKey(element)), ...keys];
  const first = keys.findIndex(isItsKey);
  return [...unique, ...keys.slice(first + 1)];
}

function without(
  text: Uint8Array,
  elements: readonly TableElement[],
  removed: readonly TableElement[],
): Buffer {
  const edits = elements.flatMap((element, at) => {
    const before = elements[at - 1];
    if (before === undefined || !removed.includes(element)) return [];
    return [{ start: before.end, end: element.end, replacement: Buffer.alloc(0) }];
  });
  return applyEdits(text, edits);
}

function addClause(text: Uint8Array, { start, end }: TableElement): string {
  return `ADD ${Buffer.from(text.subarray(start, end)).toString()}`;
}
