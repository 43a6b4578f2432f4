/** Fills the bench's database: rows are written to a file, which the server itself reads. */
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Connection } from 'mysql2/promise';
import { LIBRARY_OBJECTS, type Value } from '../demo/library.js';
import { quoteString } from '../src/sql/quote.js';
import { benchTables, type BenchTable } from './tables.js';

export interface GenerateRequest {
  /** In the empty database to fill. */
  readonly connection: Connection;
  readonly gigabytes: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

const CHUNK_BYTES = 1 << 20;

export async function generateDatabase(request: GenerateRequest): Promise<void> {
  const { connection, log } = request;
  for (const setting of ['foreign_key_checks = 0', 'unique_checks = 0', 'sql_log_bin = 0']) {
    await connection.query(`SET SESSION ${setting}`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-bench-rows-'));
  try {
    // The server refuses to read what not everybody may read.
    await chmod(folder, 0o755);
    for (const table of benchTables(request.gigabytes)) {
      const started = performance.now();
      const rows = await fillTable(request, table, join(folder, table.name));
      log(`${table.name}: ${rows} rows, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  for (const create of LIBRARY_OBJECTS) await connection.query(create);
  await connection.query(
    `ANALYZE TABLE ${benchTables(1)
      .map(({ name }) => name)
      .join(', ')}`,
  );
}

/** MySQL's own defaults for LOAD DATA: tabs, line breaks, backslashes; bytes go as hex. */
async function fillTable(
  request: GenerateRequest,
  table: BenchTable,
  file: string,
): Promise<number> {
  const { connection, signal } = request;
  await connection.query(table.create);
  await pipeline(Readable.from(chunks(table)), createWriteStream(file, { mode: 0o644 }), {
    signal,
  });
  const target = (column: string): string =>
    table.binaryColumns.includes(column) ? `@${column}` : column;
  const sets = table.binaryColumns.map((column) => `${column} = UNHEX(@${column})`);
  await connection.query(
    `LOAD DATA INFILE ${quoteString(file)} INTO TABLE ${table.name} CHARACTER SET utf8mb4 ` +
      `(${table.columns.map(target).join(', ')}) ${sets.length === 0 ? '' : `SET ${sets.join(', ')}`}`,
  );
  await rm(file);
  const [rows] = await connection.query(`SELECT COUNT(*) AS count FROM ${table.name}`);
  return Number((rows as { count: number }[])[0]?.count);
}

function* chunks(table: BenchTable): Generator<Buffer> {
  let text = '';
  for (const row of table.rows()) {
    text += `${row.map(field).join('\t')}\n`;
    if (text.length < CHUNK_BYTES) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function field(value: Value): string {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return value.toString('hex');
  return /[\\\t\n\r]/.test(value)
    ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character)
    : value;
}
