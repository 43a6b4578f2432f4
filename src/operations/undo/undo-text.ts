/** The way back as SQL, for any client and for eyes. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { syncDirectory, FILE_MODE } from '../../catalog/store-files.js';
import { ReshelveError } from '../../errors.js';
import { fileError } from '../../file-errors.js';
import type { UndoCollector } from './undo-collector.js';
import { isDescription } from './undo-collector.js';

/** Pieces of the whole text, each of them whole lines. `comments` hold no line breaks. */
export function* undoText(
  collector: UndoCollector,
  comments: readonly string[],
): Generator<Buffer> {
  const head = [
    ...comments.map((comment) => `-- ${comment}`),
    'SET NAMES utf8mb4;',
    '/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE = 1 */;',
  ];
  yield Buffer.from(`${head.join('\n')}\n`);
  for (const statement of collector.preamble) {
    if (isDescription(statement)) yield ended(statement);
  }
  yield Buffer.from("/*!50700 SET @@SESSION.GTID_NEXT = 'AUTOMATIC' */;\nBEGIN;\n");
  for (const statement of collector.statements()) yield ended(statement);
  yield Buffer.from('COMMIT;\n');
}

function ended(statement: Buffer): Buffer {
  return Buffer.concat([statement, Buffer.from(';\n')]);
}

/** Writes to a stream that stays open, at the pace of its reader. */
export async function writeTo(stream: Writable, text: Iterable<Buffer>): Promise<void> {
  for (const piece of text) {
    if (!stream.write(piece)) await once(stream, 'drain');
  }
}

/** A file that is there is never written over; an unfinished one never has the name. */
export async function writeFileOf(path: string, text: Iterable<Buffer>): Promise<void> {
  const whole = resolve(path);
  if (existsSync(whole)) {
    throw new ReshelveError('USAGE', `--output ${path}: there is such a file already`);
  }
  const partial = `${whole}.${randomBytes(4).toString('hex')}.partial`;
  try {
    const stream = createWriteStream(partial, { flags: 'wx', mode: FILE_MODE });
    const failed = finished(stream);
    await Promise.race([failed, writeTo(stream, text)]);
    stream.end();
    await failed;
    const file = await open(partial, 'r');
    await file.sync();
    await file.close();
    await rename(partial, whole);
    await syncDirectory(dirname(whole));
  } catch (error) {
    await rm(partial, { force: true });
    throw fileError(error, 'write', path);
  }
}
