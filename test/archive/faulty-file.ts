/** A file that misbehaves as it is told. */
import { open } from 'node:fs/promises';
import { ArchiveFile } from '../../src/archive/archive-file.js';
import type { WritableFile } from '../../src/archive/archive-file.js';

export interface Faults {
  /** The most bytes that one write takes. */
  readonly bytesPerWriteMax?: number;
  /** Bytes after which writing fails, and with what. */
  readonly failAfterBytes?: number;
  readonly systemCode?: string;
  readonly failSync?: boolean;
  readonly failClose?: boolean;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code, errno: -1, syscall: 'write' });
}

/** A new file at `path` whose writes, sync or close fail as `faults` says. */
export async function faultyFile(path: string, faults: Faults): Promise<ArchiveFile> {
  const handle = await open(path, 'wx', 0o600);
  const code = faults.systemCode ?? 'ENOSPC';
  const most = faults.bytesPerWriteMax ?? Infinity;
  const file: WritableFile = {
    async writev(buffers, position) {
      const room = Math.min(most, (faults.failAfterBytes ?? Infinity) - position);
      if (room <= 0 && most > 0) throw systemError(code);
      const bytes = Buffer.concat(buffers);
      const taken = bytes.subarray(0, Math.min(bytes.length, room));
      if (taken.length === 0) return { bytesWritten: 0 };
      return handle.write(taken, 0, taken.length, position);
    },
    async sync() {
      if (faults.failSync === true) throw systemError(code);
      await handle.sync();
    },
    async close() {
      await handle.close();
      if (faults.failClose === true) throw systemError(code);
    },
  };
  return new ArchiveFile(file, path);
}
