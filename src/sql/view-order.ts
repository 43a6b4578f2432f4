/** The order in which views can be created: each after the views that it reads. */
import { sqlNames } from './ddl-names.js';
import type { DdlOptions } from './ddl-text.js';
import { charsetOf, lexOptions } from './ddl-text.js';
import { identifierOf, significantTokens } from './tokenizer.js';

export interface ViewText {
  readonly name: string;
  /** As SHOW CREATE VIEW gives it. */
  readonly text: Uint8Array;
}

/** Names that a view surely reads, and all words in its text that are names of views. */
interface Mentions {
  readonly tables: readonly string[];
  readonly words: readonly string[];
}

/**
 * The names of `views` in an order that loads. Any identifier equal to another view's name counts as
 * a wish to come after it (a reference missed would break the load, a needless wish costs nothing);
 * where wishes form a circle (a column called like a view) only the names in the place of a table
 * count. Real circles, which only broken views can form, are cut in the order given. The result
 * depends on nothing but the input.
 */
export function viewOrder(views: readonly ViewText[], options: DdlOptions = {}): string[] {
  const key = keyOf(options);
  const byKey = new Map(views.map((view) => [key(view.name), view]));
  const mentions = new Map(
    views.map((view) => [key(view.name), mentionsOf(view, key, byKey, options)]),
  );
  const sorted = sortInto(
    [...byKey.keys()],
    (name) => mentions.get(name)?.tables ?? [],
    (name) => mentions.get(name)?.words ?? [],
  );
  return sorted.map((name) => byKey.get(name)?.name ?? name);
}

function keyOf({ lowerCaseTableNames = 0 }: DdlOptions): (name: string) => string {
  return lowerCaseTableNames === 0 ? (name) => name : (name) => name.toLowerCase();
}

function mentionsOf(
  view: ViewText,
  key: (name: string) => string,
  byKey: ReadonlyMap<string, ViewText>,
  options: DdlOptions,
): Mentions {
  const own = key(view.name);
  const isOther = (name: string): boolean => name !== own && byKey.has(name);
  const words = significantTokens(view.text, lexOptions(options))
    .map((token) => identifierOf(view.text, token, charsetOf(options)))
    .filter((name) => name !== undefined)
    .map(key);
  const tables = sqlNames(view.text, options)
    .filter(({ role }) => role === 'relation')
    .map(({ parts }) => key(parts.at(-1)?.name ?? ''));
  return { tables: tables.filter(isOther), words: words.filter(isOther) };
}

type Edges = (name: string) => readonly string[];

/**
 * Takes, again and again, the first name all of whose wishes are placed; where there is none, the
 * first all of whose needs are placed; where there is none either, the first.
 */
function sortInto(names: readonly string[], needs: Edges, wishes: Edges): string[] {
  const waiting = new Map(names.map((name) => [name, true]));
  const placed: string[] = [];
  const isFree = (edges: Edges, name: string): boolean =>
    edges(name).every((other) => !waiting.has(other));
  while (waiting.size > 0) {
    const rest = [...waiting.keys()];
    const free = rest.filter((name) => isFree(wishes, name));
    const next = free.length > 0 ? free : rest.filter((name) => isFree(needs, name)).slice(0, 1);
    for (const name of next.length > 0 ? next : rest.slice(0, 1)) {
      placed.push(name);
      waiting.delete(name);
    }
  }
  return placed;
}
