/**
 * The recovery without a stop: the backup is loaded and proven beside the live database, then the tables
 * change places in one statement. The old ones stay in a database of their own.
 */
import { join } from 'node:path';
import type { ArchiveReader } from '../archive/archive-reader.js';
import { openArchive } from '../archive/archive-reader.js';
import { sideDatabaseName } from '../catalog/side-database.js';
import { assert } from '../errors.js';
import { defaultsOf } from '../sql/database-defaults.js';
import type { ChosenBackup } from './choose-backup.js';
import type { Comparison } from './load/compare-copy.js';
import type { Context } from './context.js';
import { withSignals } from './context.js';
import { makeEmergencyBackup, nameEmergencyBackup } from './recovery/emergency-backup.js';
import { beginJournal } from './recovery/begin-journal.js';
import { pruneEmergencies } from './recovery/emergency-retention.js';
import { removeLeftovers } from './leftovers.js';
import { assertNothingKept } from './online/online-journal.js';
import { giveUp, swapOrReturn } from './online/online-outcome.js';
import { assertArchive, lookAround, resultOf, showOnlinePlan } from './online/online-plan.js';
import type { OnlineOptions, OnlineResult } from './online/online-plan.js';
import { assertAble } from './online/online-preflight.js';
import { liveOf, noteOnline, swapRecord } from './online/online-recovery.js';
import type { Online } from './online/online-recovery.js';
import { dropStagings, loadStaging, proveStaging } from './online/online-staging.js';
import { prepareSwap } from './online/online-swap.js';
import { RecoveryLock } from './recovery/recovery-lock.js';
import { assertSourceSound, lookAtSource } from './recovery/recovery-source.js';
import type { RecoverySource } from './recovery/recovery-source.js';
import { chooseRestorePoint } from './chains/restore-point.js';
import type { Run } from './run.js';
import { recordedRun } from './run.js';
import { openServer } from './sessions.js';
import { makeSideDatabase } from './online/side-database.js';
import { abandonUntouched } from './recovery/unfinished-recovery.js';

export async function runRecoverOnline(
  context: Context,
  options: OnlineOptions,
): Promise<OnlineResult> {
  if (options.dryRun) return showOnlinePlan(context, options);
  return recordedRun(context, 'recover', async (run) => {
    await removeLeftovers(run);
    await abandonUntouched(run.context);
    const { newest } = await chooseRestorePoint(run.context, options.file);
    return recoverOnlineFrom(run, newest, options);
  });
}

/** The recovery itself, under the lock of the directory; also what `--resume` begins anew. */
export async function recoverOnlineFrom(
  run: Run,
  backup: ChosenBackup,
  options: OnlineOptions,
): Promise<OnlineResult> {
  const startedMs = performance.now();
  await assertNothingKept(run.context);
  const source = await lookAtSource(run.context, backup, options.otherDatabase);
  assertArchive(source);
  const lock = await RecoveryLock.acquire(run.context);
  try {
    const context = withSignals(run.context, lock.lost);
    const found = await lookAround(context, source);
    assertAble(found.abilities);
    for (const { level, text, next } of found.abilities) {
      if (level !== 'warning') continue;
      run.warn({ code: 'PREFLIGHT', message: next === undefined ? text : `${text} (${next})` });
    }
    await options.confirm(context.configuration.databaseName, found.loss);
    const journal = await beginJournal(run, lock, 'online', source, found.oldDefaults);
    try {
      const online: Online = { run: { ...run, context }, context, lock, journal };
      return await recoverOnline(online, source, startedMs);
    } finally {
      await journal.close();
    }
  } finally {
    await lock.release();
  }
}

async function recoverOnline(
  online: Online,
  source: RecoverySource,
  startedMs: number,
): Promise<OnlineResult> {
  const { output } = online.context;
  output.line('=== ONLINE DATABASE RECOVERY ===');
  output.line(`Target backup: ${source.shown}`);
  output.line(`Database: ${liveOf(online)} (stays in use)`);
  const reader = await openArchive(source.path);
  try {
    let tables: Comparison['tables'];
    try {
      await saveOldState(online);
      tables = await stage(online, source, reader);
    } catch (error) {
      throw await giveUp(online, error);
    }
    const { heldMs } = await swapOrReturn(online, reader, tables);
    return await recordOnline(online, source, tables, { startedMs, heldMs });
  } finally {
    await reader.close();
  }
}

async function saveOldState(online: Online): Promise<void> {
  const { run, context } = online;
  context.output.line('');
  context.output.line('Step 1: Creating emergency backup of current database...');
  const file = nameEmergencyBackup(run);
  await noteOnline(online, { step: 'emergency', detail: { file: file.relative } });
  const made = await makeEmergencyBackup(run, file);
  for (const warning of made.warnings) run.warn(warning);
  await noteOnline(online, {
    step: 'emergency-ready',
    detail: { file: made.relative, sha256: made.sha256 },
  });
  context.output.line(`✓ Emergency backup saved: ${made.shown}`);
}

async function stage(
  online: Online,
  source: RecoverySource,
  reader: ArchiveReader,
): Promise<Comparison['tables']> {
  const { run, context } = online;
  const { output, configuration } = context;
  output.line('');
  output.line('Step 2: Verifying backup file integrity...');
  await assertSourceSound(context, source);
  output.line('✓ Backup file integrity verified');
  output.line('');
  await dropStagings(online);
  const { timeZone } = configuration.backup;
  const staging = sideDatabaseName(liveOf(online), 'staging', run.startedAt, timeZone);
  output.line(`Step 3: Loading the backup into ${staging}...`);
  await noteOnline(online, { step: 'stage', detail: { staging } });
  const session = await openServer(context, configuration.server);
  try {
    const purpose = `copy of ${liveOf(online)} that the online recovery ${run.id} loads`;
    const { oldDefaults } = online.journal.state.begin;
    const defaults = { ...oldDefaults, ...defaultsOf(reader.index.header) };
    await makeSideDatabase(session, staging, purpose, defaults);
  } finally {
    await session.close();
  }
  await noteOnline(online, { step: 'stage-load', detail: {} });
  await loadStaging(context, reader, staging);
  output.line('✓ Loaded');
  output.line('');
  output.line('Step 4: Comparing every row of the copy...');
  await noteOnline(online, { step: 'stage-verify', detail: {} });
  const tables = await proveStaging(context, reader, staging, true);
  output.line('✓ The copy is what the backup says');
  output.line('');
  output.line('Step 5: Swapping the tables...');
  await prepareSwap(online, staging, namesOfTables(reader));
  return tables;
}

/** Everything that RENAME moves. */
function namesOfTables({ index }: ArchiveReader): string[] {
  return [
    ...index.tables.map(({ name }) => name),
    ...index.objects.flatMap(({ type, name }) => (type === 'sequence' ? [name] : [])),
  ];
}

/** Recorded in the catalog before anything else is told. */
export async function recordOnline(
  online: Online,
  source: RecoverySource,
  tables: Comparison['tables'],
  times: { readonly startedMs: number; readonly heldMs: number },
): Promise<OnlineResult> {
  const { run, journal } = online;
  const { emergencyFile } = journal.state;
  await run.record({
    file: source.file,
    tables: tables.length,
    rows: tables.reduce((sum, table) => sum + table.rows, 0),
    ...(emergencyFile === null ? {} : { emergencyFile }),
  });
  await pruneEmergencies(run);
  const record = swapRecord(online);
  assert(record !== undefined, 'the swap was announced');
  const { directoryShown } = run.context.configuration.backup;
  return {
    ...resultOf(run.context, source),
    outcome: 'recovered',
    tables,
    seconds: (performance.now() - times.startedMs) / 1000,
    heldMs: Math.round(times.heldMs),
    previous: record.previous,
    emergencyFile: emergencyFile === null ? null : join(directoryShown, emergencyFile),
    warnings: run.warnings.map(({ message }) => message),
  };
}
