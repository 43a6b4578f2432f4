/**
 * Our INSERT statements back to row images: the inverse of the row encoder, typed and slow. The
 * kernel's parser does the same many times faster and is tested against this.
 */
import { ReshelveError } from '../errors.js';
import type { ColumnPlan } from './column-plan.js';
import { makeDigest, type TableDigest } from './digest.js';
import { xxh64 } from './digest-xxh64.js';
import { JSON_PATCH_OPENING } from './json-literal.js';
import { unquoteBytes, type UnquotedLiteral } from './literal-text.js';
import { formatRowImage } from './row-image.js';
import { BINARY_INTRODUCER, DEFAULT_LITERAL, encodeTuple, NULL_LITERAL } from './row-literal.js';

export interface ParsedInserts {
  /** One row image per row, in order. */
  readonly images: readonly Buffer[];
  readonly statements: number;
  /** In bytes, its `;` and line break included. */
  readonly longestStatement: number;
}

/**
 * Reads the whole SQL text of a data member. Strict: what is not byte for byte what the row encoder
 * writes for the rows found is an error.
 * @throws {ReshelveError} DAMAGED.
 */
export function parseInserts(
  sql: Buffer,
  insertPrefix: Buffer,
  columns: readonly ColumnPlan[],
): ParsedInserts {
  const images: Buffer[] = [];
  let statements = 0;
  let longestStatement = 0;
  let offset = 0;
  while (offset < sql.length) {
    const statementStart = offset;
    if (!startsWith(sql, offset, insertPrefix)) throw notCanonical(offset);
    offset += insertPrefix.length;
    let separator: string;
    do {
      const { image, end } = parseTuple(sql, offset, columns);
      images.push(image);
      separator = sql.toString('latin1', end, end + 2);
      if (separator !== ',\n' && separator !== ';\n') throw notCanonical(end);
      offset = end + 2;
    } while (separator === ',\n');
    statements += 1;
    longestStatement = Math.max(longestStatement, offset - statementStart);
  }
  return { images, statements, longestStatement };
}

export function digestImages(images: readonly Buffer[]): TableDigest {
  const hashes = images.map(xxh64);
  return makeDigest(
    images.length,
    hashes.reduce((sum, hash) => sum + hash, 0n),
    hashes.reduce((xor, hash) => xor ^ hash, 0n),
  );
}

/** A value, and the offset behind its literal. */
interface ParsedValue {
  readonly value: Buffer | null;
  readonly end: number;
}

/**
 * Reads the values leniently and then demands that encoding them gives the same text, which makes
 * the encoder the only place that says what is canonical.
 */
function parseTuple(
  sql: Buffer,
  start: number,
  columns: readonly ColumnPlan[],
): { image: Buffer; end: number } {
  const values: (Buffer | null)[] = [];
  let end = start;
  for (const plan of columns) {
    const parsed = parseValue(sql, end + 1, plan);
    if (parsed === undefined) throw notCanonical(end + 1);
    values.push(parsed.value);
    end = parsed.end;
  }
  end += 1;
  const image = formatRowImage(values);
  if (!isEncodingOf(image, columns, sql.subarray(start, end))) throw notCanonical(start);
  return { image, end };
}

/** Whether `text` is the one tuple that this image has. */
export function isEncodingOf(image: Buffer, columns: readonly ColumnPlan[], text: Buffer): boolean {
  try {
    return encodeTuple(image, columns).equals(text);
  } catch (error) {
    // An image that cannot be encoded, because it has a malformed number or document.
    if (error instanceof ReshelveError) return false;
    throw error;
  }
}

function parseValue(sql: Buffer, start: number, plan: ColumnPlan): ParsedValue | undefined {
  const nullLiteral = plan.encoding === 'default' ? DEFAULT_LITERAL : NULL_LITERAL;
  if (startsWith(sql, start, nullLiteral)) return { value: null, end: start + nullLiteral.length };
  switch (plan.encoding) {
    case 'number':
      return parseNumber(sql, start);
    case 'real':
      return parseReal(sql, start);
    case 'text':
      return toValue(unquoteBytes(sql, start));
    case 'binary':
      if (!startsWith(sql, start, BINARY_INTRODUCER)) return parseHexOrEmpty(sql, start);
      return toValue(unquoteBytes(sql, start + BINARY_INTRODUCER.length));
    case 'charset':
      return parseCharset(sql, start, plan);
    case 'json':
      return parseJson(sql, start);
    case 'default':
      return undefined;
  }
}

function parseNumber(sql: Buffer, start: number): ParsedValue {
  let end = start;
  while (end < sql.length && sql[end] !== 0x2c && sql[end] !== 0x29) end += 1;
  return { value: sql.subarray(start, end), end };
}

function parseReal(sql: Buffer, start: number): ParsedValue {
  const { value, end } = parseNumber(sql, start);
  const isAppended = value?.toString('latin1').endsWith('e0') ?? false;
  return { value: isAppended ? sql.subarray(start, end - 2) : value, end };
}

function parseHexOrEmpty(sql: Buffer, start: number): ParsedValue | undefined {
  if (sql.toString('latin1', start, start + 2) !== '0x') return toValue(unquoteBytes(sql, start));
  let end = start + 2;
  while (/[0-9A-F]/.test(String.fromCharCode(sql[end] ?? 0))) end += 1;
  return { value: Buffer.from(sql.toString('latin1', start + 2, end), 'hex'), end };
}

function parseCharset(sql: Buffer, start: number, plan: ColumnPlan): ParsedValue | undefined {
  const introducer = Buffer.from(`${plan.introducer ?? ''} `);
  const hasIntroducer = startsWith(sql, start, introducer);
  return parseHexOrEmpty(sql, hasIntroducer ? start + introducer.length : start);
}

/** The patches are skipped over: encoding the document again must make the same ones. */
function parseJson(sql: Buffer, start: number): ParsedValue | undefined {
  if (!startsWith(sql, start, JSON_PATCH_OPENING)) return toValue(unquoteBytes(sql, start));
  const document = unquoteBytes(sql, start + JSON_PATCH_OPENING.length);
  let end = document?.end ?? 0;
  while (document !== undefined && sql.toString('latin1', end, end + 2) === ', ') {
    const path = unquoteBytes(sql, end + 2);
    if (path === undefined) return undefined;
    end = path.end + 2;
    while (/[-0-9.]/.test(String.fromCharCode(sql[end] ?? 0))) end += 1;
  }
  return document && { value: document.bytes, end: end + 1 };
}

function toValue(literal: UnquotedLiteral | undefined): ParsedValue | undefined {
  return literal && { value: literal.bytes, end: literal.end };
}

function startsWith(sql: Buffer, offset: number, expected: Buffer): boolean {
  return sql.subarray(offset, offset + expected.length).equals(expected);
}

/** The position is that in the member's text; the text itself is row data and stays out. */
function notCanonical(offset: number): ReshelveError {
  return new ReshelveError(
    'DAMAGED',
    `expected rows as Reshelve writes them but found something else at byte ${offset}`,
  );
}
