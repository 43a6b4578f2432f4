/**
 * The file of a lock. The right to remove the file of owner X belongs to whoever creates the file
 * `….claim-X`, X itself included. Owner ids are never used twice, so between the judgement that X is
 * dead and the removal of its file nobody can have put another in its place, and exactly one
 * contender succeeds X. A claim is itself such a file, so a contender that dies with one is
 * succeeded in the same way.
 */
import { link, open, readdir, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatLease, parseLease } from './lease.js';
import type { LeaseHolder, LeaseSight, Liveness, ProcessIdentity } from './lease.js';
import { withFileErrors } from '../file-errors.js';
import { FILE_MODE, hasCode } from './store-files.js';

export interface LeaseSighting {
  readonly sight: LeaseSight;
  /** Undefined where the text cannot be read as a lease. */
  readonly holder: LeaseHolder | undefined;
  /** The holder's id, or one made of the inode for an unreadable file. */
  readonly ownerKey: string;
}

/** The lock file once it is ours, open for heartbeats. */
export interface PlacedLease {
  readonly handle: FileHandle;
  readonly bytes: number;
}

const LEASE_BYTES_MAX = 4096;
/** Claims on claims on claims: each level takes a contender that died within milliseconds. */
const CLAIM_DEPTH_MAX = 4;
/** A waiting contender touches its temporary file all the time; one this old is a dead one's. */
const LEFTOVER_AGE_MS = 600_000;

export class LeaseFile {
  readonly #path: string;
  readonly #text: string;
  readonly #livenessOf: (other: ProcessIdentity) => Liveness;
  readonly #temporaryPath: string;
  #temporary: FileHandle | undefined;
  readonly ownerId: string;

  private constructor(
    path: string,
    holder: LeaseHolder,
    livenessOf: (other: ProcessIdentity) => Liveness,
  ) {
    this.#path = path;
    this.#text = formatLease(holder);
    this.#livenessOf = livenessOf;
    this.ownerId = holder.ownerId;
    this.#temporaryPath = `${path}.${holder.ownerId}.tmp`;
  }

  /** Writes the lease under a temporary name. Throws DIRECTORY, DISK_FULL and so on. */
  static async prepare(
    path: string,
    holder: LeaseHolder,
    livenessOf: (other: ProcessIdentity) => Liveness,
  ): Promise<LeaseFile> {
    const file = new LeaseFile(path, holder, livenessOf);
    try {
      await file.touch();
    } catch (error) {
      await file.discard();
      throw error;
    }
    return file;
  }

  /** Writes the temporary file again and gives the time that the file system stamps it with. */
  async touch(): Promise<number> {
    return withFileErrors('write', this.#temporaryPath, async () => {
      this.#temporary ??= await open(this.#temporaryPath, 'wx+', FILE_MODE);
      await writeWhole(this.#temporary, this.#text);
      return (await this.#temporary.stat()).mtimeMs;
    });
  }

  /** Removes the temporary file. */
  async discard(): Promise<void> {
    if (this.#temporary === undefined) return;
    await this.#temporary.close();
    this.#temporary = undefined;
    await unlink(this.#temporaryPath).catch(() => undefined);
  }

  /** Creates `path` with our lease in it, complete from its first instant; undefined if it exists. */
  async place(path: string): Promise<PlacedLease | undefined> {
    const bytes = Buffer.byteLength(this.#text);
    return withFileErrors('create', path, async () => {
      try {
        await link(this.#temporaryPath, path);
      } catch (error) {
        if (hasCode(error, 'EEXIST')) {
          // NFS: the answer to the first request may be lost and the repeated one fail.
          const existing = await this.look(path, 0);
          if (existing?.ownerKey !== this.ownerId) return undefined;
        } else if (hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) {
          return this.#placeWithoutLinks(path, bytes);
        } else {
          throw error;
        }
      }
      return this.#openPlaced(path, bytes);
    });
  }

  /** A claim that its lock's next holder has swept is as good as one that was never had. */
  async #openPlaced(path: string, bytes: number): Promise<PlacedLease | undefined> {
    try {
      return { handle: await open(path, 'r+'), bytes };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** exFAT and some network file systems know no hard links. */
  async #placeWithoutLinks(path: string, bytes: number): Promise<PlacedLease | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'wx+', FILE_MODE);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return undefined;
      throw error;
    }
    await writeWhole(handle, this.#text);
    return { handle, bytes };
  }

  /** Undefined where there is no file. `fileSystemMs`: now, as `touch` gave it. */
  async look(path: string, fileSystemMs: number): Promise<LeaseSighting | undefined> {
    return withFileErrors('read', path, async () => {
      let handle: FileHandle;
      try {
        handle = await open(path, 'r');
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined;
        throw error;
      }
      try {
        const { dev, ino, mtimeMs } = await handle.stat();
        const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(LEASE_BYTES_MAX) });
        const text = buffer.toString('utf8', 0, bytesRead);
        const holder = parseLease(text);
        const sight = {
          path,
          fingerprint: `${dev}:${ino}:${mtimeMs}:${text}`,
          liveness: holder === undefined ? ('unknown' as const) : this.#livenessOf(holder),
          ageMs: fileSystemMs - mtimeMs,
        };
        return { sight, holder, ownerKey: holder?.ownerId ?? `unreadable${ino}` };
      } finally {
        await handle.close();
      }
    });
  }

  /**
   * Removes the file of `ownerKey` if nobody else is about to. True where that owner's file is
   * certainly gone from `path`; false where another has the claim and it must be tried again.
   * `isDead` judges the holder of a claim that stands in the way.
   */
  async removeAs(
    path: string,
    ownerKey: string,
    isDead: (claim: LeaseSighting) => boolean,
    depth = 0,
  ): Promise<boolean> {
    const claimPath = `${path}.claim-${ownerKey}`;
    const fileSystemMs = await this.touch();
    const claim = await this.place(claimPath);
    if (claim === undefined) {
      const existing = await this.look(claimPath, fileSystemMs);
      if (existing !== undefined && depth < CLAIM_DEPTH_MAX && isDead(existing)) {
        await this.removeAs(claimPath, existing.ownerKey, isDead, depth + 1);
      }
      return false;
    }
    await claim.handle.close();
    return withFileErrors('remove', path, async () => {
      try {
        const current = await this.look(path, 0);
        if (current?.ownerKey === ownerKey) await unlink(path);
        return true;
      } finally {
        await unlinkIfThere(claimPath);
      }
    });
  }

  /**
   * Removes our own lock file, unless somebody has claimed it: then it is theirs to remove. The
   * file is its own claim under a second name, because on a full disk there is no room for another.
   */
  async removeOwn(path: string): Promise<void> {
    const claimPath = `${path}.claim-${this.ownerId}`;
    try {
      await link(path, claimPath);
    } catch (error) {
      if (hasCode(error, 'EEXIST', 'ENOENT')) return;
      await this.removeAs(path, this.ownerId, () => false);
      return;
    }
    await withFileErrors('remove', path, async () => {
      try {
        const current = await this.look(path, 0);
        if (current?.ownerKey === this.ownerId) await unlink(path);
      } finally {
        await unlinkIfThere(claimPath);
      }
    });
  }

  /**
   * Removes what crashed contenders left behind, as far as it can. Called by the holder: claims on earlier
   * owners mean nothing any more, because an owner that is not in the file now never is again.
   */
  async sweepLeftovers(): Promise<void> {
    const directory = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    const fileSystemMs = await this.touch();
    for (const name of await readdir(directory).catch(() => [])) {
      const path = join(directory, name);
      if (!name.startsWith(prefix) || name.startsWith(`${prefix}claim-${this.ownerId}`)) continue;
      const isClaim = name.startsWith(`${prefix}claim-`);
      const isLeft = isClaim || (name.endsWith('.tmp') && (await this.#isLeft(path, fileSystemMs)));
      if (isLeft) await unlink(path).catch(() => undefined);
    }
  }

  /** A temporary file of a process that is gone, or that nobody touches any more. */
  async #isLeft(path: string, fileSystemMs: number): Promise<boolean> {
    const sight = (await this.look(path, fileSystemMs).catch(() => undefined))?.sight;
    return sight !== undefined && (sight.liveness === 'gone' || sight.ageMs > LEFTOVER_AGE_MS);
  }
}

/** Between the removal of a lock and that of its claim, the next holder may have swept the claim. */
async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** A disk with little room left takes a part of a text without complaint. */
async function writeWhole(handle: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, written);
    written += bytesWritten;
  }
}
