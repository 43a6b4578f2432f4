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
 * - What has a point becomes a double: stable if just these digits identify it, in the range where
 *   doubles surely are printed without an exponent.
 */
export function isStableNumber(token: string): boolean {
  if (token.includes('e') || token.includes('E')) return true;
  if (!token.includes('.')) {
    const value = BigInt(token);
    return value >= INTEGER_MIN && value < INTEGER_END;
  }
  const value = Number(token);
  if (value === 0) return token === '0.0' || token === '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e15) return false;
  return token === (Number.isInteger(value) ? `${value}.0` : String(value));
}

/**
 * @param document the text of one JSON value as MySQL printed it.
 * @throws {ReshelveError} PROTOCOL where it is no such text.
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
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  minus: 0x2d,
  openArray: 0x5b,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

class NumberFinder {
  readonly #document: Buffer;
  readonly #found: UnstableNumber[] = [];
  readonly #levels: Level[] = [];
  #offset = 0;

  constructor(document: Buffer) {
    this.#document = document;
  }

  find(): readonly UnstableNumber[] {
    while (this.#offset < this.#document.length) this.#readToken();
    if (this.#levels.length > 0) throw malformedDocument();
    return this.#found;
  }

  #readToken(): void {
    const code = this.#document[this.#offset] ?? 0;
    if (code === CODE.quote) {
      this.#readString();
    } else if (code === CODE.minus || isDigit(code)) {
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
      if (this.#levels.pop() === undefined) throw malformedDocument();
    }
    if (code !== CODE.comma) return;
    const level = this.#levels.at(-1);
    if (level === undefined) throw malformedDocument();
    if (level.index !== undefined) level.index += 1;
    level.key = undefined;
  }

  #readString(): void {
    const start = this.#offset;
    let end = start + 1;
    while (this.#document[end] !== CODE.quote) {
      end += this.#document[end] === CODE.backslash ? 2 : 1;
      if (end >= this.#document.length) throw malformedDocument();
    }
    this.#offset = end + 1;
    const level = this.#levels.at(-1);
    if (level === undefined || level.index !== undefined) return;
    level.key ??= this.#document.subarray(start, this.#offset);
  }

  #readNumber(): void {
    const start = this.#offset;
    while (isNumberCode(this.#document[this.#offset] ?? 0)) this.#offset += 1;
    const number = this.#document.subarray(start, this.#offset);
    const token = number.toString('latin1');
    if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(token)) throw malformedDocument();
    if (!isStableNumber(token)) this.#found.push({ path: this.#path(), number });
  }

  #path(): Buffer {
    const legs: Buffer[] = [Buffer.from('$')];
    for (const { index, key } of this.#levels) {
      if (index !== undefined) legs.push(Buffer.from(`[${index}]`));
      else if (key !== undefined) legs.push(Buffer.from('.'), key);
      else throw malformedDocument();
    }
    return Buffer.concat(legs);
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Digits and the characters `+ - . e E`. */
function isNumberCode(code: number): boolean {
  return isDigit(code) || [0x2b, CODE.minus, 0x2e, 0x65, 0x45].includes(code);
}

function malformedDocument(): ReshelveError {
  return new ReshelveError('PROTOCOL', 'expected a JSON document but found one that is malformed');
}
