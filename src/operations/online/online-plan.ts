/** What an online recovery is asked for, what it gives, and what `--dry-run` says of it. */
import { basename } from 'node:path';
import { openArchive } from '../../archive/archive-reader.js';
import { ReshelveError } from '../../errors.js';
import type { Comparison } from '../load/compare-copy.js';
import type { Context } from '../context.js';
import { onlinePreflight } from './online-preflight.js';
import type { OnlinePreflight } from './online-preflight.js';
import { lookAtSource } from '../recovery/recovery-source.js';
import type { RecoverySource } from '../recovery/recovery-source.js';
import { chooseRestorePoint } from '../chains/restore-point.js';
import { openServer } from '../sessions.js';

export interface OnlineOptions {
  readonly file?: string;
  readonly dryRun: boolean;
  readonly otherDatabase: boolean;
  /** Asks whether the named database may be replaced; throws CONFIRMATION if not. */
  readonly confirm: (database: string, loss: string) => Promise<void>;
}

export interface OnlineResult {
  readonly outcome: 'recovered' | 'planned';
  readonly file: string;
  readonly name: string;
  readonly database: string;
  readonly tables: Comparison['tables'];
  readonly seconds: number;
  /** How long readers and writers were held up by the swap. */
  readonly heldMs: number;
  /** The database that keeps the old tables. */
  readonly previous: string | null;
  readonly emergencyFile: string | null;
  readonly warnings: readonly string[];
}

/** Looks at everything, says what would be done, and changes nothing. */
export async function showOnlinePlan(
  context: Context,
  options: OnlineOptions,
): Promise<OnlineResult> {
  const { newest } = await chooseRestorePoint(context, options.file);
  const source = await lookAtSource(context, newest, options.otherDatabase);
  assertArchive(source);
  const { abilities } = await lookAround(context, source);
  const { databaseName } = context.configuration;
  const { output } = context;
  output.line(`Would recover ${databaseName} from ${source.shown}. Nothing was changed.`);
  output.line(`  Step 1: back up ${databaseName} and check the backup`);
  output.line(`  Step 2: check every byte of ${source.shown}`);
  output.line(`  Step 3: load it into a database beside ${databaseName}`);
  output.line('  Step 4: compare definitions, row counts and content digests there');
  output.line('  Step 5: swap all tables in one statement; the old ones stay beside it');
  output.line('What was found:');
  for (const { level, text, next } of abilities) {
    output.line(`  ${level.startsWith('refused') ? '✗' : '-'} ${text}`);
    if (next !== undefined) output.line(`      ${next}`);
  }
  return { ...resultOf(context, source), outcome: 'planned' };
}

export async function lookAround(
  context: Context,
  source: RecoverySource,
): Promise<OnlinePreflight> {
  const session = await openServer(context, context.configuration.server);
  const reader = await openArchive(source.path);
  try {
    return await onlinePreflight(context, session, source, reader);
  } finally {
    await reader.close();
    await session.close();
  }
}

/** Throws NOT_A_BACKUP for a dump of another tool. */
export function assertArchive(source: RecoverySource): void {
  if (source.dump === undefined) return;
  throw new ReshelveError(
    'NOT_A_BACKUP',
    `${source.shown} is a dump of another tool, whose rows cannot be proven before the swap`,
    { hint: 'Run `reshelve recover FILE` without --online.' },
  );
}

/** The result with nothing in it yet. */
export function resultOf(
  { configuration }: Context,
  source: RecoverySource,
): Omit<OnlineResult, 'outcome'> {
  return {
    file: source.shown,
    name: basename(source.path),
    database: configuration.databaseName,
    tables: [],
    seconds: 0,
    heldMs: 0,
    previous: null,
    emergencyFile: null,
    warnings: [],
  };
}
