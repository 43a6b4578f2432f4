import { insert } from '../sql-text.js';
import { theme } from '../step.js';

/** Each width: signed minimum and maximum, unsigned maximum. */
const WIDTHS = [
  ['TINYINT', '-128', '127', '255'],
  ['SMALLINT', '-32768', '32767', '65535'],
  ['MEDIUMINT', '-8388608', '8388607', '16777215'],
  ['INT', '-2147483648', '2147483647', '4294967295'],
  ['BIGINT', '-9223372036854775808', '9223372036854775807', '18446744073709551615'],
] as const;

const NAMES = WIDTHS.map(([type]) => type.toLowerCase());
const SIGNED_COLUMNS = NAMES.map((name) => `s_${name}`);
const UNSIGNED_COLUMNS = NAMES.map((name) => `u_${name}`);
const ZEROFILL_COLUMNS = NAMES.map((name) => `z_${name}`);

const BITS = Array.from({ length: 64 }, (_, index) => index + 1);

function bitRow(value: (width: number) => string): string[] {
  return BITS.map(value);
}

/** Integers of every width at both ends, BIT(1) to BIT(64), and DECIMAL at its limits. */
export const integers = theme('integers', [
  `CREATE TABLE integers (
    ${WIDTHS.map(([type], index) => `${SIGNED_COLUMNS[index] ?? ''} ${type}`).join(', ')},
    ${WIDTHS.map(([type], index) => `${UNSIGNED_COLUMNS[index] ?? ''} ${type} UNSIGNED`).join(', ')},
    ${WIDTHS.map(([type], index) => `${ZEROFILL_COLUMNS[index] ?? ''} ${type} ZEROFILL`).join(', ')},
    flag BOOL, narrow INT(4) ZEROFILL)`,
  insert(
    'integers',
    [],
    [
      [...WIDTHS.map((w) => w[1]), ...WIDTHS.map(() => '0'), ...WIDTHS.map(() => '0'), '0', '7'],
      [
        ...WIDTHS.map((w) => w[2]),
        ...WIDTHS.map((w) => w[3]),
        ...WIDTHS.map((w) => w[3]),
        '1',
        '12345',
      ],
      [...WIDTHS.map(() => '-1'), ...WIDTHS.map(() => '1'), ...WIDTHS.map(() => '1'), '-128', '0'],
      [
        ...WIDTHS.map(() => '0'),
        ...WIDTHS.map(() => '10'),
        ...WIDTHS.map(() => '42'),
        '127',
        '4294967295',
      ],
      [
        ...WIDTHS.map(() => 'NULL'),
        ...WIDTHS.map(() => 'NULL'),
        ...WIDTHS.map(() => 'NULL'),
        'NULL',
        'NULL',
      ],
    ],
  ),

  `CREATE TABLE bits (${BITS.map((width) => `b${width} BIT(${width})`).join(', ')})`,
  insert(
    'bits',
    [],
    [
      bitRow((width) => `b'${'1'.repeat(width)}'`),
      bitRow(() => "b'0'"),
      bitRow(() => "b'1'"),
      bitRow((width) => `b'1${'0'.repeat(width - 1)}'`),
      bitRow((width) => `b'${'10'.repeat(32).slice(0, width)}'`),
      bitRow(() => 'NULL'),
    ],
  ),
  // Bytes that a text literal would have to escape: NUL, LF, CR, Ctrl-Z, both quotes, backslash.
  "CREATE TABLE bit_specials (b8 BIT(8), b64 BIT(64) DEFAULT b'1010')",
  insert(
    'bit_specials',
    [],
    [0, 10, 13, 26, 34, 39, 92, 255].map((byte) => [
      `0x${byte.toString(16).padStart(2, '0')}`,
      `0x${byte.toString(16).padStart(2, '0').repeat(8)}`,
    ]),
  ),

  `CREATE TABLE decimals (
    widest DECIMAL(65,30), whole DECIMAL(65,0), tiny DECIMAL(1,0), fraction DECIMAL(30,30),
    positive DECIMAL(65,30) UNSIGNED, filled DECIMAL(20,5) ZEROFILL, plain DECIMAL,
    money DECIMAL(10,2) NOT NULL DEFAULT -0.01)`,
  insert(
    'decimals',
    [],
    [
      [
        decimal(35, 30),
        '9'.repeat(65),
        '9',
        decimal(0, 30),
        decimal(35, 30),
        '123.45',
        '9999999999',
        '99999999.99',
      ],
      [
        '-' + decimal(35, 30),
        '-' + '9'.repeat(65),
        '-9',
        '-' + decimal(0, 30),
        '0',
        '0',
        '-9999999999',
        '-99999999.99',
      ],
      [
        '0.000000000000000000000000000001',
        '1',
        '0',
        '0.' + '0'.repeat(29) + '1',
        '0.' + '0'.repeat(29) + '1',
        '0.00001',
        '0',
        '0.01',
      ],
      ['-0.000000000000000000000000000001', '-1', '-0', '0', '1', '99999.99999', '-1', '-0.01'],
      ['1.10', '0', '1', '0.5', '1.10', '1.1', '1', '1.10'],
      ['NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'DEFAULT'],
    ],
  ),
]);

function decimal(whole: number, fraction: number): string {
  return `${whole === 0 ? '0' : '9'.repeat(whole)}.${'9'.repeat(fraction)}`;
}
