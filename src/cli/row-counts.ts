/** The guide's table of names and counts. */

export function formatRowCounts(
  tables: readonly { readonly name: string; readonly rows: number }[],
): string[] {
  const heading = 'TableName';
  const width = Math.max(heading.length, ...tables.map((table) => table.name.length)) + 4;
  return [
    heading.padEnd(width) + 'RowCount',
    ...tables.map((table) => visible(table.name).padEnd(width) + String(table.rows)),
  ];
}

/** A name may hold line breaks and control characters; a line of output must not. */
function visible(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
