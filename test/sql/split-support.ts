/** Runs the statement splitter over a text in every way that it can be cut into chunks. */
import { expect } from 'vitest';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';
import type { SplitStatement, SplitterOptions } from '../../src/sql/statement-splitter.js';

export interface Result {
  readonly texts: readonly string[];
  readonly kinds: readonly string[];
  readonly lines: readonly number[];
  readonly unterminated: string | undefined;
  readonly statements: readonly SplitStatement[];
}

export function splitChunks(chunks: readonly Buffer[], options?: SplitterOptions): Result {
  const splitter = new StatementSplitter(options);
  const statements = chunks.flatMap((chunk) => splitter.push(chunk));
  const end = splitter.finish();
  statements.push(...end.last);
  return {
    texts: statements.map(({ text }) => text.toString('latin1')),
    kinds: statements.map(({ kind }) => kind),
    lines: statements.map(({ line }) => line),
    unterminated: end.unterminated?.what,
    statements,
  };
}

export function split(input: string | Buffer, options?: SplitterOptions): Result {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  return splitChunks([bytes], options);
}

/** Splits `input` whole, cut in two everywhere and byte by byte; all must agree. */
export function splitEveryWay(input: string | Buffer, options?: SplitterOptions): Result {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const whole = splitChunks([bytes], options);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const inTwo = splitChunks([bytes.subarray(0, cut), bytes.subarray(cut)], options);
    expect(inTwo, `cut at ${cut}`).toEqual(whole);
  }
  const single = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
  expect(splitChunks(single, options), 'byte by byte').toEqual(whole);
  return whole;
}

export function texts(input: string | Buffer, options?: SplitterOptions): readonly string[] {
  const result = splitEveryWay(input, options);
  expect(result.unterminated).toBeUndefined();
  return result.texts;
}
