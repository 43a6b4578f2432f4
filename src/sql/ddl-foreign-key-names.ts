/**
 * MariaDB's InnoDB prints the names of a foreign key without doubling the backticks inside them (seen
 * in 10.11.18; 10.11.19 doubles them): `` CONSTRAINT `a`b` … REFERENCES `t` (`c`d`) ``. What it
 * printed is found by printing the key in the same way, and is replaced by what it should have been.
 */
import { applyEdits } from './ddl-text.js';
import type { Edit } from './ddl-text.js';
import { quoteIdentifier } from './quote.js';

export interface ForeignKeyNames {
  readonly constraint: string;
  readonly columns: readonly string[];
  /** Database of the referenced table where it is another one than the key's own. */
  readonly referencedDatabase?: string;
  readonly referencedTable: string;
  readonly referencedColumns: readonly string[];
}

/** The definition with every one of `keys` quoted right; unchanged where the server did so itself. */
export function withQuotedForeignKeys(
  createTable: Buffer,
  keys: readonly ForeignKeyNames[],
): Buffer {
  const edits: Edit[] = [];
  for (const key of keys) {
    const printed = Buffer.from(`\n  ${clause(key, (name) => '`' + name + '`')}`);
    const start = createTable.lastIndexOf(printed);
    if (start === -1) continue;
    const replacement = Buffer.from(`\n  ${clause(key, quoteIdentifier)}`);
    edits.push({ start, end: start + printed.length, replacement });
  }
  return applyEdits(
    createTable,
    edits.sort((left, right) => left.start - right.start),
  );
}

/** The name of the referenced table is quoted right by every server. */
function clause(key: ForeignKeyNames, quote: (name: string) => string): string {
  const list = (names: readonly string[]): string => names.map(quote).join(', ');
  const database =
    key.referencedDatabase === undefined ? '' : `${quoteIdentifier(key.referencedDatabase)}.`;
  return (
    `CONSTRAINT ${quote(key.constraint)} FOREIGN KEY (${list(key.columns)}) ` +
    `REFERENCES ${database}${quoteIdentifier(key.referencedTable)} (${list(key.referencedColumns)})`
  );
}
