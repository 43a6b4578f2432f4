/** MariaDB prints the database in front of a sequence that a column's default uses. */
import { applyEdits } from './ddl-text.js';
import type { Edit } from './ddl-text.js';
import { identifierOf, keywordOf, operatorOf, significantTokens } from './tokenizer.js';

const SEQUENCE_FUNCTIONS = new Set(['NEXTVAL', 'LASTVAL', 'SETVAL']);

/** The text without `` `database`. `` in front of the sequences in its defaults. */
export function stripSequenceDatabase(text: Uint8Array, database: string): Buffer {
  const tokens = significantTokens(text);
  const edits: Edit[] = [];
  for (const [at, token] of tokens.entries()) {
    if (!SEQUENCE_FUNCTIONS.has(keywordOf(text, token))) continue;
    const [open, name, dot] = tokens.slice(at + 1, at + 4);
    if (operatorOf(text, open) !== '(' || operatorOf(text, dot) !== '.') continue;
    if (identifierOf(text, name) !== database || name === undefined || dot === undefined) continue;
    edits.push({ start: name.start, end: dot.end, replacement: new Uint8Array() });
  }
  return applyEdits(text, edits);
}
