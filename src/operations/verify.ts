/** The proof of a backup: restored into a database of its own, compared, and removed again. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { openArchive } from '../archive/archive-reader.js';
import type { ArchiveReader } from '../archive/archive-reader.js';
import { probeFile } from '../archive/probe-file.js';
import type { Verification } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import { readGrants } from '../mysql/grants.js';
import type { Session } from '../mysql/session.js';
import { stripDefiner } from '../sql/ddl-definer.js';
import { setEventStatus } from '../sql/ddl-event.js';
import type { SplitStatement } from '../sql/statement-splitter.js';
import type { CopyDifferences } from './archive-definitions.js';
import { isCreate } from './archive-definitions.js';
import { assertSound } from './check-file.js';
import type { ChosenBackup } from './choose-backup.js';
import { chooseBackup } from './choose-backup.js';
import { compareCopy } from './compare-copy.js';
import type { Comparison } from './compare-copy.js';
import type { Context } from './context.js';
import { loadArchive } from './load-archive.js';
import { examineDump, loadForeign } from './load-foreign.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';
import { openServer } from './sessions.js';
import { TEST_COPY_MARK, testDatabaseName, withTestDatabase } from './test-database.js';

export interface VerifyOptions {
  readonly file?: string;
  /** Only the file by itself; no server is asked. */
  readonly quick: boolean;
}

export interface VerifyResult {
  readonly file: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly method: Verification['method'];
  readonly tables: Comparison['tables'];
  readonly warnings: readonly string[];
}

export async function runVerify(context: Context, options: VerifyOptions): Promise<VerifyResult> {
  return recordedRun(context, 'verify', async (run) => {
    const backup = await chooseBackup(run.context, options.file);
    run.context.output.line(`Verifying backup: ${backup.shown}`);
    try {
      const tables = options.quick
        ? await verifyFile(run, backup)
        : await verifyByRestore(run, backup);
      return await succeed(run, backup, options, tables);
    } catch (error) {
      await rememberDamage(run, backup, options, error);
      throw error;
    }
  });
}

async function succeed(
  run: Run,
  backup: ChosenBackup,
  options: VerifyOptions,
  tables: Comparison['tables'],
): Promise<VerifyResult> {
  const method = options.quick ? 'file' : 'restore';
  await run.record({ file: backup.entry?.file ?? backup.path });
  await remember(run, backup, { status: 'success', method, runId: run.id });
  return {
    file: backup.shown,
    name: basename(backup.path),
    sizeBytes: (await stat(backup.path)).size,
    method,
    tables,
    warnings: run.warnings.map((warning) => warning.message),
  };
}

/** What was found wrong with the backup itself stays with it; a lost connection says nothing of it. */
async function rememberDamage(
  run: Run,
  backup: ChosenBackup,
  options: VerifyOptions,
  error: unknown,
): Promise<void> {
  const codes = ['DAMAGED', 'VERIFY_FAILED', 'DUMP_INCOMPLETE', 'NOT_A_BACKUP'];
  if (!(error instanceof ReshelveError) || !codes.includes(error.code)) return;
  const method = options.quick ? 'file' : 'restore';
  await remember(run, backup, { status: 'failed', method, runId: run.id });
}

async function remember(run: Run, backup: ChosenBackup, verification: Verification): Promise<void> {
  if (backup.entry === undefined) return;
  // A look at the file alone takes nothing away from a proof by restore.
  const proof = backup.entry.verification;
  const isProven = proof?.status === 'success' && proof.method === 'restore';
  if (isProven && verification.status === 'success' && verification.method === 'file') return;
  await run.context.catalog.update(backup.entry.id, {
    verifiedAt: run.context.now().toISOString(),
    verification,
  });
}

async function verifyFile(run: Run, backup: ChosenBackup): Promise<Comparison['tables']> {
  const probe = await probeFile(backup.path);
  if (probe.kind !== 'reshelve') {
    await examineDump(run.context, backup, run.context.configuration.databaseName);
    return [];
  }
  await assertSound(run.context, backup.path, backup.shown);
  const reader = await openArchive(backup.path);
  try {
    const { tables } = reader.index;
    assertCriticalTables(run, tables);
    return tables.map(({ name, rows }) => ({ name, rows }));
  } finally {
    await reader.close();
  }
}

async function verifyByRestore(run: Run, backup: ChosenBackup): Promise<Comparison['tables']> {
  const probe = await probeFile(backup.path);
  if (probe.kind !== 'reshelve') return verifyForeign(run, backup, probe.detail);
  await assertSound(run.context, backup.path, backup.shown);
  const reader = await openArchive(backup.path);
  try {
    return await restoreAndCompare(run, reader);
  } finally {
    await reader.close();
  }
}

async function restoreAndCompare(run: Run, reader: ArchiveReader): Promise<Comparison['tables']> {
  const { header } = reader.index;
  return withTestDatabase(run.context, header, async (context, database, server) => {
    const control = await openServer(context, server, database);
    try {
      const differences = await chooseDifferences(run, control);
      const open = (): Promise<Session> => openServer(context, server, database);
      await loadArchive({
        reader,
        open,
        connections: context.configuration.backup.threads,
        rewrite: (statement) => forTestCopy(statement, differences),
        withoutBinlog: true,
        output: context.output,
      });
      return await compare(run, reader, control, database, differences, open);
    } finally {
      await control.close();
    }
  });
}

/** A user who may not create objects in another's name checks everything but that name. */
async function chooseDifferences(run: Run, control: Session): Promise<CopyDifferences> {
  const grants = await readGrants(control);
  const definersReplaced = !grants.holdsGlobally('SET_ANY_DEFINER');
  if (definersReplaced) {
    run.context.output.line(
      'Definers are not part of this check (GRANT SET_ANY_DEFINER would make them so)',
    );
  }
  return { eventsDisabled: true, definersReplaced };
}

/** No event of the copy may ever run. */
function forTestCopy(statement: SplitStatement, differences: CopyDifferences): Buffer {
  if (!isCreate(statement)) return statement.text;
  const lexical = { lex: statement.lex };
  let { text } = statement;
  if (differences.definersReplaced && statement.kind !== 'CREATE TABLE') {
    text = stripDefiner(text, lexical);
  }
  return statement.kind === 'CREATE EVENT' ? setEventStatus(text, 'DISABLE', lexical) : text;
}

async function compare(
  run: Run,
  reader: ArchiveReader,
  control: Session,
  database: string,
  differences: CopyDifferences,
  open: () => Promise<Session>,
): Promise<Comparison['tables']> {
  const { output, configuration } = run.context;
  output.line('Checking table integrity...');
  const { header, tables } = reader.index;
  const sameVersion = header.serverVersion === control.facts.version;
  if (!sameVersion) {
    run.warn({
      code: 'OTHER_VERSION',
      message: `definitions are not compared: the backup is of ${header.serverVersion} and the test server is ${control.facts.version}`,
    });
  }
  const others: Session[] = [];
  try {
    for (let at = 1; at < configuration.backup.threads; at += 1) others.push(await open());
    const comparison = await compareCopy({
      reader,
      database,
      sessions: [control, ...others],
      differences,
      compareDefinitions: sameVersion,
      output,
      ignoredTables: new Set([TEST_COPY_MARK]),
    });
    assertSame(comparison);
    assertCriticalTables(run, tables);
    return comparison.tables;
  } finally {
    await Promise.all(others.map((session) => session.close()));
  }
}

function assertSame(comparison: Comparison): void {
  const [first, ...others] = comparison.problems;
  if (first === undefined) return;
  const more =
    others.length === 0 ? '' : ` (and ${others.length} more: ${others.slice(0, 9).join('; ')})`;
  throw new ReshelveError('VERIFY_FAILED', `${first}${more}`);
}

function assertCriticalTables(run: Run, tables: readonly { readonly name: string }[]): void {
  const known = new Set(tables.map((table) => table.name));
  const missing = run.context.configuration.backup.criticalTables.filter(
    (name) => !known.has(name),
  );
  if (missing.length === 0) return;
  throw new ReshelveError(
    'VERIFY_FAILED',
    `expected the critical tables ${missing.join(', ')} but the backup does not hold them`,
    { hint: 'See BACKUP_CRITICAL_TABLES and `reshelve inspect FILE`.' },
  );
}

/** A dump of another tool says nothing of its content: it must load whole and hold the tables. */
async function verifyForeign(
  run: Run,
  backup: ChosenBackup,
  detail: string,
): Promise<Comparison['tables']> {
  const test = testDatabaseName(run.context.configuration.databaseName);
  const dump = await examineDump(run.context, backup, test);
  run.context.output.line(`The file is ${detail}: it has no digests, so rows are only counted`);
  return withTestDatabase(run.context, undefined, async (context, database, server) => {
    const loaded = await loadForeign({
      context,
      dump,
      database,
      open: () => openServer(context, server, database),
      withoutBinlog: true,
      disableEvents: true,
    });
    const tables = loaded.tables.filter((table) => table.name !== TEST_COPY_MARK);
    assertCriticalTables(run, tables);
    return tables;
  });
}
