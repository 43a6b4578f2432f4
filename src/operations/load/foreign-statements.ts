/** The statements of a dump of another tool, read as a stream: nothing is held but the one at hand. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { PassThrough, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileError } from '../../file-errors.js';
import { ReshelveError } from '../../errors.js';
import { MydumperStream } from '../../sql/foreign-dump.js';
import type { DumpInspector } from '../../sql/foreign-dump.js';
import { StatementSplitter } from '../../sql/statement-splitter.js';
import type { SplitEnd, SplitStatement } from '../../sql/statement-splitter.js';
import type { Context } from '../context.js';

export interface DumpFile {
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
}

const GZIP_MAGIC = [0x1f, 0x8b];
const CHUNK_BYTES = 256 * 1024;

/**
 * Yields each statement and tells `inspection` of it first. Throws DUMP_INCOMPLETE at the end of a
 * file that ends inside a statement, and DAMAGED for a gzip file that does not inflate.
 */
export async function* readStatements(
  context: Pick<Context, 'output' | 'signal'>,
  file: DumpFile,
  activity: string,
  inspection: DumpInspector,
): AsyncGenerator<SplitStatement> {
  let reader: StatementReader | undefined;
  for await (const chunk of readSql(context, file, activity)) {
    inspection.push(chunk);
    reader ??=
      inspection.origin.tool === 'mydumper-stream' ? new FilesReader(file) : new TextReader(file);
    for (const statement of reader.push(chunk)) {
      inspection.statement(statement);
      yield statement;
    }
  }
  for (const statement of reader?.finish() ?? []) {
    inspection.statement(statement);
    yield statement;
  }
  context.output.progress(null);
}

interface StatementReader {
  push(chunk: Buffer): readonly SplitStatement[];
  finish(): readonly SplitStatement[];
}

/** One text from beginning to end. */
class TextReader implements StatementReader {
  readonly #splitter = new StatementSplitter();
  readonly #file: DumpFile;

  constructor(file: DumpFile) {
    this.#file = file;
  }

  push(chunk: Buffer): readonly SplitStatement[] {
    return this.#splitter.push(chunk);
  }

  finish(): readonly SplitStatement[] {
    return lastOf(this.#splitter.finish(), this.#file);
  }
}

/** mydumper's stream: many files, each a text of its own. */
class FilesReader implements StatementReader {
  readonly #files = new MydumperStream();
  readonly #file: DumpFile;
  #splitter = new StatementSplitter({ delimiter: ';\n' });

  constructor(file: DumpFile) {
    this.#file = file;
  }

  push(chunk: Buffer): readonly SplitStatement[] {
    const statements: SplitStatement[] = [];
    for (const part of this.#files.push(chunk)) {
      if (part.file.kind !== 'sql') continue;
      statements.push(...this.#splitter.push(part.data));
      if (!part.isLast) continue;
      statements.push(...lastOf(this.#splitter.finish(), this.#file));
      this.#splitter = new StatementSplitter({ delimiter: ';\n' });
    }
    return statements;
  }

  finish(): readonly SplitStatement[] {
    this.#files.finish();
    return [];
  }
}

function lastOf(end: SplitEnd, file: DumpFile): readonly SplitStatement[] {
  const { unterminated } = end;
  if (unterminated === undefined) return end.last;
  throw new ReshelveError(
    'DUMP_INCOMPLETE',
    `${file.shown}: expected the end of the ${unterminated.what} that begins in line ` +
      `${unterminated.line} but found the end of the file`,
  );
}

/** The SQL text of a file, inflated where it is gzipped. */
async function* readSql(
  context: Pick<Context, 'output' | 'signal'>,
  file: DumpFile,
  activity: string,
): AsyncGenerator<Buffer> {
  const total = (await stat(file.path)).size;
  const gzipped = await isGzip(file.path);
  const input = createReadStream(file.path, {
    highWaterMark: CHUNK_BYTES,
    signal: context.signal,
  });
  const text: Readable = gzipped ? inflated(input) : input;
  try {
    for await (const chunk of text) {
      context.output.progress({ activity, done: input.bytesRead, total, unit: 'bytes' });
      yield chunk as Buffer;
    }
  } catch (error) {
    throw asReadError(error, context, file);
  } finally {
    input.destroy();
  }
}

function inflated(input: Readable): Readable {
  const output = new PassThrough({ highWaterMark: CHUNK_BYTES });
  pipeline(input, createGunzip({ chunkSize: CHUNK_BYTES }), output, () => undefined);
  return output;
}

function asReadError(error: unknown, context: Pick<Context, 'signal'>, file: DumpFile): unknown {
  if (context.signal.aborted) return context.signal.reason;
  const { code } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_') === true) {
    return new ReshelveError('DAMAGED', `${file.shown} does not inflate (${code})`, {
      cause: error,
    });
  }
  return fileError(error, 'read', file.shown);
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && GZIP_MAGIC.every((byte, at) => buffer[at] === byte);
  } finally {
    await handle.close();
  }
}
