/**
 * Goal: the files of `mydumper --stream` come out as they went in, whatever the cuts. Method: a stream
 * built as mydumper builds it, run whole, cut at every byte and byte by byte, and damaged.
 */
import { describe, expect, it } from 'vitest';
import { MydumperStream } from '../../src/sql/foreign-mydumper.js';

type Files = readonly (readonly [name: string, contents: string])[];

const FILES: Files = [
  ['metadata.header', '# Started dump at: 2026-01-02\n[config]\nquote-character = BACKTICK\n'],
  ['LibraryDB-schema-create.sql', 'CREATE DATABASE `LibraryDB`;\n'],
  ['metadata.partial.0', '\n[`LibraryDB`.`BOOK`]\nrows = 2\n'],
  ['LibraryDB.BOOK-schema.sql', '/*!40101 SET NAMES binary*/;\nCREATE TABLE `BOOK` (`a` int);\n'],
  ['LibraryDB.BOOK.00000.sql', 'INSERT INTO `BOOK` VALUES\n(1)\n,(2);\n\n-- x 5\n'],
  ['LibraryDB-schema-post.sql', 'CREATE PROCEDURE p() BEGIN SELECT 1; \nEND;\n'],
  ['metadata', '# Started dump at: 2026-01-02\n# Finished dump at: 2026-01-02\n'],
];

const streamOf = (files: Files): Buffer =>
  Buffer.concat(
    files.map(([name, contents]) =>
      Buffer.from(`\n-- ${name} ${Buffer.byteLength(contents)}\n${contents}`),
    ),
  );

function read(chunks: readonly Uint8Array[]): {
  files: Files;
  databases: unknown[];
  count: number;
} {
  const reader = new MydumperStream();
  const files: [string, string][] = [];
  const databases: unknown[] = [];
  let isNew = true;
  for (const chunk of chunks) {
    for (const { file, data, isLast } of reader.push(chunk)) {
      if (isNew) {
        files.push([file.name, '']);
        databases.push(file.database);
      }
      const current = files.at(-1);
      if (current !== undefined) current[1] += Buffer.from(data).toString();
      isNew = isLast;
    }
  }
  return { files, databases, count: reader.finish().files };
}

describe('a stream of mydumper', () => {
  const stream = streamOf(FILES);

  it('is taken apart, whatever the cuts', () => {
    const whole = read([stream]);
    expect(whole.files).toEqual(FILES);
    expect(whole.count).toBe(FILES.length);
    expect(whole.databases).toEqual([
      undefined,
      'LibraryDB',
      undefined,
      'LibraryDB',
      'LibraryDB',
      'LibraryDB',
      undefined,
    ]);
    for (let cut = 1; cut < stream.length; cut += 1) {
      expect(read([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
    }
    expect(read([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('is incomplete when cut at any byte', () => {
    const withoutLastLine = stream.length - 1;
    for (let cut = 0; cut < withoutLastLine; cut += 1) {
      expect(() => read([stream.subarray(0, cut)]), `cut at ${cut}`).toThrow(
        /mydumper stream: expected/,
      );
    }
    expect(() => read([streamOf(FILES.slice(0, -1))])).toThrow(/when the dump was finished/);
  });

  it('may hold empty metadata', () => {
    expect(read([streamOf([['metadata.partial.0', ''], ...FILES])]).count).toBe(FILES.length + 1);
  });

  it.each([
    ['a.b.00000.sql.gz', 'x', /plain SQL but found a.b.00000.sql.gz/],
    ['a.b.00000.dat', 'x', /plain SQL/],
    ['a.b.00000.sql', '', /contents in the stream/],
  ])('is refused with %s', (name, contents, message) => {
    expect(() => read([streamOf([[name, contents], ...FILES])])).toThrow(message);
  });

  it.each([['SELECT 1;\n'], ['\n-- a b c\n'], [`\n-- ${'x'.repeat(5000)}`]])(
    'is refused where %j stands for a file',
    (text) => {
      expect(() => read([Buffer.from(text)])).toThrow(/expected a line "-- NAME SIZE"/);
    },
  );
});
