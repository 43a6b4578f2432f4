/**
 * Identifiers that a server accepts and that tools stumble over: characters with a meaning in SQL,
 * in a client's line-based reader, in a path, in a format string or in a LIKE pattern.
 */
export const ODD_NAMES: readonly string[] = [
  'back`tick',
  '``',
  "quo'te",
  'double"quote',
  'semi;colon',
  'semi;\nnewline',
  'dot.ted',
  '.',
  '..',
  'slash/ed',
  '../escape',
  'back\\slash',
  'ends with backslash\\',
  'per%cent',
  '%s%d%n',
  'under_score',
  'two words',
  ' leading space',
  '-- dashes',
  '--',
  '/* comment */',
  '*/ -- closes',
  '/*!50000 x */',
  '# hash',
  'select',
  'table',
  'null',
  'default',
  '123',
  '1e5',
  '0x1f',
  '@at',
  '$dollar',
  '${template}',
  'new\nline',
  'carriage\rreturn',
  'tab\there',
  'ctrl\u0001\u001a\u007f',
  'DELIMITER ;;',
  'comma,(paren)[bracket]{brace}',
  'a=b&c|d<e>f?g*h~i^j!k+l:m',
  'ünïcødé',
  '中文表',
  'ソ能表',
  'Ελληνικά',
  'עברית',
  'e\u0301 combining',
  '\ufeffbom',
  'CaseName',
  'casename',
  'x'.repeat(64),
  'é'.repeat(64),
];

/** A name for one more object of a kind, cut to the 64 characters that a server allows. */
export function prefixed(prefix: string, name: string): string {
  return Array.from(prefix + name)
    .slice(0, 64)
    .join('');
}

/** A database name that no shell, path or SQL text may take literally. */
export const ODD_DATABASE_NAME = 'odd `db`; -- "x" /* \'y\' */ %s ü';
