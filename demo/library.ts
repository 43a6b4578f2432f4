/** The sample LibraryDB: what the demo shows, the bench measures and the tests use. */
import { quoteString } from '../src/sql/quote.js';
import { LIBRARY_OBJECTS } from './library-objects.js';
import type { LibrarySize, Value } from './library-rows.js';
import { DEMO_SIZE, libraryRows } from './library-rows.js';
import { LIBRARY_TABLES } from './library-tables.js';

export { LIBRARY_OBJECTS } from './library-objects.js';
export {
  DEMO_SIZE,
  libraryRows,
  type LibraryRows,
  type LibrarySize,
  type Value,
} from './library-rows.js';
export { LIBRARY_TABLES, type LibraryTableName } from './library-tables.js';

export interface LibraryRequest {
  /** Runs one statement in the database to fill, which is empty and utf8mb4. */
  readonly execute: (sql: string) => Promise<unknown>;
  readonly size?: LibrarySize;
  readonly seed?: number;
  /** Told when a table is full. */
  readonly onTable?: (table: string, rows: number) => void;
}

const ROWS_PER_INSERT = 1000;
const DEFAULT_SEED = 20_260_102;

/** Creates the library's tables, rows and objects, and gives the number of rows. */
export async function loadLibrary(request: LibraryRequest): Promise<number> {
  const { execute, size = DEMO_SIZE, seed = DEFAULT_SEED } = request;
  for (const create of Object.values(LIBRARY_TABLES)) await execute(create);
  let total = 0;
  for (const library of libraryRows(size, seed)) {
    const { table, columns } = library;
    const opening = `INSERT INTO ${table} (${columns.join(', ')}) VALUES\n`;
    let count = 0;
    await execute('START TRANSACTION');
    for (const batch of inBatches(library.rows(), ROWS_PER_INSERT)) {
      await execute(opening + batch.map(tuple).join(',\n'));
      count += batch.length;
    }
    await execute('COMMIT');
    request.onTable?.(table, count);
    total += count;
  }
  for (const create of LIBRARY_OBJECTS) await execute(create);
  return total;
}

function tuple(row: readonly Value[]): string {
  return `(${row.map(literal).join()})`;
}

function literal(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? quoteString(value) : `0x${value.toString('hex')}`;
}

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
