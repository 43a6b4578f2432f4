/**
 * MariaDB's system-versioned tables keep the time of each row in two columns of the server's own;
 * with their history the times must come back, too.
 */
import { ReshelveError } from '../../errors.js';
import type { TableRecord } from '../../mysql/schema.js';
import type { ColumnPlan } from '../../sql/column-plan.js';
import { quoteIdentifier } from '../../sql/quote.js';

/** Names that the server gives where the definition names none. */
const IMPLICIT_NAMES = ['row_start', 'row_end'];

/** Plans of the columns that hold a row's time; none for ordinary tables. Throws UNSUPPORTED. */
export function periodPlans(table: TableRecord): ColumnPlan[] {
  if (table.kind !== 'system-versioned') return [];
  const named = table.columns.filter((column) =>
    /^row (?:start|end)$/i.test(column.generationExpression ?? ''),
  );
  if (named.some((column) => column.dataType !== 'timestamp')) {
    throw new ReshelveError(
      'UNSUPPORTED',
      `table ${table.name} is versioned by transaction numbers, which no other server can take`,
    );
  }
  const names = named.length > 0 ? named.map((column) => column.name) : IMPLICIT_NAMES;
  return names.map((name) => ({ name, expression: quoteIdentifier(name), encoding: 'text' }));
}
