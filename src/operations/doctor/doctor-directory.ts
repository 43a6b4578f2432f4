/** Looks at the backup directory and at what the catalog says of it. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogEntry } from '../../catalog/records.js';
import { ReshelveError } from '../../errors.js';
import { withFileErrors } from '../../file-errors.js';
import type { Context } from '../context.js';
import type { Finding } from './doctor-finding.js';
import { failedCheck, findingsOf } from './doctor-finding.js';
import { describeHolder, readLockState } from './doctor-lock.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const DAY_MS = 24 * 3600 * 1000;
/** A nightly backup that is older than this was missed at least once. */
const AGE_MS_MAX = 2 * DAY_MS;

export async function judgeDirectory(
  context: Context,
  entries: readonly CatalogEntry[],
): Promise<Finding[]> {
  const { directory, directoryShown } = context.configuration.backup;
  const say = findingsOf('backup directory');
  try {
    const found = await withFileErrors('look at', directory, () => stat(directory));
    if (!found.isDirectory()) {
      return [
        say.failed(`${directoryShown} is not a directory`, 'Set BACKUP_DIR to another path.'),
      ];
    }
    return [
      ...(await judgeAccess(directory, directoryShown)),
      judgeMode(directoryShown, found.mode, DIRECTORY_MODE),
      ...(await judgeFileModes(directory, entries)),
      ...(await judgeSpace(context, entries)),
      ...(await judgeLock(context)),
    ];
  } catch (error) {
    if (error instanceof ReshelveError && error.message.includes('ENOENT')) {
      return [say.ok(`${directoryShown} does not exist yet; the first backup makes it`)];
    }
    return [failedCheck('backup directory', error)];
  }
}

async function judgeAccess(directory: string, shown: string): Promise<Finding[]> {
  const say = findingsOf('backup directory');
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return [say.ok(`${shown} can be read and written`)];
  } catch {
    return [say.failed(`${shown} cannot be read and written`, `chown and chmod 700 ${shown}`)];
  }
}

function judgeMode(shown: string, mode: number, wanted: number): Finding {
  const say = findingsOf('backup directory');
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  const text = `${shown} has mode ${bits}`;
  const isOpen = (mode & 0o077) !== 0;
  return isOpen
    ? say.warning(`${text}: others can look at the backups`, `chmod ${wanted.toString(8)} ${shown}`)
    : say.ok(text);
}

async function judgeFileModes(
  directory: string,
  entries: readonly CatalogEntry[],
): Promise<Finding[]> {
  for (const { file, removedAt } of entries) {
    if (file === null || removedAt !== undefined || file.startsWith('/')) continue;
    const found = await stat(join(directory, file)).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) {
      return [judgeMode(file, found.mode, FILE_MODE)];
    }
  }
  return [];
}

/** Room for the next backup, judged by the size of the last. */
async function judgeSpace(context: Context, entries: readonly CatalogEntry[]): Promise<Finding[]> {
  const say = findingsOf('backup directory');
  const { directory, directoryShown } = context.configuration.backup;
  const { bavail, bsize } = await withFileErrors('look at', directory, () => statfs(directory));
  const free = bavail * bsize;
  const last = newestFull(context, entries)?.sizeBytes ?? 0;
  const text = `${gigabytes(free)} free, and the last backup took ${gigabytes(last)}`;
  const next = `Free space on the disk of ${directoryShown}, or set BACKUP_DIR to another (df -h).`;
  if (free < last) return [say.failed(`${text}: the next one would not fit`, next)];
  if (free < 2 * last) return [say.warning(`${text}: room for one more`, next)];
  return [say.ok(text)];
}

function gigabytes(bytes: number): string {
  return bytes < 1024 ** 3
    ? `${(bytes / 1024 ** 2).toFixed(1)} MB`
    : `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

async function judgeLock(context: Context): Promise<Finding[]> {
  const say = findingsOf('backup directory');
  const state = await readLockState(context.configuration.backup.directory, context.now());
  if (state === undefined) return [say.ok('no run holds the lock')];
  if (state.liveness === 'gone') {
    return [say.ok(`the lock of ${describeHolder(state)} is left over; the next run replaces it`)];
  }
  return [say.ok(`a run is under way: ${describeHolder(state)}`)];
}

export function newestFull(
  context: Context,
  entries: readonly CatalogEntry[],
): CatalogEntry | undefined {
  return entries.findLast(
    (entry) =>
      entry.type === 'full' &&
      entry.status !== 'failed' &&
      entry.database === context.configuration.databaseName,
  );
}

/** How old the last good backup is, and when one was last proven. */
export function judgeBackups(context: Context, entries: readonly CatalogEntry[]): Finding[] {
  const say = findingsOf('backups');
  const newest = newestFull(context, entries);
  if (newest === undefined) return [say.warning('there is none yet', 'npx reshelve full')];
  const ageMs = context.now().getTime() - Date.parse(newest.finishedAt);
  const text = `the last one ended ${newest.finishedAt}`;
  const findings = [
    ageMs > AGE_MS_MAX
      ? say.warning(`${text}, more than two days ago`, 'npx reshelve full')
      : say.ok(text),
  ];
  const proven = entries.findLast(
    (entry) => entry.verification?.status === 'success' && entry.verification.method === 'restore',
  );
  findings.push(
    proven === undefined
      ? say.warning('none was ever proven by a test restore', 'npx reshelve verify')
      : say.ok(`the last proof by test restore was ${proven.verifiedAt ?? ''}`),
  );
  const last = entries.findLast((entry) => entry.type === 'full');
  if (last?.status === 'failed') {
    findings.push(
      say.warning(`the last run failed: ${last.error?.code ?? ''}: ${last.error?.message ?? ''}`),
    );
  }
  return findings;
}
