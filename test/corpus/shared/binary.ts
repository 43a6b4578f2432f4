import { byteRange, hexLiteral, insert, randomBytes } from '../sql-text.js';
import { inSession, scaledTheme, theme, type CorpusScale } from '../step.js';

const ALL_BYTES = byteRange(0, 255);

/** Lengths around the borders of the protocol's length encoding and of the types themselves. */
const SIZES: readonly number[] = [
  0, 1, 2, 127, 128, 249, 250, 251, 252, 253, 254, 255, 256, 1023, 65_534, 65_535, 65_536, 65_537,
];

/** Binary types with every byte, bytes that look like SQL, trailing zeros and all border lengths. */
export const binary = theme('binary', [
  `CREATE TABLE binaries (id INT AUTO_INCREMENT PRIMARY KEY,
    b BINARY(16), b1 BINARY, vb VARBINARY(300), ti TINYBLOB, bl BLOB, m MEDIUMBLOB, l LONGBLOB,
    nn VARBINARY(10) NOT NULL DEFAULT 0x00ff27)`,
  insert(
    'binaries',
    ['b', 'b1', 'vb', 'ti', 'bl', 'm', 'l'],
    [
      [
        hexLiteral(byteRange(0, 15)),
        '0x00',
        ...Array.from({ length: 5 }, (_, i) =>
          hexLiteral(i < 2 ? ALL_BYTES.subarray(0, 255) : ALL_BYTES),
        ),
      ],
      ["''", "''", "''", "''", "''", "''", "''"],
      ['0x61', '0x20', '0x6100', '0x2020', '0x00', '0x0000', '0x275c'],
      ['0x61000000', '0x27', '0x5c', '0x5c27', '0x0a0d1a', '0xff', '0xfe00fb'],
      ['0xffffffffffffffffffffffffffffffff', '0xfb', '0xfbfb', '0xfc', '0xfd', '0xfe', '0xff'],
      Array.from({ length: 7 }, () => 'NULL'),
    ],
  ),
  'CREATE TABLE every_byte (v VARBINARY(1) PRIMARY KEY, n TINYINT UNSIGNED)',
  insert(
    'every_byte',
    [],
    Array.from(ALL_BYTES, (byte) => [hexLiteral(Buffer.from([byte])), String(byte)]),
  ),
  // Every pair of bytes: no escape, introducer or multi-byte character is missed.
  'CREATE TABLE every_pair (first_byte TINYINT UNSIGNED PRIMARY KEY, pairs BLOB, quoted BLOB)',
  insert(
    'every_pair',
    [],
    Array.from(ALL_BYTES, (lead) => {
      const pairs = Buffer.concat(Array.from(ALL_BYTES, (trail) => Buffer.from([lead, trail])));
      return [String(lead), hexLiteral(pairs), hexLiteral(Buffer.from(pairs).reverse())];
    }),
  ),
  'CREATE TABLE sizes (n INT PRIMARY KEY, b LONGBLOB, t LONGTEXT CHARACTER SET latin1)',
  ...SIZES.map((size) =>
    insert(
      'sizes',
      [],
      [[String(size), hexLiteral(randomBytes(size, size + 1)), `REPEAT('q', ${size})`]],
    ),
  ),
]);

/**
 * Blob lengths for which the row's packet just misses, meets or passes 2^24 - 1 bytes, where the
 * protocol splits packets; the last meets two such borders at once.
 */
const LONE_SIZES = [16_777_210, 16_777_211, 16_777_212] as const;
const KEYED_SIZES = [16_777_214, 16_777_215, 16_777_216, 16_777_217] as const;
const DOUBLE_BORDER_SIZE = 2 * 16_777_215 - 9;

function giantSteps(scale: CorpusScale): string[] {
  const seed = hexLiteral(randomBytes(256 * 1024, 77));
  const fill = (length: number): string => {
    const whole = Math.floor(length / (256 * 1024));
    const rest = length % (256 * 1024);
    return `CONCAT(REPEAT(seed, ${whole}), LEFT(seed, ${rest}))`;
  };
  const steps = [
    'CREATE TABLE giant_seed (seed MEDIUMBLOB)',
    `INSERT INTO giant_seed VALUES (${seed})`,
    'CREATE TABLE giant_row (id INT PRIMARY KEY, small VARCHAR(20), giant LONGBLOB, other LONGTEXT)',
    `INSERT INTO giant_row SELECT 1, 'before', seed, 'x' FROM giant_seed`,
    `INSERT INTO giant_row SELECT 2, 'giant', ${fill(scale.giantRowBytes)}, 'after' FROM giant_seed`,
    `INSERT INTO giant_row VALUES (3, 'after', NULL, '')`,
  ];
  if (!scale.packetBorders) return steps;
  return [
    ...steps,
    'CREATE TABLE packet_border_lone (b LONGBLOB)',
    ...LONE_SIZES.map(
      (size) => `INSERT INTO packet_border_lone SELECT ${fill(size)} FROM giant_seed`,
    ),
    'CREATE TABLE packet_border_keyed (id INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)',
    ...KEYED_SIZES.map(
      (size) => `INSERT INTO packet_border_keyed (b) SELECT ${fill(size)} FROM giant_seed`,
    ),
    'CREATE TABLE packet_border_double (b LONGBLOB)',
    `INSERT INTO packet_border_double SELECT ${fill(DOUBLE_BORDER_SIZE)} FROM giant_seed`,
  ];
}

/** One giant row, and in full scale rows at the packet borders; built by the server itself. */
export const giants = scaledTheme('giants', (scale) =>
  // The binlog must not hold half a gigabyte of test blobs; MariaDB and MySQL both know this one.
  inSession({ variables: { sql_log_bin: '0' } }, giantSteps(scale)),
);
