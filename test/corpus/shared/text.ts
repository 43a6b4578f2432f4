import { insert, quotedLiteral, textLiteral } from '../sql-text.js';
import { inSession, theme } from '../step.js';

const CONTROLS =
  Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('') + '\u007f';

const TEXTS: readonly string[] = [
  '',
  ' ',
  'trailing   ',
  '\t leading and trailing \n',
  CONTROLS,
  `it's "quoted" \`back\` \\ and \\' \\" \\0 \\n \\Z \\% \\_`,
  'ends with a backslash\\',
  "';\nDROP TABLE books; --",
  'a;\nb;\r\nc;\n',
  '/* comment */ -- comment\n# comment\n/*!50000 executable */ DELIMITER ;;\n//\nDELIMITER ;\n',
  '\\N',
  'NULL',
  '-- {"looks":"like an index"}',
  '%s %d ${name} $1 ? :name @x',
  '\u0000\u001a\u0008\u000a\u000d',
  'Ünïcødé ß Ж 中文 日本 한글 العربية עברית हिन्दी',
  '😀👨‍👩‍👧‍👦🏳️‍🌈 \u{10ffff} \u{1d11e}',
  'combining e\u0301 vs é; ﷺ; \ufeffBOM; zero\u200bwidth; \u2028line\u2029paragraph; \uffff\ufffe\ufffd',
  'x'.repeat(255),
];

const MEMBERS_64 = Array.from({ length: 64 }, (_, index) => `m${index}`);

/** Text with everything that SQL, the client and a line-based reader treat specially; ENUM and SET. */
export const text = theme('text', [
  `CREATE TABLE texts (id INT AUTO_INCREMENT PRIMARY KEY,
    c CHAR(255), v VARCHAR(500), ti TINYTEXT, t TEXT, m MEDIUMTEXT, l LONGTEXT,
    u3 VARCHAR(300) CHARACTER SET utf8mb3, nb VARCHAR(300) COLLATE utf8mb4_bin)`,
  insert(
    'texts',
    ['c', 'v', 'ti', 't', 'm', 'l', 'u3', 'nb'],
    [
      ...TEXTS.map((value) => {
        const all = textLiteral(value);
        const basic = textLiteral(
          Array.from(value)
            .filter((ch) => (ch.codePointAt(0) ?? 0) < 0x10000)
            .join(''),
        );
        return [
          all,
          all,
          textLiteral(value.slice(0, 60).replace(/[\ud800-\udbff]$/u, '')),
          all,
          all,
          all,
          basic,
          all,
        ];
      }),
      Array.from({ length: 8 }, () => 'NULL'),
    ],
  ),
  // One long line and many short ones: longer than any line or statement buffer.
  'CREATE TABLE long_texts (id INT PRIMARY KEY, t LONGTEXT)',
  `INSERT INTO long_texts VALUES (1, REPEAT('x', 1500000)), (2, REPEAT(';\n', 400000)),
    (3, REPEAT(_utf8mb4 0x5c27, 500000)), (4, REPEAT('😀', 300000)), (5, REPEAT(_utf8mb4 0x00, 300000))`,

  // Numbers of ENUM members differ from their texts; the empty text is member 2 and also the error value.
  `CREATE TABLE enums (id INT AUTO_INCREMENT PRIMARY KEY,
    plain ENUM('a', 'b', 'c'), with_empty ENUM('x', '', 'y'), digits ENUM('3', '2', '1', '0') NOT NULL DEFAULT '0',
    odd ENUM(${[`it's`, 'semi;colon', 'back\\slash', '"q"', '`b`', 'new\nline', 'percent%', 'com,ma', 'Ж😀'].map(quotedLiteral).join(', ')}),
    cased ENUM('A', 'a') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)`,
  insert(
    'enums',
    ['plain', 'with_empty', 'digits', 'odd', 'cased'],
    Array.from({ length: 9 }, (_, index) => [
      String((index % 3) + 1),
      String((index % 3) + 1),
      String((index % 4) + 1),
      String(index + 1),
      String((index % 2) + 1),
    ]),
  ),
  "INSERT INTO enums (plain, digits, with_empty) VALUES (NULL, '3', ''), ('c', 3, 'y')",
  ...inSession({ sqlMode: '' }, [
    "INSERT INTO enums (plain, with_empty, digits, odd) VALUES ('nonsense', 'nonsense', 'nonsense', 'nonsense')",
    'INSERT INTO enums (plain, with_empty, digits, odd) VALUES (0, 0, 0, 0)',
  ]),

  `CREATE TABLE sets (id INT AUTO_INCREMENT PRIMARY KEY,
    few SET('a', 'b', 'c'), with_empty SET('x', '', 'y'), full SET(${MEMBERS_64.map((m) => `'${m}'`).join(', ')}),
    odd SET(${["it's", 'semi;colon', 'back\\slash', 'new\nline', '`b`'].map(quotedLiteral).join(', ')}) NOT NULL DEFAULT '')`,
  `INSERT INTO sets (few, with_empty, full, odd) VALUES
    (7, 7, 18446744073709551615, 31), (0, 0, 0, 0), (1, 2, 1, 4), (2, 1, 9223372036854775808, 16),
    (3, 3, 6148914691236517205, 2), (5, 6, 12297829382473034410, 8), (NULL, NULL, NULL, 1), ('', '', '', '')`,
]);
