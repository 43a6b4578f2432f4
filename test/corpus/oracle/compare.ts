import { CELL_SEPARATOR, type DatabaseState, type ObjectState, type RowSet } from './state.js';
import { withoutOwnName } from './own-name.js';

/** Rows named per table; a broken restore differs in all of them. */
const ROWS_NAMED_MAX = 5;
const VALUE_CHARACTERS_MAX = 160;

/**
 * Says where two databases differ, one sentence each; an empty list means that they are the same.
 * Only the database's own name may differ.
 */
export function compareStates(first: DatabaseState, second: DatabaseState): string[] {
  const differences: string[] = [];
  for (const [key, object] of first.objects) {
    const other = second.objects.get(key);
    if (other === undefined) differences.push(`${key} is missing from the second`);
    else differences.push(...compareObjects(key, object, other, first.database, second.database));
  }
  for (const key of second.objects.keys()) {
    if (!first.objects.has(key)) differences.push(`${key} is in the second only`);
  }
  return differences;
}

function compareObjects(
  key: string,
  first: ObjectState,
  second: ObjectState,
  firstDatabase: string,
  secondDatabase: string,
): string[] {
  const differences: string[] = [];
  const firstFacts = namelessFacts(first.facts, firstDatabase);
  const secondFacts = namelessFacts(second.facts, secondDatabase);
  for (const name of new Set([...firstFacts.keys(), ...secondFacts.keys()])) {
    const one = firstFacts.get(name);
    const other = secondFacts.get(name);
    if (one === other) continue;
    const renamed = one !== first.facts.get(name) || other !== second.facts.get(name);
    if (!renamed || unquoted(one) !== unquoted(other))
      differences.push(`${key}: ${name} ${describeTexts(one, other)}`);
  }
  if (first.rows && second.rows) differences.push(...compareRows(key, first.rows, second.rows));
  else if (first.rows !== second.rows) differences.push(`${key}: only one of the two has rows`);
  return differences;
}

/** A renaming tool may write `t` for db.t; then plain names are the same with and without quotes. */
function unquoted(text: string | undefined): string | undefined {
  return text?.replaceAll(/`(\w+)`/gu, '$1');
}

function namelessFacts(facts: ReadonlyMap<string, string>, database: string): Map<string, string> {
  const mode = facts.get('sql_mode') ?? facts.get('information_schema SQL_MODE') ?? '';
  const backslashEscapes = !mode.includes('NO_BACKSLASH_ESCAPES');
  return new Map(
    [...facts].map(([name, text]) => [name, withoutOwnName({ text, backslashEscapes }, database)]),
  );
}

function describeTexts(one: string | undefined, other: string | undefined): string {
  if (one === undefined) return `is in the second only: ${excerpt(other ?? '', 0)}`;
  if (other === undefined) return `is missing from the second: ${excerpt(one, 0)}`;
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = Math.max(0, at - 40);
  return `differs at character ${at}: ${excerpt(one, from)} became ${excerpt(other, from)}`;
}

function excerpt(text: string, from: number): string {
  const part = text.slice(from, from + VALUE_CHARACTERS_MAX);
  const start = from > 0 ? '…' : '';
  const end = from + VALUE_CHARACTERS_MAX < text.length ? '…' : '';
  return JSON.stringify(start + part + end);
}

function compareRows(key: string, first: RowSet, second: RowSet): string[] {
  const differences: string[] = [];
  if (first.count !== second.count) {
    differences.push(`${key}: ${first.count} rows became ${second.count}`);
  }
  if (first.digest === second.digest && first.columns.join() === second.columns.join()) {
    return differences;
  }
  if (first.columns.join() !== second.columns.join()) {
    differences.push(
      `${key}: the captured columns differ: ${describeTexts(first.columns.join(), second.columns.join())}`,
    );
  }
  if (first.detail && second.detail) {
    differences.push(...describeRows(key, first, first.detail, second.detail));
  } else {
    differences.push(
      `${key}: the content of its rows differs (${first.digest} became ${second.digest})`,
    );
  }
  return differences;
}

function describeRows(
  key: string,
  { columns }: RowSet,
  first: ReadonlyMap<string, number>,
  second: ReadonlyMap<string, number>,
): string[] {
  const lost = surplus(first, second);
  const gained = surplus(second, first);
  const sentences: string[] = [];
  for (const row of lost.slice(0, ROWS_NAMED_MAX)) {
    const partner = nearest(row, gained);
    if (partner === undefined) sentences.push(`${key}: lost the row ${rowText(row)}`);
    else sentences.push(`${key}: ${describeCells(columns, row, partner)}`);
  }
  for (const row of gained.slice(0, ROWS_NAMED_MAX - sentences.length)) {
    if (lost.length === 0) sentences.push(`${key}: gained the row ${rowText(row)}`);
  }
  const rest = Math.max(lost.length, gained.length) - sentences.length;
  if (rest > 0) sentences.push(`${key}: and ${rest} more rows differ`);
  return sentences;
}

/** Rows that occur more often in `one` than in `other`, each as often as that. */
function surplus(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): string[] {
  const rows: string[] = [];
  for (const [row, count] of one) {
    const extra = count - (other.get(row) ?? 0);
    for (let times = 0; times < extra; times += 1) rows.push(row);
  }
  return rows;
}

/** The candidate that shares most cells with the row: most likely what became of it. */
function nearest(row: string, candidates: readonly string[]): string | undefined {
  const cells = row.split(CELL_SEPARATOR);
  let best: string | undefined;
  let bestShared = -1;
  for (const candidate of candidates.slice(0, 1000)) {
    const other = candidate.split(CELL_SEPARATOR);
    const shared = cells.filter((cell, index) => cell === other[index]).length;
    if (shared > bestShared) [best, bestShared] = [candidate, shared];
  }
  return best;
}

function describeCells(columns: readonly string[], row: string, partner: string): string {
  const cells = row.split(CELL_SEPARATOR);
  const others = partner.split(CELL_SEPARATOR);
  const changes = columns.flatMap((column, index) => {
    const one = cells[index] ?? '';
    const other = others[index] ?? '';
    return one === other ? [] : [`${column} ${cellExcerpt(one)} became ${cellExcerpt(other)}`];
  });
  return `in the row ${rowText(row)}: ${changes.slice(0, 4).join('; ')}`;
}

function rowText(row: string): string {
  return cellExcerpt(row.split(CELL_SEPARATOR).slice(0, 3).join(' | '));
}

function cellExcerpt(cell: string): string {
  return cell.length > VALUE_CHARACTERS_MAX ? `${cell.slice(0, VALUE_CHARACTERS_MAX)}…` : cell;
}
