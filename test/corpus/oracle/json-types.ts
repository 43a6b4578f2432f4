import type { RawConnection } from '../raw-connection.js';
import { quoteName } from '../sql-text.js';
import type { ColumnInfo } from './rows.js';

/**
 * A JSON document's text does not tell its types: `1.10` may be a DECIMAL or a DOUBLE, `1` signed
 * or unsigned, `"2024-01-01"` a string or a DATE. So the type at every path is asked for as well.
 */

const PATHS_MAX = 400;
const DOCUMENTS_MAX = 5_000;
const DOCUMENT_CHARACTERS_MAX = 65_536;

/** One expression per JSON column and path that occurs in it. */
export async function jsonTypeExpressions(
  connection: RawConnection,
  from: string,
  columns: readonly ColumnInfo[],
): Promise<{ label: string; expression: string }[]> {
  const expressions: { label: string; expression: string }[] = [];
  for (const column of columns.filter(({ dataType }) => dataType.toLowerCase() === 'json')) {
    const name = quoteName(column.name);
    for (const path of await pathsIn(connection, from, name)) {
      const literal = `_utf8mb4 0x${Buffer.from(path, 'utf8').toString('hex')}`;
      expressions.push({
        label: `JSON_TYPE of ${column.name} at ${path}`,
        expression: `JSON_TYPE(JSON_EXTRACT(${name}, ${literal}))`,
      });
    }
  }
  return expressions;
}

async function pathsIn(connection: RawConnection, from: string, name: string): Promise<string[]> {
  const paths = new Set<string>();
  const short = `LENGTH(CAST(${name} AS CHAR)) <= ${DOCUMENT_CHARACTERS_MAX}`;
  const rows = await connection.rows(
    `SELECT CAST(${name} AS CHAR) FROM ${from} WHERE ${short} LIMIT ${DOCUMENTS_MAX}`,
  );
  for (const [document] of rows) {
    if (document) addPaths(JSON.parse(document.toString('utf8')), '$', paths);
  }
  return [...paths].sort().slice(0, PATHS_MAX);
}

function addPaths(value: unknown, path: string, paths: Set<string>): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      addPaths(item, `${path}[${index}]`, paths);
    });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      addPaths(item, `${path}.${JSON.stringify(key)}`, paths);
    }
  } else if (path !== '$') {
    paths.add(path);
  }
}
