/** Journals of recoveries on disk: each record is durable before its step is taken. */
import { constants } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { assert, ReshelveError } from '../errors.js';
import { withFileErrors } from '../file-errors.js';
import { parseJournalPath, RECOVERY_FOLDER } from './names.js';
import { encodeRecord, parseJournal } from './recovery-journal-text.js';
import { isFinished, recoveryState } from './recovery-journal.js';
import type {
  BeginDetail,
  RecoveryKind,
  RecoveryRecord,
  RecoveryState,
  RecoveryStep,
} from './recovery-journal.js';
import { FILE_MODE, hasCode, syncDirectory } from './store-files.js';

export interface RecoveryJournal {
  /** Absolute. */
  readonly path: string;
  readonly state: RecoveryState;
  readonly records: readonly RecoveryRecord[];
  /** Durable once it resolves: call it before the step is taken. Throws DISK_FULL, DIRECTORY or IO. */
  append(step: RecoveryStep): Promise<void>;
  /** Lets go of the file; the journal stays as it is. May be called twice. */
  close(): Promise<void>;
}

/** Creates the journal with its first record; both are durable when this resolves. */
export async function createJournal(
  path: string,
  kind: RecoveryKind,
  detail: BeginDetail,
  now: () => Date,
): Promise<RecoveryJournal> {
  const { O_CREAT, O_EXCL, O_RDWR } = constants;
  const handle = await withFileErrors('create', path, () =>
    open(path, O_CREAT | O_EXCL | O_RDWR, FILE_MODE),
  );
  try {
    const step = kind === 'recover' ? beginOf('recover', detail) : beginOf('online', detail);
    const journal = new FileJournal(path, handle, [], { end: 0, checksum: '' }, now);
    await journal.append(step);
    await syncDirectory(dirname(path));
    return journal;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function beginOf<K extends RecoveryKind>(kind: K, detail: BeginDetail) {
  return { kind, step: 'begin' as const, detail };
}

/** Opens a journal to go on with it; a torn last line is cut off first. Throws JOURNAL_DAMAGED. */
export async function reopenJournal(path: string, now: () => Date): Promise<RecoveryJournal> {
  const handle = await withFileErrors('open', path, () => open(path, constants.O_RDWR));
  try {
    const bytes = await withFileErrors('read', path, () => readFile(path));
    const { records, soundBytes, isTorn, checksum } = parseJournal(bytes, path);
    if (isTorn) {
      await withFileErrors('write', path, async () => {
        await handle.truncate(soundBytes);
        await handle.sync();
      });
    }
    assert(records.length > 0, `${path} is a journal with a first record`);
    return new FileJournal(path, handle, records, { end: soundBytes, checksum }, now);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileJournal implements RecoveryJournal {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #records: RecoveryRecord[];
  readonly #now: () => Date;
  #tail: { readonly end: number; readonly checksum: string };
  #isClosed = false;

  constructor(
    path: string,
    handle: FileHandle,
    records: readonly RecoveryRecord[],
    tail: { readonly end: number; readonly checksum: string },
    now: () => Date,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#records = [...records];
    this.#tail = tail;
    this.#now = now;
  }

  get records(): readonly RecoveryRecord[] {
    return this.#records;
  }

  get state(): RecoveryState {
    const state = recoveryState(this.#records);
    assert(state !== undefined, `${this.path} has its first record`);
    return state;
  }

  async append(step: RecoveryStep): Promise<void> {
    assert(!this.#isClosed, `the journal ${this.path} is open`);
    const record: RecoveryRecord = { ...step, at: this.#now().toISOString() };
    const { line, checksum } = encodeRecord(record, this.#tail.checksum);
    const bytes = Buffer.from(line, 'utf8');
    await withFileErrors('write', this.path, () => this.#write(bytes));
    this.#tail = { end: this.#tail.end + bytes.length, checksum };
    this.#records.push(record);
  }

  /** A record that could be written only in part is taken back: it would be torn in the middle later. */
  async #write(bytes: Buffer): Promise<void> {
    const { end } = this.#tail;
    try {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, end + at);
        at += bytesWritten;
      }
      await this.#handle.sync();
    } catch (error) {
      await this.#handle.truncate(end).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }
}

export interface FoundJournal {
  /** Absolute. */
  readonly path: string;
  readonly database: string;
  /** Undefined where the journal is damaged: how far its recovery came is then not known. */
  readonly state: RecoveryState | undefined;
  /** Why it cannot be read, where it cannot. */
  readonly problem: ReshelveError | undefined;
}

/**
 * All journals of a backup directory, oldest first, finished ones too. One that cannot be read is
 * found as well; one without its first record is not, since its run had done nothing.
 */
export async function findJournals(directory: string): Promise<FoundJournal[]> {
  const found: FoundJournal[] = [];
  for (const name of await namesIn(join(directory, RECOVERY_FOLDER))) {
    const parsed = parseJournalPath(`${RECOVERY_FOLDER}/${name}`);
    if (parsed === undefined) continue;
    const path = join(directory, RECOVERY_FOLDER, name);
    const journal = await readJournal(path, parsed.database);
    if (journal !== undefined) found.push(journal);
  }
  return found;
}

/** Those that somebody must still resume, roll back or finish. */
export async function findUnfinishedJournals(directory: string): Promise<FoundJournal[]> {
  const journals = await findJournals(directory);
  return journals.filter(({ state }) => state === undefined || !isFinished(state.phase));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    // Before the first run there is no such folder; one that cannot be read is a failure of its own.
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    return withFileErrors('list', folder, () => Promise.reject(error as Error));
  }
}

async function readJournal(path: string, database: string): Promise<FoundJournal | undefined> {
  try {
    const bytes = await withFileErrors('read', path, () => readFile(path));
    const { records } = parseJournal(bytes, path);
    const state = recoveryState(records);
    if (state === undefined && records.length === 0) return undefined;
    if (state !== undefined) return { path, database, state, problem: undefined };
    const problem = new ReshelveError(
      'JOURNAL_DAMAGED',
      `${basename(path)}: expected it to begin with \`begin\``,
    );
    return { path, database, state: undefined, problem };
  } catch (error) {
    if (!(error instanceof ReshelveError)) throw error;
    return { path, database, state: undefined, problem: error };
  }
}
