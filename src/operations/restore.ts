/** The quick restore: a sound file into a database, over several connections. */
import { probeFile } from '../archive/probe-file.js';
import type { Session } from '../mysql/session.js';
import { ReshelveError } from '../errors.js';
import { acquireDatabaseLock } from '../mysql/database-lock.js';
import { renameDatabaseQualifiers } from '../sql/ddl-qualifiers.js';
import type { SplitStatement } from '../sql/statement-splitter.js';
import { ChainArchives } from './chains/chain-archives.js';
import type { ChosenBackup } from './choose-backup.js';
import type { Context } from './context.js';
import type { ForeignDump } from './load/load-foreign.js';
import { examineDump, loadForeign } from './load/load-foreign.js';
import { loadChain } from './chains/load-chain.js';
import { chooseRestorePoint, openSound } from './chains/restore-point.js';
import type { RestorePoint } from './chains/restore-point.js';
import type { TargetWish } from './load/restore-target.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';
import { openServer } from './sessions.js';
import { warnOfOtherEngines } from './load/engines.js';
import { warnOfOrphans } from './load/orphans.js';
import { assertRestorable } from './load/restore-preflight.js';
import type { RestoreRequest } from './load/restore-preflight.js';
import { prepareTarget } from './load/prepare-target.js';
import type { Target } from './load/prepare-target.js';
import { lookAtDatabase } from './load/target-database.js';
import { defaultsOf } from '../sql/database-defaults.js';

export interface RestoreOptions {
  readonly file?: string;
  /** The database to load into; DB_NAME where it is left out. */
  readonly into?: string;
  /** Only these tables; all where it is empty. */
  readonly tables: readonly string[];
  readonly dryRun: boolean;
  /** Keep the restore out of the binary log; replicas then do not follow. */
  readonly withoutBinlog: boolean;
  /** The state that is wanted; the newest that can be had where nothing is said. */
  readonly target: TargetWish;
  /** Passes over rows that a change does not find, or finds there already. */
  readonly idempotent: boolean;
  /** Asks whether the named database may be overwritten; throws CONFIRMATION if not. */
  readonly confirm: (database: string, loss: string) => Promise<void>;
}

export interface RestoreResult {
  readonly file: string;
  readonly database: string;
  readonly rows: number;
  readonly seconds: number;
  readonly dryRun: boolean;
  readonly warnings: readonly string[];
}

export async function runRestore(
  context: Context,
  options: RestoreOptions,
): Promise<RestoreResult> {
  if (options.dryRun) {
    const { plan } = await prepareRestore(context, options);
    plan.forEach((line) => {
      context.output.line(line);
    });
    const database = options.into ?? context.configuration.databaseName;
    return { file: options.file ?? '', database, rows: 0, seconds: 0, dryRun: true, warnings: [] };
  }
  const database = options.into ?? context.configuration.databaseName;
  return recordedRun(context, 'restore', (run) => restore(run, options), { database });
}

interface Preparation {
  readonly point: RestorePoint;
  /** Set where the file is a dump of another tool. */
  readonly dump?: ForeignDump;
  readonly plan: readonly string[];
  /** What would be lost; undefined where nothing would. */
  readonly loss?: string;
}

/** Everything that can be known before the first change: the file is sound, the target is seen. */
async function prepareRestore(context: Context, options: RestoreOptions): Promise<Preparation> {
  const database = options.into ?? context.configuration.databaseName;
  const point = await chooseRestorePoint(context, options.file, options.target);
  const dump = await assertLoadable(context, point, database, options);
  const session = await openServer(context, context.configuration.server);
  try {
    await assertTakes(session, point, dump !== undefined, { ...options, database });
    const state = await lookAtDatabase(session, database);
    const loss = describeLoss(database, state, options);
    return {
      point,
      ...(dump === undefined ? {} : { dump }),
      ...(loss === undefined ? {} : { loss }),
      plan: [
        `Would restore ${describePoint(point)} into ${database}.`,
        ...(point.backups.length === 1
          ? []
          : point.backups.map(({ shown }, at) => `  ${at + 1}. ${shown}`)),
        loss === undefined ? 'Nothing would be overwritten.' : `Would be lost: ${loss}.`,
      ],
    };
  } finally {
    await session.close();
  }
}

async function assertTakes(
  session: Session,
  point: RestorePoint,
  isForeign: boolean,
  request: RestoreRequest,
): Promise<void> {
  if (isForeign) {
    await assertRestorable(session, undefined, request);
    return;
  }
  const archives = await ChainArchives.open(point.backups.map(({ path }) => path));
  try {
    await assertRestorable(session, archives, request);
  } finally {
    await archives.close();
  }
}

function describeLoss(
  database: string,
  state: { readonly exists: boolean; readonly tables: readonly string[] },
  options: RestoreOptions,
): string | undefined {
  if (!state.exists || state.tables.length === 0) return undefined;
  if (options.tables.length === 0) {
    return `everything that is in ${database} now (${state.tables.length} tables and views)`;
  }
  const replaced = options.tables.filter((table) => state.tables.includes(table));
  if (replaced.length === 0) return undefined;
  return `the present content of ${replaced.map((table) => `${database}.${table}`).join(', ')}`;
}

function describePoint({ newest, backups }: RestorePoint): string {
  const others = backups.length - 1;
  return others === 0 ? newest.shown : `${newest.shown} and the ${others} before it`;
}

async function assertLoadable(
  context: Context,
  point: RestorePoint,
  database: string,
  options: RestoreOptions,
): Promise<ForeignDump | undefined> {
  const backup = point.newest;
  const probe = await probeFile(backup.path);
  if (probe.kind === 'reshelve') {
    const archives = await openSound(context, point);
    await archives.close();
    assertTablesInside(archives, backup, options.tables);
    return undefined;
  }
  if (probe.kind !== 'gzip-sql' && probe.kind !== 'plain-sql') {
    throw new ReshelveError(
      'NOT_A_BACKUP',
      `${backup.shown}: expected a backup but found ${probe.detail}`,
    );
  }
  if (options.tables.length > 0) {
    throw new ReshelveError(
      'USAGE',
      `--table needs an archive with an index, but ${backup.shown} is a dump of another tool`,
      {
        hint: 'Restore the dump into a scratch database with --into and copy the table from there.',
      },
    );
  }
  return examineDump(context, backup, database);
}

/** An archive of logged changes describes no state: the table may be one that they make. */
function assertTablesInside(
  archives: ChainArchives,
  backup: ChosenBackup,
  tables: readonly string[],
): void {
  const known = new Set(
    archives.readers
      .flatMap(({ index }) => [
        ...(archives.describesState && index !== archives.index ? [] : index.tables),
        ...index.changes.flatMap(({ tables: changed }) => changed),
      ])
      .map(({ name }) => name),
  );
  const missing = tables.filter((table) => !known.has(table));
  if (missing.length === 0) return;
  throw new ReshelveError('USAGE', `${backup.shown} has no table ${missing.join(', ')}`, {
    hint: `Run \`reshelve inspect ${backup.shown}\` to see the tables in it.`,
  });
}

async function restore(run: Run, options: RestoreOptions): Promise<RestoreResult> {
  const { context } = run;
  const { configuration, output } = context;
  const database = options.into ?? configuration.databaseName;
  const { point, dump, loss } = await prepareRestore(context, options);
  const backup = point.newest;
  if (loss !== undefined) await options.confirm(database, loss);
  output.line(`Restoring ${describePoint(point)} into ${database}...`);
  const started = performance.now();
  const control = await openServer(context, configuration.server);
  const target: Target = { database, isChanged: false };
  let rows: number;
  try {
    const lock = await acquireDatabaseLock(
      control,
      database,
      configuration.backup.lockWaitMs / 1000,
    );
    try {
      rows =
        dump === undefined
          ? await restoreArchives(run, point, target, options)
          : await restoreForeign(run, dump, target, options);
    } catch (error) {
      if (target.isChanged) warnOfPart(context, database, backup, options.tables);
      throw error;
    } finally {
      await lock.release();
    }
  } finally {
    await control.close();
  }
  const seconds = (performance.now() - started) / 1000;
  await run.record({ file: backup.entry?.file ?? backup.path, database, rows });
  const warnings = run.warnings.map(({ message }) => message);
  return { file: backup.shown, database, rows, seconds, dryRun: false, warnings };
}

/** A load that ends early leaves a database that looks like one; nobody may take it for whole. */
function warnOfPart(
  context: Context,
  database: string,
  backup: ChosenBackup,
  tables: readonly string[],
): void {
  const what =
    tables.length === 0
      ? `${database} holds only a part of ${backup.shown} now; restore it`
      : `of ${tables.join(', ')} in ${database} there may be only a part now; restore that`;
  context.output.warn({
    code: 'TARGET_INCOMPLETE',
    message: `${what} again before anybody uses it`,
  });
}

async function restoreArchives(
  run: Run,
  point: RestorePoint,
  target: Target,
  options: RestoreOptions,
): Promise<number> {
  const { context } = run;
  const { database } = target;
  const archives = await ChainArchives.open(point.backups.map(({ path }) => path));
  try {
    archives.assertLinked();
    const { header } = archives.full.index;
    await prepareTarget(run, target, defaultsOf(header), options.tables);
    const result = await loadChain({
      database,
      archives,
      open: () => openServer(context, context.configuration.server, database),
      connections: context.configuration.backup.threads,
      ...(options.tables.length === 0 ? {} : { tables: new Set(options.tables) }),
      ...(point.until === undefined ? {} : { until: point.until }),
      idempotent: options.idempotent,
      rewrite: (statement) => renamed(statement, header.database, database),
      withoutBinlog: options.withoutBinlog,
      output: context.output,
    });
    await lookAtLoaded(run, database, archives, options.tables);
    return result.rows;
  } finally {
    await archives.close();
  }
}

/** What is in place may still not be what somebody expects. */
async function lookAtLoaded(
  run: Run,
  database: string,
  archives: ChainArchives,
  tables: readonly string[],
): Promise<void> {
  const { context } = run;
  const session = await openServer(context, context.configuration.server, database);
  try {
    if (archives.describesState) {
      await warnOfOtherEngines(session, database, archives.index.tables, run);
    }
    if (tables.length > 0) await warnOfOrphans(session, database, tables, run);
  } finally {
    await session.close();
  }
}

/** Bodies that name their own database follow it into a database of another name. */
export function renamed(statement: SplitStatement, from: string, to: string): Buffer {
  if (from === to || !namesObjects(statement)) return statement.text;
  return renameDatabaseQualifiers(statement.text, from, to, { lex: statement.lex });
}

/** Tables in an archive's definitions are named without a database; in the log anything may be. */
function namesObjects({ kind }: SplitStatement): boolean {
  return /^(?:CREATE|ALTER|DROP|RENAME|TRUNCATE|INSERT|REPLACE|UPDATE|DELETE|LOAD)/.test(kind);
}

async function restoreForeign(
  run: Run,
  dump: ForeignDump,
  target: Target,
  options: RestoreOptions,
): Promise<number> {
  const { context } = run;
  const { database } = target;
  await prepareTarget(run, target, undefined, []);
  const loaded = await loadForeign({
    context,
    dump,
    database,
    open: () => openServer(context, context.configuration.server, database),
    withoutBinlog: options.withoutBinlog,
    disableEvents: false,
  });
  return loaded.rows;
}
