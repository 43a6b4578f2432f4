/** One screen of how the backups stand: what is looked up here is judged in status-findings.ts. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogEntry } from '../catalog/records.js';
import { hasCode } from '../catalog/store-files.js';
import { sideDatabasesOf } from '../catalog/side-database.js';
import { ReshelveError } from '../errors.js';
import { withFileErrors } from '../file-errors.js';
import { readRecoverable } from './chains/recoverable.js';
import type { Context } from './context.js';
import { listUnfinishedRecoveries } from './recovery/unfinished-recovery.js';
import { nextRuns } from './schedule/schedule-expression.js';
import { readSchedules } from './schedule/schedules.js';
import type { Schedules } from './schedule/schedules.js';
import { openServer } from './sessions.js';
import { readStreamFacts } from './status/stream-facts.js';
import type {
  ScheduleFacts,
  SetAsideDatabase,
  StatusFacts,
  StatusFinding,
} from './status/status-finding.js';
import { judgeStatus } from './status/status-findings.js';

export interface Status {
  readonly database: string;
  readonly now: string;
  readonly findings: readonly StatusFinding[];
}

/** Reads only; a server that does not answer is a finding. Throws DIRECTORY or IO. */
export async function readStatus(context: Context): Promise<Status> {
  const facts = await collectFacts(context);
  return {
    database: facts.database,
    now: facts.now.toISOString(),
    findings: judgeStatus(facts),
  };
}

async function collectFacts(context: Context): Promise<StatusFacts> {
  const { backup, databaseName } = context.configuration;
  const { entries, catalogProblem } = await readCatalog(context);
  const files = entries.flatMap(({ file }) => file ?? []);
  return {
    now: context.now(),
    database: databaseName,
    directoryShown: backup.directoryShown,
    entries,
    catalogProblem,
    existingFiles: new Set(files.filter((file) => existsSync(join(backup.directory, file)))),
    schedule: readSchedule(context),
    freeBytes: await readFreeBytes(backup.directory),
    setAside: await readSetAside(context),
    unfinished: await listUnfinishedRecoveries(context),
    recoverable: await readRecoverable(context),
    stream: await readStreamFacts(context),
  };
}

async function readCatalog(
  context: Context,
): Promise<{ entries: readonly CatalogEntry[]; catalogProblem: ReshelveError | undefined }> {
  try {
    return { entries: await context.catalog.read(), catalogProblem: undefined };
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'CATALOG_DAMAGED') throw error;
    return { entries: [], catalogProblem: error };
  }
}

/** Enough for a week of nightly runs, so that a week-end without one counts. */
const RUNS_COMPARED = 9;

function readSchedule(context: Context): ScheduleFacts | ReshelveError {
  let schedules: Schedules;
  try {
    schedules = readSchedules(context);
  } catch (error) {
    if (error instanceof ReshelveError) return error;
    throw error;
  }
  const { full, incremental } = schedules;
  const runs = nextRuns(full, RUNS_COMPARED);
  const gaps = runs.slice(1).map((run, at) => run.getTime() - (runs[at]?.getTime() ?? 0));
  const [nextIncremental] = incremental === undefined ? [] : nextRuns(incremental, 1);
  return {
    expression: full.expression,
    next: runs[0] ?? context.now(),
    intervalMs: Math.max(0, ...gaps),
    ...(incremental === undefined || nextIncremental === undefined
      ? {}
      : { incremental: { expression: incremental.expression, next: nextIncremental } }),
  };
}

async function readFreeBytes(directory: string): Promise<number | undefined> {
  return withFileErrors('look at', directory, async () => {
    try {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
}

async function readSetAside(
  context: Context,
): Promise<readonly SetAsideDatabase[] | ReshelveError> {
  const { server, databaseName } = context.configuration;
  try {
    const session = await openServer(context, server);
    try {
      const records = await session.records(
        'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA',
      );
      const names = records.map(({ name }) => name ?? '');
      return (['before', 'undone', 'staging'] as const).flatMap((role) =>
        sideDatabasesOf(names, databaseName, role).map((name) => ({ name, role })),
      );
    } finally {
      await session.close();
    }
  } catch (error) {
    if (error instanceof ReshelveError && error.code !== 'INTERRUPTED') return error;
    throw error;
  }
}
