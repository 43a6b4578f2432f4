/** Locks for tests: quick timing, files as other processes would have left them. */
import { utimesSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import { formatLease } from '../../src/catalog/lease.js';
import type { LeaseHolder } from '../../src/catalog/lease.js';
import { REAL_SURROUNDINGS } from '../../src/catalog/store-lease.js';
import type { LeaseSurroundings } from '../../src/catalog/store-lease.js';
import { thisProcess } from '../../src/catalog/store-process.js';
import { ReshelveError } from '../../src/errors.js';

/** The same rules, fifty times as fast. */
export const QUICK: LeaseSurroundings = {
  ...REAL_SURROUNDINGS,
  timing: { heartbeatMs: 100, staleMs: 1200, confirmMs: 300, pollMs: 10 },
};

/** A holder that the operating system takes for this process unless `fields` say otherwise. */
export function foreign(fields: Partial<LeaseHolder> = {}): LeaseHolder {
  return {
    ...thisProcess(),
    ownerId: 'foreign1',
    operation: 'full',
    startedAt: '2026-01-02T02:00:00.000Z',
    ...fields,
  };
}

/** A lock file as another host would have left it so many milliseconds ago. */
export function leaveLock(path: string, holder: LeaseHolder, ageMs: number): void {
  writeFileSync(path, formatLease(holder));
  setAge(path, ageMs);
}

export function setAge(path: string, ageMs: number): void {
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

/** The LOCKED error of an attempt that must fail. */
export async function refusal(
  directory: string,
  waitMs = 0,
  surroundings = REAL_SURROUNDINGS,
): Promise<ReshelveError> {
  const error: unknown = await acquireDirectoryLock(
    directory,
    { operation: 'verify', waitMs },
    surroundings,
  ).then(
    () => new Error('expected LOCKED but found the lock free'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ReshelveError);
  expect(error).toMatchObject({ code: 'LOCKED', exitCode: 6 });
  return error as ReshelveError;
}
