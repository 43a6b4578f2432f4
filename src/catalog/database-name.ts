/** Database names as parts of file names: safe everywhere, reversible, ordinary names unchanged. */
import { assert } from '../errors.js';

/** MySQL and MariaDB count identifiers in characters and allow 64 of them. */
const NAME_CHARACTERS_MAX = 64;

/**
 * Room for the name in a file name of 255 bytes: what is left after the longest prefix
 * (`pre_restore_`, 12), the time (16), an ordinal (3), `.sql.gz` (7), `.gpg` (4) and the dot, id and
 * ending of a temporary name (33).
 */
const ENCODED_BYTES_MAX = 180;

const PLAIN_CHARACTER = /^[A-Za-z0-9_-]$/;
const ESCAPED = /@([0-9a-f]{4})/g;
const LONG_MARK = '@@';

/** These would make a full backup look like another kind once it is copied out of its folder. */
const RESERVED_PREFIX = /^(?:incremental_|pre_restore_)/;

/**
 * Why `name` cannot name a database on any server, or undefined where it can. Rules:
 * https://dev.mysql.com/doc/refman/9.4/en/identifiers.html
 */
export function databaseNameProblem(name: string): string | undefined {
  if (name === '') return 'expected a database name but found nothing';
  if (name.length > NAME_CHARACTERS_MAX) {
    return `expected at most ${NAME_CHARACTERS_MAX} characters but found ${name.length}`;
  }
  if (name.includes('\0')) return 'expected a database name but found a NUL character in it';
  if (/\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(name)) {
    return 'expected characters of the basic multilingual plane but found one beyond it';
  }
  if (name.endsWith(' ')) return 'expected a database name but found a space at its end';
  return undefined;
}

/**
 * Letters, digits, `_` and an inner `-` stay; any other UTF-16 unit becomes `@` and four hex
 * digits, as in the file names of MySQL's own data directory. A name that would grow too long
 * becomes `@@` and the base64url of its UTF-16BE bytes. Different names give different results, and
 * `decodeDatabaseName` inverts it.
 */
export function encodeDatabaseName(name: string): string {
  assert(databaseNameProblem(name) === undefined, 'only valid database names reach a file name');
  const mustEscapeFirst = name.startsWith('-') || RESERVED_PREFIX.test(name);
  let encoded = '';
  for (const [index, unit] of name.split('').entries()) {
    const plain = PLAIN_CHARACTER.test(unit) && !(index === 0 && mustEscapeFirst);
    encoded += plain ? unit : `@${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  }
  return encoded.length <= ENCODED_BYTES_MAX ? encoded : LONG_MARK + toBase64OfUtf16(name);
}

/** The database name, or undefined where `encoded` is not what `encodeDatabaseName` gives for it. */
export function decodeDatabaseName(encoded: string): string | undefined {
  const name = encoded.startsWith(LONG_MARK)
    ? fromBase64OfUtf16(encoded.slice(LONG_MARK.length))
    : encoded.replace(ESCAPED, (_whole, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      );
  if (databaseNameProblem(name) !== undefined) return undefined;
  return encodeDatabaseName(name) === encoded ? name : undefined;
}

function toBase64OfUtf16(name: string): string {
  return Buffer.from(name, 'utf16le').swap16().toString('base64url');
}

function fromBase64OfUtf16(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64url');
  return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : '';
}
