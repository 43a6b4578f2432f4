/** Splits the SQL of a data member into its statements without reading the values. */
import { ReshelveError } from '../errors.js';
import { StatementSplitter } from './statement-splitter.js';

const STATEMENT_END = Buffer.from(';\n');

/**
 * In data members every line break inside a value is escaped, so `;` before a line break ends a
 * statement, unless the name of the table or a column holds these two bytes; then `count` differs
 * and the text is split the slow way. The views may alias `sql` and leave the end out.
 *
 * @throws {ReshelveError} DAMAGED where the text does not hold `count` statements.
 */
export function splitInserts(sql: Buffer, count: number): Buffer[] {
  const pieces = splitAtEnds(sql);
  if (pieces?.length === count) return pieces;
  const splitter = new StatementSplitter({ charset: 'utf8mb4' });
  const statements = [...splitter.push(sql), ...splitter.finish().last];
  if (statements.length !== count) {
    throw new ReshelveError(
      'DAMAGED',
      `a data member: expected ${count} statements but found ${statements.length}`,
    );
  }
  return statements.map((statement) => statement.text);
}

function splitAtEnds(sql: Buffer): Buffer[] | undefined {
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < sql.length) {
    const end = sql.indexOf(STATEMENT_END, start);
    if (end < 0) return undefined;
    pieces.push(sql.subarray(start, end));
    start = end + STATEMENT_END.length;
  }
  return pieces;
}
