/** SQL text for the corpus and the oracle; written apart from src/sql on purpose. */

/** Quotes an identifier with backticks. */
export function quoteName(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`';
}

/** A string literal that means the same under every sql_mode and character set: hex of UTF-8. */
export function textLiteral(text: string): string {
  const hex = Buffer.from(text, 'utf8').toString('hex');
  return hex === '' ? "''" : `_utf8mb4 0x${hex}`;
}

/** A plain quoted literal for DDL clauses that take no expression (COMMENT, ENUM members). */
export function quotedLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

/** A binary literal; empty bytes need the quoted form, as `0x` alone is an identifier. */
export function hexLiteral(bytes: Uint8Array): string {
  return bytes.length === 0 ? "''" : `0x${Buffer.from(bytes).toString('hex')}`;
}

/** The bytes as a literal of that character set, unconverted: `_sjis 0x835C`. */
export function charsetLiteral(charset: string, bytes: Uint8Array): string {
  return bytes.length === 0 ? "''" : `_${charset} ${hexLiteral(bytes)}`;
}

/** `INSERT INTO name (columns) VALUES rows`; an empty column list leaves the list out. */
export function insert(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const list = columns.length === 0 ? '' : ` (${columns.map(quoteName).join(', ')})`;
  const values = rows.map((row) => `(${row.join(', ')})`).join(',\n');
  return `INSERT INTO ${quoteName(table)}${list} VALUES\n${values}`;
}

/** Splits rows into inserts of at most `rowsPerStatement` rows. */
export function inserts(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  rowsPerStatement = 1000,
): string[] {
  const statements: string[] = [];
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    statements.push(insert(table, columns, rows.slice(start, start + rowsPerStatement)));
  }
  return statements;
}

/** Bytes `from` to `to`, both included. */
export function byteRange(from: number, to: number): Buffer {
  return Buffer.from(Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

/** Deterministic 32-bit numbers (xorshift32), so that every load is the same. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** Deterministic bytes without any pattern that compresses. */
export function randomBytes(length: number, seed: number): Buffer {
  const next = randomNumbers(seed);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index += 1) words[index] = next();
  return Buffer.from(words.buffer, 0, length);
}
