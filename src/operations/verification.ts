/** What a check found of a backup stays with the backup's entry in the catalog. */
import type { Verification } from '../catalog/records.js';
import { ReshelveError } from '../errors.js';
import type { ChosenBackup } from './choose-backup.js';
import type { Run } from './run.js';

const DAMAGE_CODES: readonly string[] = [
  'DAMAGED',
  'VERIFY_FAILED',
  'DUMP_INCOMPLETE',
  'NOT_A_BACKUP',
];

/** What was found wrong with the backup itself stays with it; a lost connection says nothing of it. */
export async function rememberDamage(
  run: Run,
  backup: ChosenBackup,
  method: Verification['method'],
  error: unknown,
): Promise<void> {
  if (!(error instanceof ReshelveError) || !DAMAGE_CODES.includes(error.code)) return;
  await rememberVerification(run, backup, { status: 'failed', method, runId: run.id });
}

export async function rememberVerification(
  run: Run,
  backup: ChosenBackup,
  verification: Verification,
): Promise<void> {
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
