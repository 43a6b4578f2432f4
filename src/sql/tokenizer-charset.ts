/**
 * The client character sets in which the second byte of a character can be an ASCII byte that means
 * something to SQL (0x5C is a backslash, 0x60 a backtick). In every other set that a MySQL client
 * may use, bytes below 0x80 always stand for themselves.
 *
 * Source: MySQL Reference Manual, "The sjis/cp932/gbk/big5/gb18030 Character Set", and the lead and
 * trail ranges of those encodings. A lead byte whose successor is no trail byte counts as one
 * character of one byte, as the server has it.
 */

export type WideCharset = 'sjis' | 'cp932' | 'gbk' | 'big5' | 'gb18030';

export interface WideCharsetTables {
  readonly name: WideCharset;
  /** 1 where the byte can begin a character of two bytes. */
  readonly lead: Uint8Array;
  /** 1 where the byte can end one. */
  readonly trail: Uint8Array;
}

type Range = readonly [first: number, last: number];

function tableOf(ranges: readonly Range[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [first, last] of ranges) table.fill(1, first, last + 1);
  return table;
}

function tables(name: WideCharset, lead: readonly Range[], trail: readonly Range[]) {
  return { name, lead: tableOf(lead), trail: tableOf(trail) };
}

const SHIFT_JIS_LEAD: readonly Range[] = [
  [0x81, 0x9f],
  [0xe0, 0xfc],
];
const SHIFT_JIS_TRAIL: readonly Range[] = [
  [0x40, 0x7e],
  [0x80, 0xfc],
];

const WIDE_CHARSETS: Readonly<Record<WideCharset, WideCharsetTables>> = {
  sjis: tables('sjis', SHIFT_JIS_LEAD, SHIFT_JIS_TRAIL),
  cp932: tables('cp932', SHIFT_JIS_LEAD, SHIFT_JIS_TRAIL),
  gbk: tables(
    'gbk',
    [[0x81, 0xfe]],
    [
      [0x40, 0x7e],
      [0x80, 0xfe],
    ],
  ),
  big5: tables(
    'big5',
    [[0xa1, 0xf9]],
    [
      [0x40, 0x7e],
      [0xa1, 0xfe],
    ],
  ),
  // The four-byte characters of gb18030 are two pairs of lead byte and digit, so pairs suffice.
  gb18030: tables(
    'gb18030',
    [[0x81, 0xfe]],
    [
      [0x30, 0x39],
      [0x40, 0x7e],
      [0x80, 0xfe],
    ],
  ),
};

/** Collation ids as `SET @@session.character_set_client=13` of a binary log dump names them. */
const COLLATION_IDS: ReadonlyMap<string, WideCharset> = new Map([
  ['1', 'big5'],
  ['84', 'big5'],
  ['13', 'sjis'],
  ['88', 'sjis'],
  ['28', 'gbk'],
  ['87', 'gbk'],
  ['95', 'cp932'],
  ['96', 'cp932'],
  ['248', 'gb18030'],
  ['249', 'gb18030'],
  ['250', 'gb18030'],
]);

function isWideCharset(name: string): name is WideCharset {
  return Object.hasOwn(WIDE_CHARSETS, name);
}

/** The tables of a character set by name or collation id; undefined where bytes are unambiguous. */
export function wideCharsetTables(charset: string | undefined): WideCharsetTables | undefined {
  if (charset === undefined) return undefined;
  const name = COLLATION_IDS.get(charset) ?? charset.toLowerCase();
  return isWideCharset(name) ? WIDE_CHARSETS[name] : undefined;
}

/** Bytes that the character at `position` has: 2 for a lead byte with its trail byte, otherwise 1. */
export function wideCharacterLength(
  charset: WideCharsetTables,
  text: Uint8Array,
  position: number,
): 1 | 2 {
  // Indexes below 256 and within the text are never undefined; `?? 0` only satisfies the types.
  const isLead = charset.lead[text[position] ?? 0] === 1;
  return isLead && charset.trail[text[position + 1] ?? 0] === 1 ? 2 : 1;
}

/** WHATWG decoder labels of the client character sets whose names are not valid UTF-8 as they are. */
const DECODER_LABELS: ReadonlyMap<string, string> = new Map([
  ['sjis', 'shift_jis'],
  ['cp932', 'shift_jis'],
  ['gbk', 'gbk'],
  ['gb2312', 'gbk'],
  ['big5', 'big5'],
  ['gb18030', 'gb18030'],
  ['ujis', 'euc-jp'],
  ['eucjpms', 'euc-jp'],
  ['euckr', 'euc-kr'],
  ['latin1', 'windows-1252'],
  ['latin2', 'iso-8859-2'],
  ['latin5', 'iso-8859-9'],
  ['cp1250', 'windows-1250'],
  ['cp1251', 'windows-1251'],
  ['cp1256', 'windows-1256'],
  ['cp1257', 'windows-1257'],
  ['koi8r', 'koi8-r'],
  ['koi8u', 'koi8-u'],
  ['greek', 'iso-8859-7'],
  ['hebrew', 'iso-8859-8'],
  ['tis620', 'windows-874'],
]);

/** Text of `bytes` in the client character set `charset` (MySQL's name); UTF-8 when not known. */
export function decodeText(bytes: Uint8Array, charset?: string): string {
  const label = charset === undefined ? undefined : DECODER_LABELS.get(charset.toLowerCase());
  return new TextDecoder(label ?? 'utf-8', { ignoreBOM: true }).decode(bytes);
}
