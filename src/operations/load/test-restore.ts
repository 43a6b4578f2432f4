/** A backup restored into a database of its own, compared with what it says, and removed again. */
import { probeFile } from '../../archive/probe-file.js';
import { ReshelveError } from '../../errors.js';
import { readGrants } from '../../mysql/grants.js';
import type { Session } from '../../mysql/session.js';
import { stripDefiner } from '../../sql/ddl-definer.js';
import { setEventStatus } from '../../sql/ddl-event.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import type { CopyDifferences } from './archive-definitions.js';
import { isCreate } from './archive-definitions.js';
import type { ChainArchives, StateReader } from '../chains/chain-archives.js';
import type { ChosenBackup } from '../choose-backup.js';
import { assertNoProblems, compareCopy } from './compare-copy.js';
import type { Comparison } from './compare-copy.js';
import { loadChain } from '../chains/load-chain.js';
import { countRows, examineDump, loadForeign } from './load-foreign.js';
import { describeLoggedProof } from '../chains/replay-logged.js';
import type { RestorePoint } from '../chains/restore-point.js';
import { openSound } from '../chains/restore-point.js';
import type { Run } from '../run.js';
import { openServer } from '../sessions.js';
import { Stopwatch } from '../stopwatch.js';
import { TEST_COPY_MARK, testDatabaseName, withTestDatabase } from './test-database.js';

/**
 * Checks every file that the state needs, loads them into a test database, compares, and drops the
 * copy. What takes time is told to `watch`: check, create, load, compare, drop. Throws VERIFY_FAILED,
 * DAMAGED and the like.
 */
export async function testRestore(
  run: Run,
  point: RestorePoint,
  watch: Stopwatch,
): Promise<Comparison['tables']> {
  const { newest } = point;
  const probe = await probeFile(newest.path);
  if (probe.kind !== 'reshelve') return restoreForeign(run, newest, probe.detail, watch);
  const archives = await openSound(run.context, point);
  watch.lap('check');
  try {
    return await restoreAndCompare(run, archives, watch);
  } finally {
    await archives.close();
  }
}

/**
 * The same for a chain of logged changes, whose state must be the one that `state` describes: every
 * definition but those of events, which are not made in a copy, and the content of every table.
 */
export async function proveChain(
  run: Run,
  point: RestorePoint,
  state: StateReader,
): Promise<Comparison['tables']> {
  const archives = await openSound(run.context, point);
  try {
    return await restoreAndCompare(run, archives, new Stopwatch(), { state, until: point.until });
  } finally {
    await archives.close();
  }
}

interface ExpectedState {
  readonly state: StateReader;
  readonly until: RestorePoint['until'];
}

async function restoreAndCompare(
  run: Run,
  archives: ChainArchives,
  watch: Stopwatch,
  expected?: ExpectedState,
): Promise<Comparison['tables']> {
  const { header } = archives.full.index;
  const tables = await withTestDatabase(run.context, header, async (context, database, server) => {
    watch.lap('create');
    const control = await openServer(context, server, database);
    try {
      const differences = await chooseDifferences(run, control);
      const open = (): Promise<Session> => openServer(context, server, database);
      await loadChain({
        database,
        archives,
        open,
        connections: context.configuration.backup.threads,
        rewrite: (statement) => forTestCopy(statement, differences),
        withoutBinlog: true,
        // A logged ALTER EVENT could start one in the copy.
        withoutEvents: !archives.describesState,
        ...(expected?.until === undefined ? {} : { until: expected.until }),
        output: context.output,
      });
      watch.lap('load');
      if (expected === undefined && !archives.describesState) {
        return await countLogged(run, control, database);
      }
      const state = expected?.state ?? archives.asState();
      const copy = { control, database, differences, open, hasEvents: archives.describesState };
      const found = await compare(run, state, copy);
      watch.lap('compare');
      return found;
    } finally {
      await control.close();
    }
  });
  watch.lap('drop');
  return tables;
}

/**
 * Logged changes carry no digests. The proof is that each row was found as it was before its change,
 * because row events are applied strictly; what is left is to count.
 */
async function countLogged(
  run: Run,
  control: Session,
  database: string,
): Promise<Comparison['tables']> {
  run.context.output.line(describeLoggedProof(false));
  const counted = await countRows(database, control);
  const tables = counted.tables.filter(({ name }) => name !== TEST_COPY_MARK);
  assertCriticalTables(run, tables);
  return tables;
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

interface Copy {
  readonly control: Session;
  readonly database: string;
  readonly differences: CopyDifferences;
  readonly open: () => Promise<Session>;
  readonly hasEvents: boolean;
}

async function compare(
  run: Run,
  reader: StateReader,
  { control, database, differences, open, hasEvents }: Copy,
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
      ...(hasEvents ? {} : { isReplayed: true, objects: ({ type }) => type !== 'event' }),
    });
    assertNoProblems(comparison.problems);
    assertCriticalTables(run, tables);
    return comparison.tables;
  } finally {
    await Promise.all(others.map((session) => session.close()));
  }
}

/** Throws VERIFY_FAILED where a table of BACKUP_CRITICAL_TABLES is missing. */
export function assertCriticalTables(run: Run, tables: readonly { readonly name: string }[]): void {
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
async function restoreForeign(
  run: Run,
  backup: ChosenBackup,
  detail: string,
  watch: Stopwatch,
): Promise<Comparison['tables']> {
  const test = testDatabaseName(run.context.configuration.databaseName);
  const dump = await examineDump(run.context, backup, test);
  watch.lap('check');
  run.context.output.line(`The file is ${detail}: it has no digests, so rows are only counted`);
  const found = await withTestDatabase(
    run.context,
    undefined,
    async (context, database, server) => {
      watch.lap('create');
      const loaded = await loadForeign({
        context,
        dump,
        database,
        open: () => openServer(context, server, database),
        withoutBinlog: true,
        disableEvents: true,
      });
      watch.lap('load');
      const tables = loaded.tables.filter((table) => table.name !== TEST_COPY_MARK);
      assertCriticalTables(run, tables);
      watch.lap('compare');
      return tables;
    },
  );
  watch.lap('drop');
  return found;
}
