/**
 * How one column travels: the SQL that reads it, and how the bytes that the server then sends
 * become a literal. The row image (and so the content digest) is made of exactly these bytes, hence
 * a plan is part of the archive: the same expression must be used to read a restored table back.
 */
import { ReshelveError } from '../errors.js';
import { isTextSafeMemberList, parseMemberList } from './column-members.js';
import { quoteIdentifier } from './quote.js';

/** One row of information_schema.COLUMNS. */
export interface ColumnFacts {
  readonly name: string;
  /** DATA_TYPE, for example `varchar`. */
  readonly dataType: string;
  /** COLUMN_TYPE, for example `enum('a','b')`. */
  readonly columnType: string;
  /** CHARACTER_SET_NAME. */
  readonly characterSet: string | null;
  /** COLLATION_NAME. */
  readonly collation: string | null;
  /** GENERATION_EXPRESSION; MySQL has an empty string and MariaDB NULL where there is none. */
  readonly generationExpression: string | null;
  /** EXTRA. */
  readonly extra: string;
}

/**
 * How the text-protocol bytes of a value become its literal; NULL is `NULL` for all.
 * - `number`: the bytes themselves (integers, DECIMAL, the index of an ENUM, the mask of a SET).
 * - `real`: the bytes themselves, with `e0` appended where there is no exponent: without one the
 *   server would read a DECIMAL, which has no negative zero.
 * - `text`: a quoted utf8mb4 string, special bytes escaped.
 * - `binary`: upper-case hex up to 1 MiB, an escaped `_binary '…'` string above; `''` when empty.
 * - `json`: as `text`, wrapped in JSON_SET where a number would not survive being parsed again.
 * - `charset`: hex after an introducer (`_sjis 0x…`); `''` when empty.
 * - `default`: the word DEFAULT, for a column that takes nothing else; read as NULL.
 */
export type ColumnEncoding = 'number' | 'real' | 'text' | 'binary' | 'json' | 'charset' | 'default';

export interface ColumnPlan {
  readonly name: string;
  /** SQL for the SELECT list of a utf8mb4 session. */
  readonly expression: string;
  readonly encoding: ColumnEncoding;
  /** With the leading underscore; set for encoding `charset` and for no other. */
  readonly introducer?: string;
}

export type ServerFlavour = 'mysql' | 'mariadb';

const NUMBER_TYPES = words('tinyint smallint mediumint int integer bigint decimal numeric');
const TEXT_TYPES = words('char varchar tinytext text mediumtext longtext');
const TEMPORAL_TYPES = words('date time datetime timestamp year');
const BINARY_TYPES = words('binary varbinary tinyblob blob mediumblob longblob bit vector');
const GEOMETRY_TYPES = words(
  'geometry point linestring polygon multipoint multilinestring multipolygon',
  'geometrycollection geomcollection',
);
const MARIADB_TEXT_TYPES = words('uuid inet4 inet6');

/**
 * Character sets whose strings pass through a utf8mb4 session without losing a byte: each of their
 * byte sequences has a code point of its own, and that code point has no other one.
 */
const DIRECT_CHARACTER_SETS = words('utf8mb4 utf8mb3 utf8 latin1 ascii');

/**
 * The plans for a table's columns, in their order, generated ones left out. A table of nothing else
 * keeps one of them, so that there is something to select and to insert: the rows still count.
 *
 * @throws {ReshelveError} UNSUPPORTED as {@link planColumn}.
 */
export function planColumns(
  columns: readonly ColumnFacts[],
  flavour: ServerFlavour,
): readonly ColumnPlan[] {
  const plans = columns
    .map((column) => planColumn(column, flavour))
    .filter((plan) => plan !== undefined);
  const first = columns[0];
  if (plans.length > 0 || first === undefined) return plans;
  return [{ name: first.name, expression: 'NULL', encoding: 'default' }];
}

/**
 * The plan for one column, or `undefined` for a generated one: it takes no value on INSERT.
 *
 * @throws {ReshelveError} UNSUPPORTED for a type this version does not know, since guessing could
 * lose data.
 */
export function planColumn(column: ColumnFacts, flavour: ServerFlavour): ColumnPlan | undefined {
  if (isGenerated(column)) return undefined;
  const type = column.dataType.toLowerCase();
  const name = column.name;
  const expression = quoteIdentifier(name);
  if (type === 'enum' || type === 'set') return planMembers(column, expression);
  if (NUMBER_TYPES.has(type)) return { name, expression, encoding: 'number' };
  if (type === 'float' || type === 'double' || type === 'real') return planReal(column, expression);
  if (TEMPORAL_TYPES.has(type)) return { name, expression, encoding: 'text' };
  if (BINARY_TYPES.has(type) || GEOMETRY_TYPES.has(type)) {
    return { name, expression, encoding: 'binary' };
  }
  if (TEXT_TYPES.has(type)) return planText(column, expression);
  if (type === 'json' && flavour === 'mysql') return { name, expression, encoding: 'json' };
  if (flavour === 'mariadb' && MARIADB_TEXT_TYPES.has(type)) {
    return { name, expression, encoding: 'text' };
  }
  throw unsupportedType(column);
}

/**
 * EXTRA alone would not do: `DEFAULT_GENERATED` there means a default expression, and that column
 * does hold a value of its own.
 */
function isGenerated(column: ColumnFacts): boolean {
  if ((column.generationExpression ?? '') !== '') return true;
  return /\b(?:virtual|stored|persistent) generated\b/i.test(column.extra);
}

/**
 * The text of a FLOAT has only six digits, and that of a DOUBLE with a display width is rounded and
 * padded; as a plain DOUBLE both come with all the digits that tell them from their neighbours.
 */
function planReal({ name, columnType }: ColumnFacts, expression: string): ColumnPlan {
  const isPlainDouble = columnType.toLowerCase() === 'double';
  return {
    name,
    expression: isPlainDouble ? expression : `CAST(${expression} AS DOUBLE)`,
    encoding: 'real',
  };
}

function planText(column: ColumnFacts, expression: string): ColumnPlan {
  const { name, characterSet } = column;
  if (characterSet === null || !/^[a-z0-9_]+$/i.test(characterSet)) throw unsupportedType(column);
  if (DIRECT_CHARACTER_SETS.has(characterSet.toLowerCase())) {
    return { name, expression, encoding: 'text' };
  }
  return {
    name,
    expression: `CAST(${expression} AS BINARY)`,
    encoding: 'charset',
    introducer: `_${characterSet.toLowerCase()}`,
  };
}

/**
 * ENUM and SET are read by name where each name leads back to the same member, and by their number
 * otherwise: an empty member looks like the error value 0, and a character set or collation may
 * make two members one.
 */
function planMembers(column: ColumnFacts, expression: string): ColumnPlan {
  const { name, characterSet, collation } = column;
  const members = parseMemberList(column.columnType);
  const isDirect = DIRECT_CHARACTER_SETS.has((characterSet ?? '').toLowerCase());
  if (isDirect && members !== undefined && isTextSafeMemberList(members, collation)) {
    return { name, expression, encoding: 'text' };
  }
  return { name, expression: `CAST(${expression} AS UNSIGNED)`, encoding: 'number' };
}

function unsupportedType({ name, columnType, characterSet }: ColumnFacts): ReshelveError {
  const set = characterSet === null ? '' : ` character set ${characterSet}`;
  return new ReshelveError('UNSUPPORTED', `column ${name} has unknown type ${columnType}${set}`);
}

function words(...lists: string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(' ')));
}
