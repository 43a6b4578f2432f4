/** Quoted and hexadecimal literals, to and from the bytes they stand for. */

/** The byte after the backslash, by the byte that it stands for. */
const ESCAPE_LETTERS: ReadonlyMap<number, number> = new Map([
  [0x00, 0x30], // \0
  [0x0a, 0x6e], // \n
  [0x0d, 0x72], // \r
  [0x1a, 0x5a], // \Z
  [0x27, 0x27], // \'
  [0x5c, 0x5c], // \\
]);
const ESCAPED_BYTES: ReadonlyMap<number, number> = new Map(
  [...ESCAPE_LETTERS].map(([byte, letter]) => [letter, byte]),
);

const QUOTE = 0x27;
const BACKSLASH = 0x5c;

/** `bytes` in single quotes, with each byte that could end the literal or its line escaped. */
export function quoteBytes(bytes: Buffer): Buffer {
  let escapes = 0;
  for (const byte of bytes) if (ESCAPE_LETTERS.has(byte)) escapes += 1;
  const literal = Buffer.allocUnsafe(bytes.length + escapes + 2);
  let position = literal.writeUInt8(QUOTE, 0);
  for (const byte of bytes) {
    const letter = ESCAPE_LETTERS.get(byte);
    if (letter !== undefined) position = literal.writeUInt8(BACKSLASH, position);
    position = literal.writeUInt8(letter ?? byte, position);
  }
  literal.writeUInt8(QUOTE, position);
  return literal;
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
      byte = ESCAPED_BYTES.get(sql[offset] ?? 0);
    } else if (byte !== undefined && ESCAPE_LETTERS.has(byte)) {
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
