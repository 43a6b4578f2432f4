/** backup_logs.json on disk: read, appended to and repaired so that no crash can spoil it. */
import { constants, existsSync } from 'node:fs';
import { copyFile, link, open, readdir, readFile, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { assert, ReshelveError } from '../errors.js';
import { mergeRebuilt, salvageEntries, trimEntries } from './merge.js';
import { entryProblem, formatCatalog, parseCatalog } from './records.js';
import type { CatalogEntry } from './records.js';
import { withFileErrors } from '../file-errors.js';
import { hasCode, replaceFile, syncDirectory } from './store-files.js';
import { acquireLease, REAL_SURROUNDINGS } from './store-lease.js';
import type { Lease, LeaseSurroundings } from './store-lease.js';

const CATALOG_FILE_NAME = 'backup_logs.json';
const MUTEX_FILE_NAME = '.backup_logs.lock';

/** Older runs leave the catalog, unless they made a backup that still exists. */
const ENTRIES_MAX = 5000;
const MUTEX_WAIT_MS = 20_000;
const MUTEX_POLL_MS = 20;
const DAMAGED_COPIES_MAX = 1000;

export interface CatalogStore {
  /** Absolute path of backup_logs.json. */
  readonly path: string;
  /** All entries, oldest first; none where the file does not exist. Throws CATALOG_DAMAGED. */
  read(): Promise<CatalogEntry[]>;
  /** Durable once it resolves. Throws CATALOG_DAMAGED, LOCKED, DISK_FULL, DIRECTORY or IO. */
  append(entry: CatalogEntry): Promise<void>;
  /**
   * Replaces the named fields of one entry and gives the result, or undefined where no entry has
   * this id. Throws as `append` does.
   */
  update(id: string, patch: CatalogPatch): Promise<CatalogEntry | undefined>;
  /**
   * As `update`, and takes other entries out of the catalog, because this one stands for them now: all in one
   * replacement of the file.
   */
  absorb(
    id: string,
    patch: CatalogPatch,
    absorbed: readonly string[],
  ): Promise<CatalogEntry | undefined>;
  /**
   * Moves a damaged file aside (never deletes it) and writes a new one from the entries that can
   * still be read and from `rebuilt`, what the caller found in the backups themselves. Where the file is
   * sound, `rebuilt` is merged into it and nothing is moved.
   */
  recoverDamaged(rebuilt: readonly CatalogEntry[]): Promise<CatalogRecovery>;
}

type CatalogPatch = Partial<Omit<CatalogEntry, 'id'>>;

export interface CatalogRecovery {
  /** Where the damaged file lies now; undefined where it was not damaged. */
  readonly movedTo: string | undefined;
  /** How many entries could be read from the damaged file. */
  readonly salvaged: number;
  readonly entries: readonly CatalogEntry[];
}

export interface CatalogStoreOptions {
  readonly entriesMax?: number;
  readonly surroundings?: LeaseSurroundings;
}

/** The catalog of a backup directory, which must exist. Nothing is read or written yet. */
export function openCatalog(directory: string, options: CatalogStoreOptions = {}): CatalogStore {
  return new FileCatalog(resolve(directory, CATALOG_FILE_NAME), options);
}

class FileCatalog implements CatalogStore {
  readonly path: string;
  readonly #entriesMax: number;
  readonly #surroundings: LeaseSurroundings;

  constructor(path: string, options: CatalogStoreOptions) {
    this.path = path;
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
    const surroundings = options.surroundings ?? REAL_SURROUNDINGS;
    this.#surroundings = {
      ...surroundings,
      timing: { ...surroundings.timing, pollMs: MUTEX_POLL_MS },
    };
  }

  async read(): Promise<CatalogEntry[]> {
    const text = await this.#readText();
    return text === undefined ? [] : parseCatalog(text, this.path);
  }

  async append(entry: CatalogEntry): Promise<void> {
    assertValid(entry);
    await this.#alone('append', async (mutex) => {
      const entries = await this.read();
      assert(!entries.some(({ id }) => id === entry.id), `entry ${entry.id} is new to the catalog`);
      await this.#write([...entries, entry], mutex);
    });
  }

  async update(id: string, patch: CatalogPatch): Promise<CatalogEntry | undefined> {
    return this.absorb(id, patch, []);
  }

  async absorb(
    id: string,
    patch: CatalogPatch,
    absorbed: readonly string[],
  ): Promise<CatalogEntry | undefined> {
    return this.#alone('update', async (mutex) => {
      const entries = await this.read();
      const index = entries.findIndex((entry) => entry.id === id);
      const known = entries[index];
      if (known === undefined) return undefined;
      const updated: CatalogEntry = { ...known, ...patch, id };
      assertValid(updated);
      const left = entries.with(index, updated).filter((entry) => !absorbed.includes(entry.id));
      await this.#write(left, mutex);
      return updated;
    });
  }

  async recoverDamaged(rebuilt: readonly CatalogEntry[]): Promise<CatalogRecovery> {
    rebuilt.forEach(assertValid);
    return this.#alone('rebuild', async (mutex) => {
      const text = (await this.#readText()) ?? '[]';
      const { known, isDamaged } = readOrSalvage(text, this.path);
      const entries = mergeRebuilt(known, rebuilt);
      // Set aside before the new one replaces it: at no instant is there neither.
      const movedTo = isDamaged ? await this.#setAside() : undefined;
      await this.#write(entries, mutex);
      return { movedTo, salvaged: isDamaged ? known.length : 0, entries };
    });
  }

  async #readText(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      return withFileErrors('read', this.path, () => Promise.reject(error as Error));
    }
  }

  /** Runs `change` while no other process or call changes the catalog. */
  async #alone<T>(operation: string, change: (mutex: Lease) => Promise<T>): Promise<T> {
    const mutex = await acquireLease(
      {
        path: join(dirname(this.path), MUTEX_FILE_NAME),
        subject: `the catalog ${this.path}`,
        operation,
        waitMs: MUTEX_WAIT_MS,
      },
      this.#surroundings,
    );
    try {
      return await change(mutex);
    } finally {
      await mutex.release();
    }
  }

  async #write(entries: readonly CatalogEntry[], mutex: Lease): Promise<void> {
    const directory = dirname(this.path);
    const exists = (path: string): boolean => existsSync(resolve(directory, path));
    const text = formatCatalog(trimEntries(entries, this.#entriesMax, exists));
    await this.#sweepTemporaries();
    const temporaryPath = join(directory, temporaryName(this.#surroundings.newId()));
    await replaceFile(this.path, text, temporaryPath, () => mutex.confirm());
  }

  /** What crashed writers left: while we hold the mutex nobody else is writing one. */
  async #sweepTemporaries(): Promise<void> {
    const directory = dirname(this.path);
    for (const name of await withFileErrors('list', directory, () => readdir(directory))) {
      if (TEMPORARY_NAME.test(name)) await unlink(join(directory, name)).catch(() => undefined);
    }
  }

  /** A second name for the damaged file, then durable; gives the new path. */
  async #setAside(): Promise<string> {
    const directory = dirname(this.path);
    const time = this.#surroundings
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '');
    for (let attempt = 1; attempt <= DAMAGED_COPIES_MAX; attempt++) {
      const ending = attempt === 1 ? '' : `_${attempt}`;
      const aside = join(directory, `backup_logs.damaged-${time}${ending}.json`);
      if (await withFileErrors('create', aside, () => linkOrCopy(this.path, aside))) {
        await syncDirectory(directory);
        return aside;
      }
    }
    throw new ReshelveError('IO', `${directory} holds too many damaged catalogs of ${time}`);
  }
}

const TEMPORARY_NAME = /^\.backup_logs\.json\.[0-9a-z]+\.tmp$/;

function temporaryName(id: string): string {
  return `.${CATALOG_FILE_NAME}.${id}.tmp`;
}

function readOrSalvage(text: string, path: string): { known: CatalogEntry[]; isDamaged: boolean } {
  try {
    return { known: parseCatalog(text, path), isDamaged: false };
  } catch (error) {
    if (!(error instanceof ReshelveError) || error.code !== 'CATALOG_DAMAGED') throw error;
    return { known: salvageEntries(text), isDamaged: true };
  }
}

/** False where `to` exists already. */
async function linkOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    const handle = await open(to, 'r+');
    await handle.sync().finally(() => handle.close());
    return true;
  }
}

function assertValid(entry: CatalogEntry): void {
  const problem = entryProblem(entry);
  assert(
    problem === undefined,
    `entry ${entry.id} of ${basename(CATALOG_FILE_NAME)}: ${problem ?? ''}`,
  );
}
