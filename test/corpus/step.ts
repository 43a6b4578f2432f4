/**
 * What the corpus is made of. A theme is a list of steps; a step is one SQL statement with the
 * session it must be run in. Steps are data, so that a test can leave a theme out or print it.
 * Nothing here, nor in the oracle, imports from src/: both must stay able to contradict it.
 */

/** Session settings of one step. What is left out is the loader's default (see load.ts). */
export interface CorpusSession {
  readonly sqlMode?: string;
  /** `SET NAMES` of the step; the statement's bytes are sent as they are. */
  readonly charset?: string;
  readonly timeZone?: string;
  /** Further session variables; values are SQL text (`'1'`, `"'x'"`, `'@@global.y'`). */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface CorpusStep {
  /** One statement without a closing delimiter. A Buffer where the bytes are not UTF-8. */
  readonly sql: string | Buffer;
  readonly session?: CorpusSession;
  /** First server version that knows the feature, as `major.minor`; older servers skip the step. */
  readonly since?: string;
  /** A storage engine that the server may be without; then the step is skipped. */
  readonly engine?: string;
}

/** How much of the bulky parts to build. */
export interface CorpusScale {
  /** Length in bytes of the one giant row's blob. */
  readonly giantRowBytes: number;
  /** Blobs at the borders of a 16 MiB protocol packet (some 110 MB in all). */
  readonly packetBorders: boolean;
  readonly wideTableColumns: number;
  /** Rows in the tables that exist to be split or to span statements. */
  readonly manyRows: number;
  /** Pseudo-random FLOAT and DOUBLE bit patterns. */
  readonly realPatterns: number;
}

/** A second or two to load: for tests that run often. */
export const SMALL_SCALE: CorpusScale = {
  giantRowBytes: 3 * 1024 * 1024,
  packetBorders: false,
  wideTableColumns: 200,
  manyRows: 500,
  realPatterns: 200,
};

/** What the issue asks for: a 30 MB row, 1,000 columns, packet borders. */
export const FULL_SCALE: CorpusScale = {
  giantRowBytes: 30 * 1024 * 1024,
  packetBorders: true,
  wideTableColumns: 1000,
  manyRows: 20_000,
  realPatterns: 20_000,
};

export interface CorpusTheme {
  readonly name: string;
  /** `database` is where the steps will run: some objects take its name in their text. */
  readonly steps: (scale: CorpusScale, database: string) => readonly CorpusStep[];
}

/** A theme whose size does not scale. */
export function theme(name: string, steps: readonly (string | Buffer | CorpusStep)[]): CorpusTheme {
  return { name, steps: () => steps.map(toStep) };
}

/** A theme made for one scale, or for the database's name. */
export function scaledTheme(
  name: string,
  build: (scale: CorpusScale, database: string) => readonly (string | Buffer | CorpusStep)[],
): CorpusTheme {
  return { name, steps: (scale, database) => build(scale, database).map(toStep) };
}

/** Steps that share one session. */
export function inSession(
  session: CorpusSession,
  statements: readonly (string | Buffer)[],
): CorpusStep[] {
  return statements.map((sql) => ({ sql, session }));
}

/** Steps that need a storage engine that not every server has. */
export function withEngine(engine: string, statements: readonly string[]): CorpusStep[] {
  return statements.map((sql) => ({ sql, engine }));
}

/** Steps that need a server of at least this version. */
export function since(version: string, statements: readonly (string | Buffer)[]): CorpusStep[] {
  return statements.map((sql) => ({ sql, since: version }));
}

function toStep(item: string | Buffer | CorpusStep): CorpusStep {
  return typeof item === 'string' || Buffer.isBuffer(item) ? { sql: item } : item;
}
