/**
 * SHOW CREATE TABLE prints COLLATE at a column that has the table's own collation where that is not
 * the default of its character set; run again, the column would then count as explicitly collated,
 * and the server would print CHARACTER SET, too. Without the needless word the text comes back as
 * it was, and the column has the same collation either way.
 */
import { tableParts } from './ddl-table-parts.js';
import type { TableElement } from './ddl-table-parts.js';
import { applyEdits } from './ddl-text.js';
import type { DdlOptions, Edit } from './ddl-text.js';
import { keywordOf, operatorOf, significantTokens } from './tokenizer.js';

/** The text of SHOW CREATE TABLE without collations that its columns have from the table anyway. */
export function withoutImpliedCollations(text: Uint8Array, options: DdlOptions = {}): Buffer {
  const parts = tableParts(text, options);
  const at = parts?.optionWords.indexOf('COLLATE') ?? -1;
  const collation = parts?.optionWords.slice(at + 1).find((word) => word !== '');
  if (parts === undefined || at < 0 || collation === undefined) return Buffer.from(text);
  const edits = parts.elements.flatMap((element) => editOf(text, element, collation));
  return applyEdits(text, edits);
}

function editOf(text: Uint8Array, element: TableElement, collation: string): Edit[] {
  if (element.kind !== 'column') return [];
  const view = text.subarray(element.start, element.end);
  const tokens = significantTokens(view);
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    const operator = operatorOf(view, token);
    if (operator === '(') depth += 1;
    if (operator === ')') depth -= 1;
    if (depth > 0) continue;
    const word = keywordOf(view, token);
    if (word === 'CHARACTER' || word === 'DEFAULT' || word === 'COMMENT') return [];
    if (word !== 'COLLATE') continue;
    const previous = tokens[at - 1];
    const name = tokens[at + 1];
    if (previous === undefined || name === undefined) return [];
    if (keywordOf(view, name) !== collation) return [];
    return [
      {
        start: element.start + previous.end,
        end: element.start + name.end,
        replacement: new Uint8Array(),
      },
    ];
  }
  return [];
}
