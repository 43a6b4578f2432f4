/**
 * Tells what a file is before anything is done with it. A damaged archive of ours must never pass
 * for a foreign dump and be loaded, so its signature is looked for in several places.
 */
import { constants, gunzipSync } from 'node:zlib';
import { openFileSource } from './byte-source.js';
import type { ByteSource } from './byte-source.js';
import { SIGNATURE_TEXT } from './format.js';
import { findMemberHeader, wrongSignatureBytes } from './member-header.js';
import { looksLikePgp, looksLikeSql } from './text-signs.js';

export type FileKind = 'reshelve' | 'gzip-sql' | 'plain-sql' | 'encrypted-gpg' | 'unknown';

export interface FileProbe {
  /** `reshelve` says that the file is, or once was, an archive: not that it is intact. */
  readonly kind: FileKind;
  /** What was found, in words. */
  readonly detail: string;
  /** Whether a `gzip-sql` or `plain-sql` file is the text of an archive, inflated or recompressed. */
  readonly textOfArchive: boolean;
}

const HEAD_BYTES = 8 * 1024 * 1024;
const TAIL_BYTES = 1024 * 1024;

/** Enough for the first statements; even the highest ratio makes no more than 4 MiB of it. */
const INFLATE_BYTES = 4 * 1024;

/** As {@link probeSource}. Throws `BACKUP_NOT_FOUND`, `DIRECTORY`, `FILE_LIMIT` or `IO`. */
export async function probeFile(path: string): Promise<FileProbe> {
  const source = await openFileSource(path);
  try {
    return await probeSource(source);
  } finally {
    await source.close();
  }
}

/** Reads at most 9 MiB of `source`, which stays open. */
export async function probeSource(source: ByteSource): Promise<FileProbe> {
  if (source.size === 0) return probe('unknown', 'the file is empty');
  const head = await source.read(0, Math.min(source.size, HEAD_BYTES));
  if (wrongSignatureBytes(head) <= 1) {
    return probe('reshelve', 'starts like an archive');
  }
  if (findMemberHeader(head) >= 0) return probe('reshelve', 'holds members of an archive');
  const tailLength = Math.min(source.size, TAIL_BYTES);
  const tail = await source.read(source.size - tailLength, tailLength);
  if (findMemberHeader(tail) >= 0) return probe('reshelve', 'ends like an archive');
  if (looksLikePgp(head)) return probe('encrypted-gpg', 'an OpenPGP message');
  if (head[0] === 0x1f && head[1] === 0x8b) return probeGzip(head);
  if (looksLikeSql(head)) return probe('plain-sql', 'SQL text', isTextOfArchive(head));
  return probe('unknown', 'neither an archive nor SQL, gzipped SQL or an OpenPGP message');
}

function probeGzip(head: Buffer): FileProbe {
  let text: Buffer;
  try {
    // The flush mode lets the input end anywhere.
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    text = gunzipSync(head.subarray(0, INFLATE_BYTES), options);
  } catch {
    return probe('unknown', 'a gzip file that does not inflate');
  }
  if (looksLikeSql(text)) return probe('gzip-sql', 'gzipped SQL text', isTextOfArchive(text));
  return probe('unknown', 'a gzip file of something other than SQL');
}

function isTextOfArchive(text: Buffer): boolean {
  return text.toString('latin1', 0, SIGNATURE_TEXT.length) === SIGNATURE_TEXT;
}

function probe(kind: FileKind, detail: string, textOfArchive = false): FileProbe {
  return { kind, detail, textOfArchive };
}
