/** Records of recoveries for tests. */
import type {
  BeginDetail,
  RecoveryRecord,
  RecoveryStep,
} from '../../src/catalog/recovery-journal.js';

export const BEGIN: BeginDetail = {
  runId: '7d8f7c1e-0000-4000-8000-000000000000',
  database: 'LibraryDB',
  server: 'localhost:3306',
  serverUuid: null,
  host: 'db1',
  pid: 4711,
  backupFile: '/srv/backups/LibraryDB_20260102_020000.sql.gz',
  backupShown: 'backups/LibraryDB_20260102_020000.sql.gz',
  backupSha256: 'a'.repeat(64),
  oldDefaults: { characterSet: 'utf8mb4', collation: 'utf8mb4_0900_ai_ci' },
};

export const EMERGENCY_FILE = 'emergency/pre_restore_LibraryDB_20260102_153045.sql.gz';

/** A recovery that fails while it loads and is rolled back. */
export const ROLLED_BACK: readonly RecoveryStep<'recover'>[] = [
  { kind: 'recover', step: 'begin', detail: BEGIN },
  { kind: 'recover', step: 'emergency', detail: { file: EMERGENCY_FILE } },
  {
    kind: 'recover',
    step: 'emergency-ready',
    detail: { file: EMERGENCY_FILE, sha256: 'b'.repeat(64) },
  },
  { kind: 'recover', step: 'drop', detail: {} },
  { kind: 'recover', step: 'create', detail: { defaults: null } },
  { kind: 'recover', step: 'load', detail: {} },
  { kind: 'recover', step: 'rollback', detail: { code: 'SERVER', message: 'error "1064"\n…' } },
  { kind: 'recover', step: 'rollback-drop', detail: {} },
  { kind: 'recover', step: 'rollback-load', detail: {} },
  { kind: 'recover', step: 'rollback-verify', detail: {} },
  { kind: 'recover', step: 'finish', detail: { outcome: 'rolled-back' } },
];

export function recordsOf(steps: readonly RecoveryStep[]): RecoveryRecord[] {
  return steps.map((step, at) => ({
    ...step,
    at: new Date(Date.UTC(2026, 0, 2, 15, 30, at)).toISOString(),
  }));
}
