/**
 * The typed, slow way from a row image to its tuple. The kernel does the same many times faster and
 * is tested against this; rows whose JSON needs patches are always written here.
 */
import { assert, ReshelveError } from '../errors.js';
import type { ColumnPlan } from './column-plan.js';
import { jsonLiteral } from './json-literal.js';
import { hexLiteral, quoteBytes } from './literal-text.js';
import { parseRowImage } from './row-image.js';

/**
 * Up to this length binary values are written in hexadecimal, which every tool displays and edits
 * unharmed; above it raw, so that the statement needs no more than the row's own size.
 */
export const BINARY_HEX_BYTES_MAX = 2 ** 20;

/** What follows `introducer` opens a raw binary string. */
export const BINARY_INTRODUCER = Buffer.from('_binary ');

export const NULL_LITERAL = Buffer.from('NULL');
export const DEFAULT_LITERAL = Buffer.from('DEFAULT');
const COMMA = Buffer.from(',');

/**
 * `(…)` for one row, without separator.
 * @throws {ReshelveError} PROTOCOL where the image does not fit the columns.
 */
export function encodeTuple(image: Buffer, columns: readonly ColumnPlan[]): Buffer {
  const parts: Buffer[] = [Buffer.from('(')];
  parseRowImage(image, columns.length).forEach((value, index) => {
    const plan = columns[index];
    assert(plan !== undefined, 'a row has one value per column');
    if (index > 0) parts.push(COMMA);
    parts.push(encodeValue(value, plan));
  });
  parts.push(Buffer.from(')'));
  return Buffer.concat(parts);
}

/** The literal for one value as the server printed it. */
export function encodeValue(value: Buffer | null, plan: ColumnPlan): Buffer {
  if (value === null) return plan.encoding === 'default' ? DEFAULT_LITERAL : NULL_LITERAL;
  switch (plan.encoding) {
    case 'number':
      return numberLiteral(value, plan);
    case 'real':
      return realLiteral(value, plan);
    case 'text':
      return quoteBytes(value);
    case 'binary':
      return binaryLiteral(value);
    case 'charset':
      assert(plan.introducer !== undefined, 'a charset column has an introducer');
      if (value.length === 0) return quoteBytes(value);
      return Buffer.concat([Buffer.from(`${plan.introducer} `), hexLiteral(value)]);
    case 'json':
      return jsonLiteral(value);
    case 'default':
      throw new ReshelveError('PROTOCOL', `expected NULL in column ${plan.name} but found a value`);
  }
}

function binaryLiteral(value: Buffer): Buffer {
  if (value.length === 0) return quoteBytes(value);
  if (value.length <= BINARY_HEX_BYTES_MAX) return hexLiteral(value);
  return Buffer.concat([BINARY_INTRODUCER, quoteBytes(value)]);
}

/** Nothing but digits and points goes unquoted into the SQL, whatever the server sent. */
function numberLiteral(value: Buffer, plan: ColumnPlan): Buffer {
  if (!/^-?[0-9.]+$/.test(value.toString('latin1'))) throw notANumber(plan);
  return value;
}

function realLiteral(value: Buffer, plan: ColumnPlan): Buffer {
  const text = value.toString('latin1');
  // An exponent of zero is never printed, and would look like the one appended here.
  if (!/^-?[0-9.e+-]+$/.test(text) || text.endsWith('e0')) throw notANumber(plan);
  return text.includes('e') ? value : Buffer.from(`${text}e0`, 'latin1');
}

function notANumber({ name }: ColumnPlan): ReshelveError {
  return new ReshelveError(
    'PROTOCOL',
    `expected a number in column ${name} but found other characters`,
  );
}
