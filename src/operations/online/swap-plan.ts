/**
 * Which tables go where in the swap of an online recovery. Tables move by RENAME alone, and whatever was
 * interrupted, the next move follows from which database holds which table.
 */
import { quoteIdentifier } from '../../sql/quote.js';

export interface Move {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** The databases of a swap and the tables that they hold now. */
export interface Places {
  readonly live: string;
  readonly liveTables: ReadonlySet<string>;
  readonly staging: string;
  readonly stagingTables: ReadonlySet<string>;
  readonly previous: string;
  readonly previousTables: ReadonlySet<string>;
}

export interface SwapTables {
  /** Of the old state. */
  readonly outgoing: readonly string[];
  /** Of the new state. */
  readonly incoming: readonly string[];
}

/** What is left to be moved until the live database holds the new tables, in the order of one RENAME. */
export function movesForward(places: Places, { outgoing, incoming }: SwapTables): Move[] {
  const { live, staging, previous, liveTables, stagingTables, previousTables } = places;
  const out = outgoing
    .filter((table) => !previousTables.has(table) && liveTables.has(table))
    .map((table) => ({ table, from: live, to: previous }));
  const incomingLeft = incoming
    .filter((table) => stagingTables.has(table))
    .map((table) => ({ table, from: staging, to: live }));
  return [...out, ...incomingLeft];
}

/** The tables in the live database that are not of the old state: new ones, and made since. */
export function foreignToOldState(
  { liveTables, previousTables }: Pick<Places, 'liveTables' | 'previousTables'>,
  outgoing: readonly string[],
): string[] {
  const stillThere = new Set(outgoing.filter((table) => !previousTables.has(table)));
  return [...liveTables].filter((table) => !stillThere.has(table)).sort();
}

export interface Aside {
  readonly aside: string;
  readonly asideTables: ReadonlySet<string>;
  /** What the live database held beside the old state when the way back began. */
  readonly moved: readonly string[];
}

/** What is left to be moved until the live database holds the old tables and nothing else. */
export function movesBack(
  places: Pick<Places, 'live' | 'liveTables' | 'previous' | 'previousTables'>,
  { aside, asideTables, moved }: Aside,
  outgoing: readonly string[],
): Move[] {
  const { live, previous, liveTables, previousTables } = places;
  const away = moved
    .filter((table) => !asideTables.has(table) && liveTables.has(table))
    .map((table) => ({ table, from: live, to: aside }));
  const back = outgoing
    .filter((table) => previousTables.has(table))
    .map((table) => ({ table, from: previous, to: live }));
  return [...away, ...back];
}

/** One statement, so that nobody ever sees one table of the new state beside one of the old. */
export function renameStatement(moves: readonly Move[]): string {
  const clauses = moves.map(
    ({ table, from, to }) => `${qualified(from, table)} TO ${qualified(to, table)}`,
  );
  return `RENAME TABLE ${clauses.join(', ')}`;
}

export function lockStatement(moves: readonly Move[]): string {
  return `LOCK TABLES ${moves.map(({ from, table }) => `${qualified(from, table)} WRITE`).join(', ')}`;
}

export function qualified(database: string, name: string): string {
  return `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;
}
