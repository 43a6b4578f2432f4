/** Whether an ALTER TABLE takes rows or values away. Pure. */
import type { LexOptions } from './tokenizer.js';
import { keywordOf, significantTokens } from './tokenizer.js';

/** What DROP in an ALTER TABLE may be followed by without a value being lost. */
const HARMLESS: ReadonlySet<string> = new Set([
  'INDEX',
  'KEY',
  'PRIMARY',
  'FOREIGN',
  'CHECK',
  'CONSTRAINT',
  'DEFAULT',
  'SYSTEM',
  'PERIOD',
]);

/** A column dropped, or a partition dropped or truncated. Of a statement that is an ALTER TABLE. */
export function dropsPart(text: Uint8Array, options: LexOptions = {}): boolean {
  const words = significantTokens(text, options).map((token) => keywordOf(text, token));
  return words.some((word, at) => {
    const next = words[at + 1] ?? '';
    if (word === 'TRUNCATE') return next === 'PARTITION';
    return word === 'DROP' && !HARMLESS.has(next);
  });
}
