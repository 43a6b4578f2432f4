/** Quoted and hexadecimal literals, to and from the bytes they stand for. */

/** The letter after the backslash, by the character that it stands for. */
const ESCAPE_LETTERS: ReadonlyMap<string, string> = new Map([
  ['\0', '0'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\x1a', 'Z'],
  ["'", "'"],
  ['\\', '\\'],
]);
const ESCAPED_CODES: ReadonlySet<number> = new Set(
  [...ESCAPE_LETTERS.keys()].map((character) => character.charCodeAt(0)),
);
const CODES_BY_LETTER: ReadonlyMap<number, number> = new Map(
  [...ESCAPE_LETTERS].map(([character, letter]) => [letter.charCodeAt(0), character.charCodeAt(0)]),
);

/** Values are escaped in slices: a string cannot be as long as a value can. */
const SLICE_BYTES = 2 ** 20;

const QUOTE = 0x27;
const BACKSLASH = 0x5c;

/** `bytes` in single quotes, with each byte that could end the literal or its line escaped. */
export function quoteBytes(bytes: Buffer): Buffer {
  if (bytes.length <= SLICE_BYTES) return Buffer.from(`'${escapeSlice(bytes)}'`, 'latin1');
  const parts: Buffer[] = [Buffer.of(QUOTE)];
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    const slice = bytes.subarray(start, start + SLICE_BYTES);
    parts.push(Buffer.from(escapeSlice(slice), 'latin1'));
  }
  parts.push(Buffer.of(QUOTE));
  return Buffer.concat(parts);
}

function escapeSlice(bytes: Buffer): string {
  // eslint-disable-next-line no-control-regex -- these control characters are the ones to escape
  return bytes.toString('latin1').replace(/[\0\n\r\x1a'\\]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\${ESCAPE_LETTERS.get(character) ?? character}`;
}

export interface UnquotedLiteral {
  readonly bytes: Buffer;
  /** Offset behind the closing quote. */
  readonly end: number;
}

/**
 * Reads the literal that opens at `start`; `undefined` where there is none that
 * {@link quoteBytes} could have written up to its end.
 */
export function unquoteBytes(sql: Buffer, start: number): UnquotedLiteral | undefined {
  if (sql[start] !== QUOTE) return undefined;
  const bytes = Buffer.allocUnsafe(Math.max(0, literalLengthMax(sql, start)));
  let length = 0;
  for (let offset = start + 1; offset < sql.length; offset += 1) {
    let byte = sql[offset];
    if (byte === QUOTE) return { bytes: bytes.subarray(0, length), end: offset + 1 };
    if (byte === BACKSLASH) {
      offset += 1;
      byte = CODES_BY_LETTER.get(sql[offset] ?? 0);
    } else if (byte !== undefined && ESCAPED_CODES.has(byte)) {
      return undefined;
    }
    if (byte === undefined) return undefined;
    bytes[length] = byte;
    length += 1;
  }
  return undefined;
}

/** No literal goes past the end of its line. */
function literalLengthMax(sql: Buffer, start: number): number {
  const lineEnd = sql.indexOf(0x0a, start);
  return (lineEnd === -1 ? sql.length : lineEnd) - start;
}

/** `0x` and upper-case digits. Not for empty bytes: `0x` alone is not a literal. */
export function hexLiteral(bytes: Buffer): Buffer {
  return Buffer.from(`0x${bytes.toString('hex').toUpperCase()}`, 'latin1');
}
