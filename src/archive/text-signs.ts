/** Recognises SQL text and OpenPGP messages by how they start. */

const SQL_BYTES = 4096;

const SQL_WORDS =
  'create insert drop set use alter begin start lock replace delimiter update delete truncate ' +
  'grant with call select load rename commit flush unlock';

const SQL_START = new RegExp(
  `^(?:--(?=\\s|$)|#|/\\*|;|\\\\|(?:${SQL_WORDS.split(' ').join('|')})\\b)`,
  'i',
);

/** Whether `bytes` start with a comment or with a word that starts statements of dumps. */
export function looksLikeSql(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, SQL_BYTES);
  if (start.includes('\0')) return false;
  return SQL_START.test(start.replace(/^(?:\u00ef\u00bb\u00bf)?\s*/, ''));
}

const ARMOUR = '-----BEGIN PGP MESSAGE-----';

/**
 * Whether `bytes` start with an encrypted OpenPGP message, armoured or not: its first packet holds
 * a session key (RFC 9580, sections 4.2, 5.1 and 5.3), of a version that there is.
 */
export function looksLikePgp(bytes: Buffer): boolean {
  if (bytes.toString('latin1', 0, ARMOUR.length) === ARMOUR) return true;
  const first = bytes[0] ?? 0;
  if ((first & 0x80) === 0) return false;
  const isNewFormat = (first & 0x40) !== 0;
  const tag = isNewFormat ? first & 0x3f : (first >> 2) & 0x0f;
  const version = bytes[1 + lengthOfLength(first, bytes[1] ?? 0, isNewFormat)];
  // Tag 1: encrypted with a public key; tag 3: with a passphrase.
  if (tag === 1) return version === 3 || version === 6;
  return tag === 3 && (version === 4 || version === 5 || version === 6);
}

/** How many bytes the length of a packet takes. */
function lengthOfLength(first: number, second: number, isNewFormat: boolean): number {
  if (!isNewFormat) return [1, 2, 4, 0][first & 0x03] ?? 0;
  if (second < 192) return 1;
  return second === 255 ? 5 : 2;
}
