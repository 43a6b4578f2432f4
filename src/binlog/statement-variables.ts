/** INTVAR, RAND and USER_VAR: values that the statement behind them was run with. */
import { quoteIdentifier } from '../sql/quote.js';
import { EVENT } from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';
import type { CollationNames } from './session-state.js';

/** The SET statement that such an event stands for; undefined for any other event. */
export function variableStatement(event: LogEvent, collations: CollationNames): string | undefined {
  const reader = new FieldReader(event.bytes, 19);
  switch (event.type) {
    case EVENT.intvar: {
      const isLastInsertId = reader.uint(1) === 1;
      return `SET ${isLastInsertId ? 'LAST_INSERT_ID' : 'INSERT_ID'} = ${reader.uint64()}`;
    }
    case EVENT.rand: {
      const first = reader.uint64();
      return `SET @@SESSION.RAND_SEED1 = ${first}, @@SESSION.RAND_SEED2 = ${reader.uint64()}`;
    }
    case EVENT.userVar:
      return userVariable(reader, collations);
    default:
      return undefined;
  }
}

const VALUE = { string: 0, real: 1, integer: 2, decimal: 4 } as const;
const UNSIGNED = 1;

function userVariable(reader: FieldReader, collations: CollationNames): string {
  const name = reader.take(reader.uint(4)).toString('utf8');
  const start = `SET @${quoteIdentifier(name)} := `;
  if (reader.uint(1) !== 0) return `${start}NULL`;
  const type = reader.uint(1);
  const collation = reader.uint(4);
  const value = reader.take(reader.uint(4));
  const flags = reader.remaining > 0 ? reader.uint(1) : 0;
  switch (type) {
    case VALUE.real:
      return start + realText(value.readDoubleLE(0));
    case VALUE.integer:
      return (
        start +
        String((flags & UNSIGNED) !== 0 ? value.readBigUInt64LE(0) : value.readBigInt64LE(0))
      );
    case VALUE.decimal:
      return start + decimalText(value);
    default: {
      const names = collations.get(collation) ?? { charset: 'utf8mb4', collation: 'utf8mb4_bin' };
      const literal = value.length === 0 ? "''" : `0x${value.toString('hex')}`;
      return `${start}_${names.charset} ${literal} COLLATE ${names.collation}`;
    }
  }
}

/** With an exponent, so that it is read as a double and no decimal. */
function realText(value: number): string {
  const text = String(value);
  return text.includes('e') ? text : `${text}e0`;
}

const BYTES_OF_DIGITS = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Precision, scale, then groups of nine digits big-endian; the first bit is inverted, negatives all. */
export function decimalText(bytes: Buffer): string {
  const precision = bytes[0] ?? 0;
  const scale = bytes[1] ?? 0;
  const data = Buffer.from(bytes.subarray(2));
  const isNegative = ((data[0] ?? 0) & 0x80) === 0;
  data[0] = (data[0] ?? 0) ^ 0x80;
  if (isNegative) for (const [at, byte] of data.entries()) data[at] = byte ^ 0xff;
  const whole = precision - scale;
  let at = 0;
  const group = (digits: number): string => {
    const width = BYTES_OF_DIGITS[digits] ?? 0;
    const value = width === 0 ? 0 : data.readUIntBE(at, width);
    at += width;
    return String(value).padStart(digits, '0');
  };
  let text = group(whole % 9);
  for (let left = Math.floor(whole / 9); left > 0; left -= 1) text += group(9);
  let fraction = '';
  for (let left = Math.floor(scale / 9); left > 0; left -= 1) fraction += group(9);
  fraction += scale % 9 === 0 ? '' : group(scale % 9);
  const digits = text.replace(/^0+(?=\d)/, '') || '0';
  return `${isNegative ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}`;
}
