/** A release that is overtaken: the next holder is in before the claim of the last one is removed. */
import { mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LeaseFile } from '../../src/catalog/store-lease-file.js';
import { foreign, leaveLock } from './lock-support.js';

let directory: string;
let lockFile: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reshelve-swept-'));
  lockFile = join(directory, '.reshelve.lock');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Judging a holder comes after the claim is placed, so that is where the sweeper strikes. */
async function sweptWhileJudging(ownerId: string, claimOn: string): Promise<LeaseFile> {
  return LeaseFile.prepare(lockFile, foreign({ ownerId }), () => {
    unlinkSync(`${lockFile}.claim-${claimOn}`);
    return 'gone';
  });
}

test('removing our own lock does not fail for a claim that was swept', async () => {
  const file = await sweptWhileJudging('owner1', 'owner1');
  const placed = await file.place(lockFile);
  await placed?.handle.close();
  await file.removeOwn(lockFile);
  await file.discard();
  expect(readdirSync(directory)).toEqual([]);
});

test('succeeding a dead holder does not fail for a claim that was swept', async () => {
  leaveLock(lockFile, foreign({ ownerId: 'owner0' }), 0);
  const file = await sweptWhileJudging('owner1', 'owner0');
  expect(await file.removeAs(lockFile, 'owner0', () => false)).toBe(true);
  await file.discard();
  expect(readdirSync(directory)).toEqual([]);
});
