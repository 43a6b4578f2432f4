/**
 * Quoting of names and strings for a session that speaks utf8mb4 and whose sql_mode has neither
 * ANSI_QUOTES nor NO_BACKSLASH_ESCAPES: the only kind of session that our files are written for.
 */

/** `name` in backticks, each backtick inside doubled; right under every sql_mode. */
export function quoteIdentifier(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  '\\': '\\\\',
  "'": "\\'",
};

/**
 * `text` as a string literal. Line breaks are escaped, so the literal always stays on one line.
 * https://dev.mysql.com/doc/refman/9.7/en/string-literals.html
 */
export function quoteString(text: string): string {
  // eslint-disable-next-line no-control-regex -- these control characters are the ones to escape
  return `'${text.replace(/[\0\n\r\x1a\\']/g, (character) => ESCAPES[character] ?? character)}'`;
}
