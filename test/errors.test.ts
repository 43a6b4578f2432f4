/** The table of errors and docs/ERRORS.md say the same, in both directions; the rules of wording hold. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assert, ERROR_TABLE, EXIT, ReshelveError } from '../src/errors.js';
import type { ErrorCode } from '../src/errors.js';

const ROOT = new URL('..', import.meta.url).pathname;
const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];
const documentation = readFileSync(join(ROOT, 'docs/ERRORS.md'), 'utf8');

/** The rows of the Markdown table under a heading, cells trimmed. */
function tableUnder(heading: string): string[][] {
  const [, section = ''] = documentation.split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(cellText),
  );
}

function cellText(cell: string): string {
  return cell.trim().replaceAll('\\|', '|');
}

describe('docs/ERRORS.md', () => {
  test('lists every code with its exit code, meaning and hint, in the order of the table', () => {
    const expected = CODES.map((code) => {
      const { exitCode, meaning, hint } = ERROR_TABLE[code];
      return [`\`${code}\``, String(exitCode), meaning, hint];
    });
    expect(tableUnder('Error codes')).toEqual(expected);
  });

  test('lists every exit code once, in order, and no other', () => {
    const listed = tableUnder('Exit codes').map(([code = '']) => code);
    expect(listed).toEqual(Object.values(EXIT).map((code) => `\`${code}\``));
  });

  test('names with each exit code the error codes that end in it', () => {
    for (const [exitCode = '', , codes = ''] of tableUnder('Exit codes')) {
      const expected = CODES.filter((code) => `\`${ERROR_TABLE[code].exitCode}\`` === exitCode);
      const shown = [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
      expect([exitCode, shown]).toEqual([exitCode, expected]);
    }
  });
});

describe('the table', () => {
  test.each(CODES)('%s: a meaning and a hint, each whole sentences on one line', (code) => {
    const { meaning, hint, exitCode } = ERROR_TABLE[code];
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
    expect(meaning).toMatch(/^[A-Za-z][^\n]*\.$/);
    expect(hint).toMatch(/^[A-Z][^\n]*[.!]$/);
    expect(Object.values(EXIT)).toContain(exitCode);
    expect([EXIT.done, EXIT.warnings]).not.toContain(exitCode);
  });

  test('no two codes mean the same', () => {
    expect(new Set(CODES.map((code) => ERROR_TABLE[code].meaning)).size).toBe(CODES.length);
  });
});

describe('ReshelveError', () => {
  test('carries code, exit code, hint and cause', () => {
    const cause = new Error('ENOSPC');
    const error = new ReshelveError('DISK_FULL', 'cannot write x', { cause });
    expect(error).toMatchObject({ name: 'ReshelveError', code: 'DISK_FULL', exitCode: 1, cause });
    expect(error.hint).toBe(ERROR_TABLE.DISK_FULL.hint);
    expect(new ReshelveError('LOCKED', 'x', { hint: 'Wait.' }).hint).toBe('Wait.');
    expect(new ReshelveError('LOCKED', 'x')).not.toHaveProperty('cause');
  });

  test('a broken invariant is no ReshelveError', () => {
    expect(() => {
      assert(false, 'lists are sorted');
    }).toThrow('assertion failed: lists are sorted');
    expect(() => {
      assert(true, 'lists are sorted');
    }).not.toThrow();
  });
});
