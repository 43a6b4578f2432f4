/**
 * Values of row images beside what a SELECT gives of the row as it is now: whether they are the same to
 * the bit, and the value as a literal where it is part of a key.
 */
import { quoteIdentifier, quoteString } from '../sql/quote.js';
import { isSameJson } from './binary-json.js';
import { dateText, dateTimeText, timestampText, timeText } from './image-time.js';
import { FieldReader } from './reader.js';
import { decimalText } from './statement-variables.js';

/** A column's type as TABLE_MAP has it; `type` is the real one of ENUM and SET. */
export interface LoggedType {
  readonly type: number;
  /** Digits of fractions; precision and scale of DECIMAL. */
  readonly digits: number;
  readonly precision: number;
  /** Of BINARY: a value is logged without the zeros at its end. */
  readonly length: number;
}

/** What the table is now, by information_schema. */
export interface PresentColumn {
  readonly name: string;
  /** As in DATA_TYPE: `int`, `varchar`. */
  readonly dataType: string;
  readonly isUnsigned: boolean;
  /** Null where it holds no text. */
  readonly charset: string | null;
  /** Virtual columns are in no image, or have no weight in one. */
  readonly isGenerated: boolean;
}

const TYPE = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  longLong: 8,
  int24: 9,
  date: 10,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  dateTime2: 18,
  time2: 19,
  vector: 242,
  json: 245,
  decimal: 246,
  enum: 247,
  set: 248,
  blobs: [249, 250, 251, 252],
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** Types with one byte of metadata; those with two follow below, all others have none. */
const ONE_BYTE: ReadonlySet<number> = new Set([
  TYPE.float,
  TYPE.double,
  TYPE.timestamp2,
  TYPE.dateTime2,
  TYPE.time2,
  140,
  TYPE.vector,
  TYPE.json,
  ...TYPE.blobs,
  TYPE.geometry,
]);
const TWO_BYTES: ReadonlySet<number> = new Set([
  TYPE.varchar,
  141,
  TYPE.varString,
  TYPE.string,
  TYPE.bit,
  TYPE.decimal,
  TYPE.enum,
  TYPE.set,
]);

/** The types in a TABLE_MAP event. */
export function parseColumnTypes(mapBytes: Buffer): LoggedType[] {
  const reader = new FieldReader(mapBytes, 27);
  reader.take(reader.uint(1) + 1);
  reader.take(reader.uint(1) + 1);
  const types = [...reader.take(reader.lengthEncoded())];
  const metadata = new FieldReader(reader.take(reader.lengthEncoded()), 0);
  return types.map((type) => {
    const bytes = metadata.take(ONE_BYTE.has(type) ? 1 : TWO_BYTES.has(type) ? 2 : 0);
    const [first = 0, second = 0] = bytes;
    const isNamed = type === TYPE.string && (first === TYPE.enum || first === TYPE.set);
    const digits = type === TYPE.decimal ? second : first;
    return { type: isNamed ? first : type, digits, precision: first, length: second };
  });
}

const INTEGERS: Readonly<Record<string, number>> = {
  tinyint: TYPE.tiny,
  smallint: TYPE.short,
  mediumint: TYPE.int24,
  int: TYPE.long,
  bigint: TYPE.longLong,
};

const TEXTS = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);
const BINARIES = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);
const TEXT_TYPES: ReadonlySet<number> = new Set([
  TYPE.varchar,
  TYPE.varString,
  TYPE.string,
  ...TYPE.blobs,
]);
const GEOMETRIES =
  /^(?:geometry|geomcollection|(?:multi)?(?:point|linestring|polygon)|geometrycollection)$/;

/** Whether a logged value of the type can be compared with one of the column as it is now. */
export function isComparable({ type }: LoggedType, { dataType }: PresentColumn): boolean {
  if (dataType in INTEGERS) return INTEGERS[dataType] === type;
  if (TEXTS.has(dataType) || BINARIES.has(dataType)) return TEXT_TYPES.has(type);
  if (GEOMETRIES.test(dataType)) return type === TYPE.geometry;
  const expected: Readonly<Record<string, readonly number[]>> = {
    float: [TYPE.float],
    double: [TYPE.double],
    decimal: [TYPE.decimal],
    date: [TYPE.date, TYPE.newDate],
    year: [TYPE.year],
    bit: [TYPE.bit],
    timestamp: [TYPE.timestamp2],
    datetime: [TYPE.dateTime2],
    time: [TYPE.time2],
    vector: [TYPE.vector],
    json: [TYPE.json],
    enum: [TYPE.enum],
    set: [TYPE.set],
    uuid: [TYPE.string],
    inet4: [TYPE.string],
    inet6: [TYPE.string],
  };
  return expected[dataType]?.includes(type) ?? false;
}

/** The SELECT list item that {@link isSameValue} takes the answer of; for a session in UTC. */
export function readExpression({ name, dataType }: PresentColumn): string {
  const column = quoteIdentifier(name);
  if (dataType === 'inet4' || dataType === 'inet6') return `INET6_ATON(${column})`;
  if (TEXTS.has(dataType)) return `CAST(${column} AS BINARY)`;
  if (dataType === 'enum' || dataType === 'set' || dataType === 'bit') {
    return `CAST(${column} AS UNSIGNED)`;
  }
  if (dataType === 'float' || dataType === 'double') return `CAST(${column} AS DOUBLE)`;
  return column;
}

/** `read`: what the server answered. Both null is the same NULL. */
export function isSameValue(
  type: LoggedType,
  column: PresentColumn,
  image: Buffer | null,
  read: Buffer | null,
): boolean {
  if (image === null || read === null) return image === read;
  switch (type.type) {
    case TYPE.float:
      return Object.is(Number(read.toString('latin1')), image.readFloatLE(0));
    case TYPE.double:
      return Object.is(Number(read.toString('latin1')), image.readDoubleLE(0));
    case TYPE.json:
      return isSameJson(image, read.toString('utf8'));
    case TYPE.decimal:
      return withoutZeros(read.toString('latin1')) === plainText(type, column, image);
    default: {
      if (column.dataType === 'uuid') return uuidTexts(image).includes(read.toString('latin1'));
      const text = plainText(type, column, image);
      if (text === undefined) return isSameBytes(column, image, read);
      const found = read.toString('latin1');
      return isWhole(type) ? BigInt(found) === BigInt(text) : found === text;
    }
  }
}

/** BINARY is filled with zeros up to its length, whether or not they were logged; CHAR with spaces. */
function isSameBytes({ dataType }: PresentColumn, image: Buffer, read: Buffer): boolean {
  if (image.equals(read)) return true;
  if (!PADDED.has(dataType)) return false;
  const longer = image.length > read.length ? image : read;
  const shorter = longer === image ? read : image;
  return (
    longer.subarray(0, shorter.length).equals(shorter) &&
    longer.subarray(shorter.length).every((byte) => byte === 0)
  );
}

const PADDED: ReadonlySet<string> = new Set(['binary', 'inet4', 'inet6']);

/** MariaDB keeps a UUID as it is, or (versions 1 to 5) with its parts the other way round. */
function uuidTexts(image: Buffer): string[] {
  const whole = Buffer.concat([image, Buffer.alloc(Math.max(0, 16 - image.length))]);
  const part = (from: number, to: number): Buffer => whole.subarray(from, to);
  const turned = [part(12, 16), part(10, 12), part(8, 10), part(6, 8), part(0, 6)];
  return [whole, Buffer.concat(turned)].map((bytes) =>
    bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  );
}

/** A column with ZEROFILL prints zeros before the number. */
function withoutZeros(text: string): string {
  return text.replace(/^(-?)0+(?=\d)/, '$1');
}

function isWhole({ type }: LoggedType): boolean {
  return WHOLE.has(type);
}

const WHOLE: ReadonlySet<number> = new Set([
  ...Object.values(INTEGERS),
  TYPE.enum,
  TYPE.set,
  TYPE.bit,
]);

/** Numbers and times as text; undefined for types of bytes. */
function plainText(
  { type, digits, precision }: LoggedType,
  { isUnsigned }: PresentColumn,
  image: Buffer,
): string | undefined {
  switch (type) {
    case TYPE.tiny:
    case TYPE.short:
    case TYPE.int24:
    case TYPE.long:
      return String(
        isUnsigned ? image.readUIntLE(0, image.length) : image.readIntLE(0, image.length),
      );
    case TYPE.longLong:
      return String(isUnsigned ? image.readBigUInt64LE(0) : image.readBigInt64LE(0));
    case TYPE.enum:
      return String(image.readUIntLE(0, image.length));
    case TYPE.set:
      return String(BigInt(`0x${Buffer.from(image).reverse().toString('hex')}`));
    case TYPE.bit:
      return String(BigInt(`0x${image.toString('hex')}`));
    case TYPE.decimal:
      return decimalText(Buffer.concat([Buffer.from([precision, digits]), image]));
    case TYPE.year:
      return image[0] === 0 ? '0000' : String(1900 + (image[0] ?? 0));
    case TYPE.date:
    case TYPE.newDate:
      return dateText(image);
    case TYPE.timestamp2:
      return timestampText(image, digits);
    case TYPE.dateTime2:
      return dateTimeText(image, digits);
    case TYPE.time2:
      return timeText(image, digits);
    default:
      return undefined;
  }
}

/** A condition that holds for this value of a key column alone; undefined for types no key has. */
export function keyCondition(
  type: LoggedType,
  column: PresentColumn,
  image: Buffer,
): string | undefined {
  const name = quoteIdentifier(column.name);
  const text = plainText(type, column, image);
  if (type.type === TYPE.json) return undefined;
  if (column.dataType === 'uuid') return `${name} IN ('${uuidTexts(image).join("', '")}')`;
  if (column.dataType.startsWith('inet')) {
    return `${readExpression(column)} = X'${image.toString('hex')}'`;
  }
  if (type.type === TYPE.float || type.type === TYPE.double) {
    const value = type.type === TYPE.float ? image.readFloatLE(0) : image.readDoubleLE(0);
    return `CAST(${name} AS DOUBLE) = ${String(value)}${String(value).includes('e') ? '' : 'e0'}`;
  }
  if (text === undefined) {
    const isPadded = column.dataType === 'binary' && image.length < type.length;
    const zeros = Buffer.alloc(isPadded ? type.length - image.length : 0);
    const hex = Buffer.concat([image, zeros]).toString('hex');
    const literal = hex === '' ? "''" : `X'${hex}'`;
    return column.charset === null
      ? `${name} = ${literal}`
      : `${name} = _${column.charset} ${literal}`;
  }
  if (isWhole(type) && !(column.dataType in INTEGERS)) return `${readExpression(column)} = ${text}`;
  const isNumber = isWhole(type) || type.type === TYPE.decimal || type.type === TYPE.year;
  return `${name} = ${isNumber ? text : quoteString(text)}`;
}
