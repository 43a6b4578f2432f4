/** The bytes that mean something to the tokenizer, and their classes. */

export const NUL = 0x00;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const DOLLAR = 0x24;
export const QUOTE = 0x27;
export const STAR = 0x2a;
export const PLUS = 0x2b;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const NEWLINE = 0x0a;
export const BANG = 0x21;
export const AT = 0x40;
export const UPPER_M = 0x4d;
export const BACKSLASH = 0x5c;
export const BACKTICK = 0x60;

const SPACE_BYTE = 1;
const WORD_BYTE = 2;
const DIGIT_BYTE = 4;

const BYTE_CLASS = ((): Uint8Array => {
  const table = new Uint8Array(256);
  for (const byte of [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]) table[byte] = SPACE_BYTE;
  table.fill(WORD_BYTE, 0x41, 0x5b);
  table.fill(WORD_BYTE, 0x61, 0x7b);
  table.fill(WORD_BYTE, 0x80, 0x100);
  table.fill(WORD_BYTE | DIGIT_BYTE, 0x30, 0x3a);
  table[0x24] = WORD_BYTE; // $
  table[0x5f] = WORD_BYTE; // _
  return table;
})();

export function isSpace(byte: number): boolean {
  return BYTE_CLASS[byte] === SPACE_BYTE;
}

export function isWord(byte: number): boolean {
  return ((BYTE_CLASS[byte] ?? 0) & WORD_BYTE) !== 0;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

export function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}
