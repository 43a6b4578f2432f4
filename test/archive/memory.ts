/** What the tests of memory share. */
import { ArchiveWriter } from '../../src/archive/archive-writer.js';
import { headerParts, tableEntry } from './samples.js';

export const MIB = 1024 * 1024;

/** The most memory that this process ever had. MiB. */
export function peak(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** Hexadecimal text like that of a BLOB, in one buffer. */
export function hexText(bytes: number): Buffer {
  const text = Buffer.allocUnsafeSlow(bytes);
  let state = 1;
  for (let at = 0; at < bytes; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    text[at] = '0123456789ABCDEF'.charCodeAt((state >> 16) & 15);
  }
  return text;
}

export async function begin(path: string): Promise<ArchiveWriter> {
  const writer = await ArchiveWriter.create(path, { parallel: 2 });
  const simple = { statements: 1, longestStatement: 9 };
  await writer.append({ kind: 'header', sql: Buffer.from('SET @a=1;\n'), ...simple });
  await writer.append({ kind: 'table', table: 't', sql: Buffer.from('CREATE;\n'), ...simple });
  return writer;
}

export async function append(writer: ArchiveWriter, sql: Buffer): Promise<void> {
  const counts = { rows: 1, statements: 1, longestStatement: sql.length };
  await writer.append({ kind: 'data', table: 't', sql, compression: 'huffman', ...counts });
}

export async function end(writer: ArchiveWriter, members: number): Promise<void> {
  const tables = [tableEntry('t', members)];
  await writer.finish({ header: headerParts(), tables, ranges: [], objects: [] });
}
