/**
 * Looks at everything that a backup, a test restore and a restore stand on, changes nothing, and says
 * of each thing whether it is well and what to do where it is not.
 */
import { openArchive } from '../archive/archive-reader.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import { describeServer } from '../mysql/connect.js';
import { isAtLeast } from '../mysql/server-facts.js';
import type { Session } from '../mysql/session.js';
import type { Context } from './context.js';
import { judgeBinaryLog, judgeHiddenChanges } from './doctor/doctor-binlog.js';
import { judgeBackups, judgeDirectory, newestFull } from './doctor/doctor-directory.js';
import type { Finding } from './doctor/doctor-finding.js';
import { failedCheck, findingsOf } from './doctor/doctor-finding.js';
import { judgeLoading } from './doctor/doctor-loading.js';
import { judgeBackupPrivileges } from './doctor/doctor-privileges.js';
import { judgeCapture } from './doctor/doctor-stream.js';
import type { DatabaseContent, ServerState } from './doctor/doctor-server-state.js';
import { readDatabaseContent, readServerState } from './doctor/doctor-server-state.js';
import { nextRuns } from './schedule/schedule-expression.js';
import type { Schedule } from './schedule/schedule-expression.js';
import { readSchedules } from './schedule/schedules.js';
import { openServer } from './sessions.js';
import { lookAtDatabase } from './load/target-database.js';
import { testDatabaseName } from './load/test-database.js';

/** Beyond this, times of the server and of file names tell different stories. */
const CLOCK_DIFFERENCE_MS_MAX = 5000;

export async function runDoctor(context: Context): Promise<readonly Finding[]> {
  const { entries, findings: catalogFindings } = await readCatalog(context);
  const longestStatement = await readLongestStatement(context, entries);
  return [
    ...(await judgeServers(context, longestStatement)),
    ...(await judgeDirectory(context, entries)),
    ...catalogFindings,
    ...judgeBackups(context, entries),
    ...judgeSchedule(context),
    ...(await judgeCapture(context)),
  ];
}

function judgeSchedule(context: Context): Finding[] {
  const say = findingsOf('schedule');
  try {
    const { full, incremental } = readSchedules(context);
    const describe = ({ expression, timeZone }: Schedule, next: Date | undefined): string =>
      `${expression} in ${timeZone}: the next run is ${next?.toISOString() ?? 'never'}`;
    const findings = [say.ok(describe(full, nextRuns(full, 1)[0]))];
    if (incremental === undefined) return findings;
    const text = describe(incremental, nextRuns(incremental, 1)[0]);
    return [...findings, say.ok(`incrementals: ${text}`)];
  } catch (error) {
    return [failedCheck('schedule', error)];
  }
}

async function readCatalog(
  context: Context,
): Promise<{ entries: readonly CatalogEntry[]; findings: Finding[] }> {
  try {
    return { entries: await context.catalog.read(), findings: [] };
  } catch (error) {
    return { entries: [], findings: [failedCheck('backups', error)] };
  }
}

/** Of the newest backup; undefined where there is none that can be read. */
async function readLongestStatement(
  context: Context,
  entries: readonly CatalogEntry[],
): Promise<number | undefined> {
  const file = newestFull(context, entries)?.file;
  if (file === undefined || file === null) return undefined;
  try {
    const reader = await openArchive(`${context.configuration.backup.directory}/${file}`);
    await reader.close();
    return reader.index.header.totals.longestStatement;
  } catch (error) {
    if (error instanceof ReshelveError) return undefined;
    throw error;
  }
}

async function judgeServers(
  context: Context,
  longestStatement: number | undefined,
): Promise<Finding[]> {
  const { server, verifyServer, verifiesElsewhere, databaseName } = context.configuration;
  const say = findingsOf('server');
  let session: Session;
  try {
    session = await openServer(context, server);
  } catch (error) {
    return [failedCheck('server', error)];
  }
  try {
    const state = await readServerState(session);
    const content = await readContent(session, context, state);
    const test = testDatabaseName(databaseName);
    const common = { content, longestStatement };
    return [
      say.ok(`connected to ${describeServer(server)} as ${state.account}`),
      judgeVersion(state),
      await judgeClock(session, context),
      ...(content === undefined ? [unknownDatabase(context)] : []),
      ...judgeBackupPrivileges({
        database: databaseName,
        state,
        content,
        readers: context.configuration.backup.threads,
      }),
      ...(verifiesElsewhere
        ? await judgeVerifyServer(context, verifyServer, common)
        : judgeLoading({ group: 'verification', target: test, state, ...common })),
      ...judgeLoading({ group: 'restoring', target: databaseName, state, ...common }),
      ...judgeBinaryLog(state),
      ...(await judgeHiddenChanges(session, databaseName, state)),
    ];
  } catch (error) {
    return [failedCheck('server', error)];
  } finally {
    await session.close();
  }
}

async function judgeVerifyServer(
  context: Context,
  verifyServer: Context['configuration']['verifyServer'],
  common: { content: DatabaseContent | undefined; longestStatement: number | undefined },
): Promise<Finding[]> {
  try {
    const session = await openServer(context, verifyServer);
    try {
      const state = await readServerState(session);
      const target = testDatabaseName(context.configuration.databaseName);
      return judgeLoading({ group: 'verification', target, state, ...common });
    } finally {
      await session.close();
    }
  } catch (error) {
    return [failedCheck('verification', error)];
  }
}

async function readContent(
  session: Session,
  context: Context,
  state: ServerState,
): Promise<DatabaseContent | undefined> {
  const { databaseName } = context.configuration;
  const { exists } = await lookAtDatabase(session, databaseName);
  return exists ? readDatabaseContent(session, databaseName, state.account) : undefined;
}

function unknownDatabase(context: Context): Finding {
  const { databaseName, server } = context.configuration;
  return findingsOf('server').failed(
    `there is no database ${databaseName} that ${server.user} may see`,
    'Check DB_NAME and the grants below.',
  );
}

function judgeVersion({ facts }: ServerState): Finding {
  const say = findingsOf('server');
  const text = `${facts.flavour === 'mysql' ? 'MySQL' : 'MariaDB'} ${facts.version}`;
  const isKnown = facts.flavour === 'mysql' ? isAtLeast(facts, 8, 0) : isAtLeast(facts, 10, 5);
  return isKnown ? say.ok(text) : say.warning(`${text} is older than anything this was tried with`);
}

async function judgeClock(session: Session, context: Context): Promise<Finding> {
  const say = findingsOf('server');
  const there = Number((await session.value('SELECT UNIX_TIMESTAMP(NOW(3))')) ?? Number.NaN) * 1000;
  const difference = Math.abs(there - context.now().getTime());
  const text = `its clock differs from this machine's by ${(difference / 1000).toFixed(1)} s`;
  return difference <= CLOCK_DIFFERENCE_MS_MAX
    ? say.ok(text)
    : say.warning(text, 'Set both clocks by NTP: times of backups would mislead.');
}
