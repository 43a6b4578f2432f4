import { byteRange, charsetLiteral, hexLiteral, insert } from '../sql-text.js';
import { theme, type CorpusTheme } from '../step.js';

interface Charset {
  readonly name: string;
  readonly collations: readonly string[];
  /** Texts in the charset's own bytes. */
  readonly samples: readonly Buffer[];
  /** Members of an ENUM and a SET, in the charset's own bytes; no comma within a SET's. */
  readonly members: readonly Buffer[];
}

/** Every byte there is: for single-byte sets, whose every byte is a character. */
const ALL_BYTES = byteRange(0, 255);

function singleByte(name: string, collations: readonly string[], letter: number): Charset {
  const members = [Buffer.from([letter]), Buffer.from([0x61, letter]), Buffer.from([letter, 0x27])];
  return { name, collations, samples: [ALL_BYTES, Buffer.from([letter, 0x5c, 0x27])], members };
}

/** All two-byte codes with these lead and trail bytes, 0x5C among the trail bytes. */
function pairs(leads: Buffer, trails: Buffer): Buffer {
  const bytes: number[] = [];
  for (const lead of leads) for (const trail of trails) bytes.push(lead, trail);
  return Buffer.from(bytes);
}

const SJIS_LEADS = Buffer.concat([byteRange(0x81, 0x9f), byteRange(0xe0, 0xfc)]);
const SJIS_TRAILS = Buffer.concat([byteRange(0x40, 0x7e), byteRange(0x80, 0xfc)]);
const GBK_TRAILS = Buffer.concat([byteRange(0x40, 0x7e), byteRange(0x80, 0xfe)]);
const BIG5_TRAILS = Buffer.concat([byteRange(0x40, 0x7e), byteRange(0xa1, 0xfe)]);
const HIGH = byteRange(0xa1, 0xfe);
const ASCII = byteRange(0, 127);

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/**
 * Multi-byte sets whose second byte may be 0x5C (backslash): a converter that treats bytes as ASCII,
 * or goes through Unicode (no mapping for some codes, two codes for others), changes them.
 */
const MULTI_BYTE: readonly Charset[] = [
  {
    name: 'sjis',
    collations: ['sjis_japanese_ci', 'sjis_bin'],
    samples: [
      pairs(SJIS_LEADS, SJIS_TRAILS),
      hex('835c 5c 5c27 835c27'),
      byteRange(0xa1, 0xdf),
      ASCII,
    ],
    members: [hex('835c'), hex('955c 8e86'), hex('5c'), hex('b1b2')],
  },
  {
    name: 'cp932',
    collations: ['cp932_japanese_ci', 'cp932_bin'],
    // 8754 (circled 1) and ed40 to fc4b are vendor codes; several share one Unicode character.
    samples: [pairs(SJIS_LEADS, SJIS_TRAILS), hex('8754 ed40 fa40 fc4b 835c 5c27'), ASCII],
    members: [hex('835c'), hex('8754'), hex('fa40')],
  },
  {
    name: 'gbk',
    collations: ['gbk_chinese_ci', 'gbk_bin'],
    samples: [pairs(byteRange(0x81, 0xfe), GBK_TRAILS), hex('815c bf5c27 d55c'), ASCII],
    members: [hex('815c'), hex('d55c'), hex('5c5c')],
  },
  {
    name: 'big5',
    collations: ['big5_chinese_ci', 'big5_bin'],
    samples: [pairs(byteRange(0xa1, 0xf9), BIG5_TRAILS), hex('a55c b35c27 a45c 5c'), ASCII],
    members: [hex('a55c'), hex('b35c a457'), hex('ae5c')],
  },
  {
    name: 'gb2312',
    collations: ['gb2312_chinese_ci', 'gb2312_bin'],
    samples: [pairs(byteRange(0xa1, 0xf7), HIGH), ASCII],
    members: [hex('b0a1'), hex('d6d0 b9fa')],
  },
  {
    name: 'euckr',
    collations: ['euckr_korean_ci', 'euckr_bin'],
    samples: [pairs(byteRange(0xa1, 0xfd), HIGH), ASCII],
    members: [hex('b0a1'), hex('c7d1 b1db')],
  },
  {
    name: 'ujis',
    collations: ['ujis_japanese_ci', 'ujis_bin'],
    samples: [pairs(HIGH, HIGH), hex('8ea1 8edf 8fa2af 8feda1'), ASCII],
    members: [hex('a5bd'), hex('8eb1'), hex('8fb0a1')],
  },
  {
    name: 'eucjpms',
    collations: ['eucjpms_japanese_ci', 'eucjpms_bin'],
    samples: [pairs(HIGH, HIGH), hex('ada1 8ea1 8ff3f3'), ASCII],
    members: [hex('ada1'), hex('a5bd')],
  },
];

const GB18030: Charset = {
  name: 'gb18030',
  collations: ['gb18030_chinese_ci', 'gb18030_bin'],
  samples: [
    pairs(byteRange(0x81, 0xfe), GBK_TRAILS),
    hex('81308130 8135f437 94 39 fc 36 5c e3329a35'),
    ASCII,
  ],
  members: [hex('815c'), hex('8135f437'), hex('9439fc36'), hex('81308130')],
};

/** Wide sets: every ASCII character holds a NUL byte, and 0x5C, 0x27 and 0x0A occur anywhere. */
const WIDE: readonly Charset[] = [
  wide('utf16', ['utf16_general_ci', 'utf16_bin'], (text) => Buffer.from(text, 'utf16le').swap16()),
  wide('utf16le', ['utf16le_general_ci', 'utf16le_bin'], (text) => Buffer.from(text, 'utf16le')),
  wide('ucs2', ['ucs2_general_ci', 'ucs2_bin'], (text) =>
    Buffer.from(text.replace(/[\ud800-\udfff]/gu, ''), 'utf16le').swap16(),
  ),
  wide('utf32', ['utf32_general_ci', 'utf32_bin'], utf32),
];

function utf32(text: string): Buffer {
  const points = Array.from(text).map((character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(points.length * 4);
  points.forEach((point, index) => bytes.writeUInt32BE(point, index * 4));
  return bytes;
}

function wide(
  name: string,
  collations: readonly string[],
  encode: (text: string) => Buffer,
): Charset {
  const controls = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('');
  const texts = [
    controls,
    '\\\'"`;\n\0',
    '\u5c5c\u275c\u0a0a\u000a\u1a1a',
    'Ünïcødé',
    '😀\u{10ffff}x',
  ];
  const members = ["it's", '\\', '\u5c5c', 'ß'].map(encode);
  return {
    name,
    collations,
    samples: texts.filter((t) => name !== 'ucs2' || !t.includes('😀')).map(encode),
    members,
  };
}

const SINGLE_BYTE: readonly Charset[] = [
  singleByte('latin1', ['latin1_swedish_ci', 'latin1_bin', 'latin1_general_cs'], 0xe9),
  singleByte('latin2', ['latin2_general_ci', 'latin2_bin'], 0xb3),
  singleByte('latin5', ['latin5_turkish_ci', 'latin5_bin'], 0xf0),
  singleByte('latin7', ['latin7_general_ci', 'latin7_bin'], 0xe0),
  singleByte('cp1250', ['cp1250_general_ci', 'cp1250_bin'], 0x9a),
  singleByte('cp1251', ['cp1251_general_ci', 'cp1251_bin'], 0xff),
  singleByte('cp1256', ['cp1256_general_ci', 'cp1256_bin'], 0xc7),
  singleByte('cp1257', ['cp1257_general_ci', 'cp1257_bin'], 0xe0),
  singleByte('cp850', ['cp850_general_ci', 'cp850_bin'], 0x81),
  singleByte('cp852', ['cp852_general_ci', 'cp852_bin'], 0x88),
  singleByte('cp866', ['cp866_general_ci', 'cp866_bin'], 0xa0),
  singleByte('koi8r', ['koi8r_general_ci', 'koi8r_bin'], 0xc1),
  singleByte('koi8u', ['koi8u_general_ci', 'koi8u_bin'], 0xa4),
  singleByte('greek', ['greek_general_ci', 'greek_bin'], 0xe1),
  singleByte('hebrew', ['hebrew_general_ci', 'hebrew_bin'], 0xe0),
  singleByte('tis620', ['tis620_thai_ci', 'tis620_bin'], 0xa1),
  singleByte('armscii8', ['armscii8_general_ci', 'armscii8_bin'], 0xb3),
  singleByte('geostd8', ['geostd8_general_ci', 'geostd8_bin'], 0xc0),
  singleByte('dec8', ['dec8_swedish_ci', 'dec8_bin'], 0xe9),
  singleByte('hp8', ['hp8_english_ci', 'hp8_bin'], 0xc5),
  singleByte('keybcs2', ['keybcs2_general_ci', 'keybcs2_bin'], 0x88),
  singleByte('macce', ['macce_general_ci', 'macce_bin'], 0x88),
  singleByte('macroman', ['macroman_general_ci', 'macroman_bin'], 0x88),
  // In swe7 the byte of the backslash is the letter Ö.
  {
    ...singleByte('swe7', ['swe7_swedish_ci', 'swe7_bin'], 0x5c),
    samples: [ASCII, hex('5c5c275c')],
  },
  {
    ...singleByte('ascii', ['ascii_general_ci', 'ascii_bin'], 0x5c),
    samples: [ASCII, hex('5c5c275c')],
  },
];

function literal(charset: string, bytes: Buffer): string {
  return charsetLiteral(charset, bytes);
}

function tableSteps(charset: Charset, collation: string): string[] {
  const table = `text_${collation}`;
  // A bare hex literal takes the column's character set; an introducer is not allowed here.
  const members = charset.members.map(hexLiteral).join(', ');
  const first = literal(charset.name, charset.members[0] ?? Buffer.alloc(0));
  const rows = charset.samples.map((sample) => {
    const start = literal(charset.name, wholeCharacters(charset, sample));
    return [start, start, literal(charset.name, sample), literal(charset.name, sample), '1', '3'];
  });
  return [
    `CREATE TABLE ${table} (id INT AUTO_INCREMENT PRIMARY KEY, c CHAR(8), v VARCHAR(40), t MEDIUMTEXT, lt LONGTEXT,
      e ENUM(${members}) DEFAULT ${first}, s SET(${members}))
      CHARACTER SET ${charset.name} COLLATE ${collation}`,
    insert(
      table,
      ['c', 'v', 't', 'lt', 'e', 's'],
      [
        ...rows,
        ["''", "''", "''", "''", 'NULL', '0'],
        ['NULL', 'NULL', 'NULL', 'NULL', String(charset.members.length), 'NULL'],
      ],
    ),
  ];
}

/** Up to four characters from a sample's start, never half a character. */
function wholeCharacters(charset: Charset, sample: Buffer): Buffer {
  if (charset.name === 'utf32') return sample.subarray(0, 16);
  if (SINGLE_BYTE.includes(charset)) return sample.subarray(0, 4);
  if (sample.length <= 4 || WIDE.includes(charset)) return sample.subarray(0, 4);
  return charset.members[0] ?? sample.subarray(0, 0);
}

/**
 * Every character set with the bytes that conversions lose, in CHAR, VARCHAR, TEXT, ENUM and SET.
 * @param hasGb18030 MariaDB does not know gb18030.
 */
export function charsets(hasGb18030: boolean): CorpusTheme {
  const all = [...SINGLE_BYTE, ...MULTI_BYTE, ...(hasGb18030 ? [GB18030] : []), ...WIDE];
  return theme('charsets', [
    ...all.flatMap((charset) =>
      charset.collations.flatMap((collation) => tableSteps(charset, collation)),
    ),
    `CREATE TABLE text_mixed (
      a VARCHAR(20) CHARACTER SET sjis DEFAULT ${literal('sjis', hex('835c'))} COMMENT 'ソ',
      b CHAR(20) CHARACTER SET gbk COLLATE gbk_bin NOT NULL DEFAULT ${literal('gbk', hex('815c'))},
      c TEXT CHARACTER SET utf16, d VARBINARY(20), e VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin,
      f VARCHAR(20) CHARACTER SET utf8mb3, PRIMARY KEY (b, e)) CHARACTER SET ucs2`,
    `INSERT INTO text_mixed (c, d, e, f) VALUES (${literal('utf16', hex('005c00270a5c'))},
      ${hexLiteral(hex('835c'))}, ${literal('latin1', hex('e9a45c'))}, 'ソ𝄞'), (NULL, NULL, 'x', NULL)`.replace(
      '𝄞',
      'é',
    ),
  ]);
}
