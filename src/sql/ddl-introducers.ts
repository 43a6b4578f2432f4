/**
 * MySQL prints a literal of another character set as the bytes of that set behind an introducer
 * (`_latin1'…'`), in a text that is UTF-8 otherwise. No client could send or show such a text whole;
 * in hex the literal means the same and the text is UTF-8 throughout. Only right for a text that was
 * read with `character_set_results = NULL`: any other has lost these bytes already.
 */
import { applyEdits } from './ddl-text.js';
import type { Edit } from './ddl-text.js';
import { keywordOf, significantTokens } from './tokenizer.js';
import type { Token } from './tokenizer.js';

/** Literals in these are in UTF-8, like the text around them. */
const UTF8_INTRODUCERS = new Set(['_UTF8MB4', '_UTF8MB3', '_UTF8']);

/** `text` with every literal beyond ASCII behind such an introducer in hex. */
export function withHexLiterals(text: Uint8Array): Buffer {
  if (isAscii(text)) return Buffer.from(text);
  const tokens = significantTokens(text);
  const edits = tokens.flatMap((token, at) => editOf(text, tokens[at - 1], token));
  return applyEdits(text, edits);
}

function editOf(text: Uint8Array, before: Token | undefined, literal: Token): Edit[] {
  const introducer = keywordOf(text, before);
  if (before === undefined || !introducer.startsWith('_')) return [];
  if (literal.kind !== 'string' || UTF8_INTRODUCERS.has(introducer)) return [];
  const quoted = text.subarray(literal.start, literal.end);
  if (isAscii(quoted)) return [];
  const hex = unescaped(quoted.subarray(1, -1)).toString('hex').toUpperCase();
  return [{ start: before.end, end: literal.end, replacement: Buffer.from(` 0x${hex}`) }];
}

const ESCAPED: Readonly<Record<string, number>> = {
  '0': 0x00,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  b: 0x08,
  Z: 0x1a,
};

/** The bytes that the inside of a string in single quotes stands for; the server escapes by bytes. */
function unescaped(inside: Uint8Array): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < inside.length; at += 1) {
    const byte = inside[at] ?? 0;
    const next = inside[at + 1];
    if (byte === 0x5c && next !== undefined) {
      bytes.push(ESCAPED[String.fromCharCode(next)] ?? next);
      at += 1;
    } else {
      bytes.push(byte);
      if (byte === 0x27) at += 1; // a quote is doubled
    }
  }
  return Buffer.from(bytes);
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}
