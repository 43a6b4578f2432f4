/** Finds the numbers in a JSON document that would not print the same after being parsed again. */
import { ReshelveError } from '../errors.js';

export interface UnstableNumber {
  /** A JSON path, `$."key"[0]`. */
  readonly path: Buffer;
  /** The number's text, digits and at most a sign and a point: fit to stand in SQL. */
  readonly number: Buffer;
}

const INTEGER_MIN = -(2n ** 63n);
const INTEGER_END = 2n ** 64n;

/**
 * Whether MySQL parses `token` to a number that it prints as `token` again.
 *
 * - Integers are kept as such while they fit 64 bits, signed or not; beyond, they become doubles.
 * - Only doubles are ever printed with an exponent, with the fewest digits that identify them.
 * - What has a point becomes a double, and is stable if that is printed so.
 */
export function isStableNumber(token: string): boolean {
  if (token.includes('e') || token.includes('E')) return true;
  if (token.includes('.')) {
    if (token.endsWith('0') && !token.endsWith('.0')) return false;
    const value = Number(token);
    // The first comparison is the quick one, right for nearly all; see below for what it lacks.
    return token === String(value) || token === printDouble(value);
  }
  const value = BigInt(token);
  return value >= INTEGER_MIN && value < INTEGER_END;
}

/**
 * A double as MySQL prints it in JSON: the fewest digits that identify it; without an exponent from
 * 1e-15 on to below 1e15, and up to where doubles have no fraction any more if it has one. Found
 * by comparing with servers; `undefined` where an exponent is printed.
 */
function printDouble(value: number): string | undefined {
  const [digits = '', exponentText] = Math.abs(value).toExponential().replace('.', '').split('e');
  const exponent = Number(exponentText);
  const isInteger = Number.isInteger(value);
  if (exponent < -15 || exponent >= (isInteger ? 15 : 16)) return undefined;
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const fraction = isInteger ? '0' : digits.slice(exponent + 1);
  return `${sign}${digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')}.${fraction}`;
}

/**
 * @param document the text of one JSON value as MySQL printed it.
 * @throws {ReshelveError} PROTOCOL where it has such numbers and is no JSON, so that they have no
 * place. Text without them is not judged: it can stand as it is.
 */
export function findUnstableNumbers(document: Buffer): readonly UnstableNumber[] {
  return new NumberFinder(document).find();
}

/** Where the finder is inside one array or object. */
interface Level {
  /** Index of the current element; `undefined` in an object. */
  index: number | undefined;
  /** The key as printed, quotes included, once it was read. */
  key: Buffer | undefined;
}

const CODE = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  digitZero: 0x30,
  digitNine: 0x39,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

class NumberFinder {
  readonly #document: Buffer;
  readonly #found: UnstableNumber[] = [];
  readonly #levels: Level[] = [];
  #offset = 0;
  #isMalformed = false;

  constructor(document: Buffer) {
    this.#document = document;
  }

  find(): readonly UnstableNumber[] {
    while (this.#offset < this.#document.length) this.#readToken();
    if (this.#levels.length > 0) this.#isMalformed = true;
    if (this.#isMalformed && this.#found.length > 0) {
      throw new ReshelveError('PROTOCOL', 'expected a JSON document but found a malformed one');
    }
    return this.#found;
  }

  #readToken(): void {
    const code = this.#document[this.#offset] ?? 0;
    if (code === CODE.quote) {
      this.#readString();
    } else if (isDigit(code)) {
      this.#readNumber();
    } else {
      this.#readPunctuation(code);
      this.#offset += 1;
    }
  }

  #readPunctuation(code: number): void {
    if (code === CODE.openArray) this.#levels.push({ index: 0, key: undefined });
    if (code === CODE.openObject) this.#levels.push({ index: undefined, key: undefined });
    if (code === CODE.closeArray || code === CODE.closeObject) {
      if (this.#levels.pop() === undefined) this.#isMalformed = true;
    }
    const level = this.#levels.at(-1);
    if (code !== CODE.comma || level === undefined) return;
    if (level.index !== undefined) level.index += 1;
    level.key = undefined;
  }

  #readString(): void {
    const start = this.#offset;
    let end = start + 1;
    while (end < this.#document.length && this.#document[end] !== CODE.quote) {
      end += this.#document[end] === CODE.backslash ? 2 : 1;
    }
    if (end >= this.#document.length) this.#isMalformed = true;
    this.#offset = end + 1;
    const level = this.#levels.at(-1);
    if (level === undefined || level.index !== undefined) return;
    level.key ??= this.#document.subarray(start, this.#offset);
  }

  #readNumber(): void {
    const start = this.#document[this.#offset - 1] === CODE.minus ? this.#offset - 1 : this.#offset;
    const end = this.#numberEnd(this.#offset);
    const number = this.#document.subarray(start, end);
    this.#offset = end;
    if (!isStableNumber(number.toString('latin1'))) {
      this.#found.push({ path: this.#path(), number });
    }
  }

  #numberEnd(start: number): number {
    let end = this.#digitsEnd(start);
    if (this.#document[end] === 0x2e) end = this.#digitsEnd(end + 1);
    if (((this.#document[end] ?? 0) | 0x20) !== 0x65) return end;
    end += 1;
    const sign = this.#document[end];
    return this.#digitsEnd(sign === 0x2b || sign === CODE.minus ? end + 1 : end);
  }

  #digitsEnd(start: number): number {
    let end = start;
    while (isDigit(this.#document[end] ?? 0)) end += 1;
    return end;
  }

  #path(): Buffer {
    const legs: Buffer[] = [Buffer.from('$')];
    for (const { index, key } of this.#levels) {
      if (index !== undefined) legs.push(Buffer.from(`[${index}]`));
      else if (key !== undefined) legs.push(Buffer.from('.'), key);
      else this.#isMalformed = true;
    }
    return Buffer.concat(legs);
  }
}

function isDigit(code: number): boolean {
  return code >= CODE.digitZero && code <= CODE.digitNine;
}
