import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SandboxError, systemErrorCode } from './errors.js';
import type { Log } from './run.js';

const LOCK_WAIT_MS_MAX = 15 * 60_000;
const LOCK_POLL_MS = 200;

/** The folder of package.json: this file also runs from `dist/`, so it is looked for upwards. */
function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (folder !== dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"name": "reshelve"')) {
      return folder;
    }
    folder = dirname(folder);
  }
  throw new SandboxError('could not find the folder of the reshelve package.json');
}

/** Where fetched servers live: `RESHELVE_CACHE`, else `.cache` in the repository. */
export function cacheDirectory(): string {
  const configured = process.env['RESHELVE_CACHE'];
  const isSet = configured !== undefined && configured !== '';
  return isSet ? configured : join(repositoryRoot(), '.cache');
}

/**
 * Gives the cached folder `name`, filled by `fill` where it does not exist yet.
 *
 * A folder is filled under another name and then renamed, so that a folder with its final name is
 * always complete. The lock only spares a second process the same work: if it were ever broken
 * wrongly, both would fill a folder of their own and the rename lets the first one win.
 */
export async function cached(
  name: string,
  log: Log,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = cacheDirectory();
  const final = join(cache, name);
  if (existsSync(final)) return final;
  await mkdir(cache, { recursive: true });
  const lock = `${final}.lock`;
  if (!(await waitForLock(lock, final, log))) return final;
  try {
    await removeLeftovers(cache, name);
    const temporary = `${final}.tmp-${process.pid}`;
    await mkdir(temporary);
    try {
      await fill(temporary);
      await moveIntoPlace(temporary, final);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } finally {
    await rm(lock, { force: true });
  }
  return final;
}

async function moveIntoPlace(temporary: string, final: string): Promise<void> {
  try {
    await rename(temporary, final);
  } catch (error) {
    if (!existsSync(final)) throw error;
  }
}

/** True when we hold the lock; false when the folder came into being while we waited. */
async function waitForLock(lock: string, final: string, log: Log): Promise<boolean> {
  const deadline = Date.now() + LOCK_WAIT_MS_MAX;
  let told = false;
  while (Date.now() < deadline) {
    if (await takeLock(lock)) {
      if (!existsSync(final)) return true;
      await rm(lock, { force: true });
      return false;
    }
    if (existsSync(final)) return false;
    if (await isAbandoned(lock)) {
      await rm(lock, { force: true });
      continue;
    }
    if (!told) log(`waiting for another process that is preparing ${final}`);
    told = true;
    await delay(LOCK_POLL_MS);
  }
  throw new SandboxError(`expected the lock ${lock} to be released, but it is still held`);
}

/** A hard link appears with its content, so a lock always names its owner. */
async function takeLock(lock: string): Promise<boolean> {
  const mine = `${lock}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(mine, String(process.pid));
  try {
    await link(mine, lock);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  const owner = Number.parseInt(text, 10);
  return Number.isInteger(owner) && !isAlive(owner);
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Removes what a killed process left half filled. */
async function removeLeftovers(cache: string, name: string): Promise<void> {
  const prefix = `${name}.tmp-`;
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(prefix)) continue;
    const owner = Number.parseInt(entry.slice(prefix.length), 10);
    if (owner === process.pid || !isAlive(owner)) {
      await rm(join(cache, entry), { recursive: true, force: true });
    }
  }
}
