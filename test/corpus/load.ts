import { RawConnection, type ServerAddress } from './raw-connection.js';
import { runPatiently } from '../support/patience.js';
import { quoteName } from './sql-text.js';
import {
  SMALL_SCALE,
  type CorpusScale,
  type CorpusSession,
  type CorpusStep,
  type CorpusTheme,
} from './step.js';

export interface LoadOptions {
  readonly scale?: CorpusScale;
  /** Character set and collation clause of the database, as SQL. */
  readonly databaseOptions?: string;
  /** Loads into the database as it is. */
  readonly keepDatabase?: boolean;
  /** Goes on after a statement that the server refuses, for trying a server of another version. */
  readonly tolerant?: boolean;
}

export interface LoadReport {
  readonly steps: number;
  /** Steps that this server's version does not know, as `theme: first words`. */
  readonly skipped: readonly string[];
  /** What a tolerant load passed over, with the server's reason. */
  readonly refused: readonly string[];
  readonly durationMs: number;
}

/**
 * Strict, so that a corpus value that the server would alter is an error of the corpus; but zero,
 * invalid and `0`-id values pass as they are written.
 */
export const CORPUS_SQL_MODE =
  'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION';

const DEFAULT_SESSION = { sqlMode: CORPUS_SQL_MODE, charset: 'utf8mb4', timeZone: '+00:00' };

/** Length of the longest statement that the packet border themes send. */
const PACKET_BYTES_NEEDED = 80 * 1024 * 1024;

/**
 * Creates the database anew and runs every step of the themes in it.
 * @throws Error naming the theme and the statement that the server refused.
 */
export async function loadCorpus(
  address: ServerAddress,
  database: string,
  themes: readonly CorpusTheme[],
  options: LoadOptions = {},
): Promise<LoadReport> {
  const startedAt = Date.now();
  await raisePacketLimit(address);
  const connection = await RawConnection.open(address);
  try {
    await connection.run('SET NAMES utf8mb4');
    if (options.keepDatabase !== true) {
      // An event that runs each second holds dictionary rows that a DDL statement may want too.
      await runPatiently(() => connection.run(`DROP DATABASE IF EXISTS ${quoteName(database)}`));
      await connection.run(
        `CREATE DATABASE ${quoteName(database)} ${options.databaseOptions ?? 'CHARACTER SET utf8mb4'}`,
      );
    }
    await connection.run(`USE ${quoteName(database)}`);
    const report = await runThemes(connection, database, themes, options);
    return { ...report, durationMs: Date.now() - startedAt };
  } finally {
    await connection.end();
  }
}

async function runThemes(
  connection: RawConnection,
  database: string,
  themes: readonly CorpusTheme[],
  options: LoadOptions,
): Promise<Omit<LoadReport, 'durationMs'>> {
  const server = await describeServer(connection);
  const session = new SessionState(connection);
  const skipped: string[] = [];
  const refused: string[] = [];
  let steps = 0;
  for (const theme of themes) {
    for (const step of theme.steps(options.scale ?? SMALL_SCALE, database)) {
      if (!canRun(step, server)) {
        skipped.push(`${theme.name}: ${statementStart(step)}`);
        continue;
      }
      try {
        await session.enter(step.session ?? {});
        await runPatiently(() => connection.run(step.sql));
        steps += 1;
      } catch (error) {
        const refusal = describeRefusal(theme, step, error);
        if (options.tolerant !== true) throw new Error(refusal, { cause: error });
        refused.push(refusal);
      }
    }
  }
  return { steps, skipped, refused };
}

function describeRefusal(theme: CorpusTheme, step: CorpusStep, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `corpus theme ${theme.name}: ${reason.slice(0, 500)}\n  in: ${statementStart(step)}`;
}

function statementStart(step: CorpusStep): string {
  return step.sql.toString('latin1').slice(0, 300);
}

/** Sends only the settings that differ from what the session already has. */
class SessionState {
  readonly #connection: RawConnection;
  readonly #current = new Map<string, string>();
  readonly #touched = new Set<string>();

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  async enter(wanted: CorpusSession): Promise<void> {
    await this.#apply('NAMES', `SET NAMES ${wanted.charset ?? DEFAULT_SESSION.charset}`);
    await this.#set('sql_mode', `'${wanted.sqlMode ?? DEFAULT_SESSION.sqlMode}'`);
    await this.#set('time_zone', `'${wanted.timeZone ?? DEFAULT_SESSION.timeZone}'`);
    const variables = wanted.variables ?? {};
    for (const name of this.#touched) {
      if (variables[name] === undefined) await this.#set(name, 'DEFAULT');
    }
    for (const [name, value] of Object.entries(variables)) {
      this.#touched.add(name);
      await this.#set(name, value);
    }
  }

  async #set(name: string, value: string): Promise<void> {
    await this.#apply(name, `SET SESSION ${name} = ${value}`);
  }

  async #apply(key: string, sql: string): Promise<void> {
    if (this.#current.get(key) === sql) return;
    await this.#connection.run(sql);
    this.#current.set(key, sql);
  }
}

/** The server's limit must exceed the longest statement; it binds new connections only. */
async function raisePacketLimit(address: ServerAddress): Promise<void> {
  const connection = await RawConnection.open(address);
  try {
    const rows = await connection.rows('SELECT @@global.max_allowed_packet');
    const bytes = Number(rows[0]?.[0]?.toString('latin1'));
    if (bytes < PACKET_BYTES_NEEDED) {
      await connection.run(`SET GLOBAL max_allowed_packet = ${PACKET_BYTES_NEEDED}`);
    }
  } finally {
    await connection.end();
  }
}

interface ServerDescription {
  readonly version: string;
  /** Engines that can be used, in upper case. */
  readonly engines: ReadonlySet<string>;
}

async function describeServer(connection: RawConnection): Promise<ServerDescription> {
  const [version] = await connection.rows('SELECT VERSION()');
  const engines = await connection.rows(
    "SELECT UPPER(engine) FROM information_schema.engines WHERE support IN ('YES', 'DEFAULT')",
  );
  return {
    version: version?.[0]?.toString('latin1') ?? '',
    engines: new Set(engines.map(([engine]) => engine?.toString('latin1') ?? '')),
  };
}

function canRun(step: CorpusStep, server: ServerDescription): boolean {
  if (step.engine !== undefined && !server.engines.has(step.engine)) return false;
  return step.since === undefined || !isOlder(server.version, step.since);
}

/** Whether `version` (as `VERSION()` prints it) comes before `needed` (`major.minor`). */
function isOlder(version: string, needed: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}
