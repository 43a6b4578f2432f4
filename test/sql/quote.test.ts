import { describe, expect, it } from 'vitest';
import { quoteIdentifier, quoteString } from '../../src/sql/quote.js';

describe('quoting', () => {
  it('doubles backticks in names and leaves the rest', () => {
    expect(quoteIdentifier('a`b\\"\'\n')).toBe('`a``b\\"\'\n`');
  });

  it('escapes what could end a string or its line', () => {
    expect(quoteString(`it's \\ \0\n\r\x1a "é"`)).toBe(`'it\\'s \\\\ \\0\\n\\r\\Z "é"'`);
  });
});
