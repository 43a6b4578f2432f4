/**
 * JSON as a literal that leads back to the same document. MySQL parses a number with a point as a
 * DOUBLE, yet a document may hold exact DECIMALs, put there by functions; `1.10` would come back
 * as `1.1`. Such numbers are set again as exact decimals by JSON_SET around the document's text.
 * https://dev.mysql.com/doc/refman/9.7/en/json.html
 */
import { findUnstableNumbers } from './json-numbers.js';
import { quoteBytes } from './literal-text.js';

/** Opens the literal of a document that needs patches. */
export const JSON_PATCH_OPENING = Buffer.from('JSON_SET(');

const SEPARATOR = Buffer.from(', ');

/** @param document the text of one value as MySQL printed it. */
export function jsonLiteral(document: Buffer): Buffer {
  const text = quoteBytes(document);
  const patches = findUnstableNumbers(document);
  if (patches.length === 0) return text;
  const parts = [JSON_PATCH_OPENING, text];
  for (const { path, number } of patches) {
    parts.push(SEPARATOR, quoteBytes(path), SEPARATOR, number);
  }
  parts.push(Buffer.from(')'));
  return Buffer.concat(parts);
}
