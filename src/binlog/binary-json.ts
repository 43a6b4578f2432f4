/**
 * MySQL's binary JSON beside the text that the server prints of a document: whether they are the same.
 * Layout: MySQL Source Code Documentation, "json_binary.h". Throws PROTOCOL for a damaged document.
 */
import { damagedEvent } from './event.js';
import { jsonTimeText } from './json-time.js';
import { decimalText } from './statement-variables.js';

const TYPE = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

/** As deep as the server lets documents be. */
const DEPTH_MAX = 120;

/** `text` in UTF-8 as a SELECT of the column gives it. */
export function isSameJson(binary: Buffer, text: string): boolean {
  // An update that ignored an error may leave no bytes at all; it reads as the JSON null.
  if (binary.length === 0) return text === 'null';
  const cursor = new TextCursor(text);
  return matches(binary, cursor, 0) && cursor.isAtEnd;
}

class TextCursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  /** The next string, unescaped; undefined where there is none. */
  string(): string | undefined {
    const token = this.#token(STRING);
    return token === undefined ? undefined : (JSON.parse(token) as string);
  }

  number(): string | undefined {
    return this.#token(NUMBER);
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.#at += token.length;
    return token;
  }
}

// eslint-disable-next-line no-control-regex -- the server may leave control characters as they are
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;
const NUMBER = /-?[0-9][0-9.eE+-]*/y;

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start < 0 || length < 0 || start + length > bytes.length) {
    throw damagedEvent('a JSON document points beyond its end');
  }
  return bytes.subarray(start, start + length);
}

/** `bytes`: the type and the value behind it. */
function matches(bytes: Buffer, text: TextCursor, depth: number): boolean {
  return matchesValue(slice(bytes, 0, 1)[0] ?? 0, bytes.subarray(1), text, depth);
}

function matchesValue(type: number, value: Buffer, text: TextCursor, depth: number): boolean {
  switch (type) {
    case TYPE.smallObject:
    case TYPE.largeObject:
    case TYPE.smallArray:
    case TYPE.largeArray:
      return matchesContainer(type, value, text, depth);
    case TYPE.literal:
      return text.take(['null', 'true', 'false'][slice(value, 0, 1)[0] ?? 3] ?? '?');
    case TYPE.double:
      return Object.is(Number(text.number()), slice(value, 0, 8).readDoubleLE(0));
    case TYPE.string: {
      const { length, at } = readLength(value, 0);
      return text.string() === slice(value, at, length).toString('utf8');
    }
    case TYPE.opaque:
      return matchesOpaque(value, text);
    default:
      return text.number() === integerText(type, value);
  }
}

function integerText(type: number, value: Buffer): string {
  switch (type) {
    case TYPE.int16:
      return String(slice(value, 0, 2).readInt16LE(0));
    case TYPE.uint16:
      return String(slice(value, 0, 2).readUInt16LE(0));
    case TYPE.int32:
      return String(slice(value, 0, 4).readInt32LE(0));
    case TYPE.uint32:
      return String(slice(value, 0, 4).readUInt32LE(0));
    case TYPE.int64:
      return String(slice(value, 0, 8).readBigInt64LE(0));
    case TYPE.uint64:
      return String(slice(value, 0, 8).readBigUInt64LE(0));
    default:
      throw damagedEvent(`a JSON value of the unknown type ${type}`);
  }
}

function matchesContainer(type: number, body: Buffer, text: TextCursor, depth: number): boolean {
  if (depth > DEPTH_MAX) throw damagedEvent('a JSON document is too deep');
  const isObject = type === TYPE.smallObject || type === TYPE.largeObject;
  const isLarge = type === TYPE.largeObject || type === TYPE.largeArray;
  const width = isLarge ? 4 : 2;
  const uint = (at: number): number => slice(body, at, width).readUIntLE(0, width);
  const count = uint(0);
  const keysAt = 2 * width;
  const valuesAt = keysAt + (isObject ? count * (width + 2) : 0);
  if (!text.take(isObject ? '{' : '[')) return false;
  for (let index = 0; index < count; index += 1) {
    if (index > 0 && !text.take(', ')) return false;
    if (isObject) {
      const entry = keysAt + index * (width + 2);
      const key = slice(body, uint(entry), slice(body, entry + width, 2).readUInt16LE(0));
      if (text.string() !== key.toString('utf8') || !text.take(': ')) return false;
    }
    const entry = valuesAt + index * (width + 1);
    const element = slice(body, entry, 1)[0] ?? 0;
    const at = isInlined(element, isLarge) ? entry + 1 : uint(entry + 1);
    if (!matchesValue(element, slice(body, at, body.length - at), text, depth + 1)) return false;
  }
  return text.take(isObject ? '}' : ']');
}

function isInlined(type: number, isLarge: boolean): boolean {
  if (type === TYPE.int32 || type === TYPE.uint32) return isLarge;
  return type === TYPE.literal || type === TYPE.int16 || type === TYPE.uint16;
}

/** Seven bits a byte, the lowest first. */
function readLength(
  value: Buffer,
  start: number,
): { readonly length: number; readonly at: number } {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = slice(value, start + index, 1)[0] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { length, at: start + index + 1 };
  }
  throw damagedEvent('a length in a JSON document is not valid');
}

const FIELD_TYPE_DECIMAL = 246;
const FIELD_TYPES_OF_TIME: ReadonlySet<number> = new Set([7, 10, 11, 12]);

function matchesOpaque(value: Buffer, text: TextCursor): boolean {
  const type = slice(value, 0, 1)[0] ?? 0;
  const { length, at } = readLength(value, 1);
  const data = slice(value, at, length);
  if (type === FIELD_TYPE_DECIMAL) return text.number() === decimalText(data);
  if (FIELD_TYPES_OF_TIME.has(type)) return text.string() === jsonTimeText(type, data);
  return text.string() === `base64:type${type}:${data.toString('base64')}`;
}
