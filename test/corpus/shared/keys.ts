import { insert, inserts, textLiteral } from '../sql-text.js';
import { inSession, scaledTheme, theme, type CorpusTheme } from '../step.js';

/** Tables whose keys are hard to split by, hard to compare or not there at all. */
export const keys = scaledTheme('keys', (scale) => [
  'CREATE TABLE key_none (a INT, b VARCHAR(10))',
  "INSERT INTO key_none VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL), (2, 'X'), (2, 'x ')",
  'CREATE TABLE key_none_many (a INT, b VARCHAR(10))',
  ...inserts(
    'key_none_many',
    [],
    manyRows(scale.manyRows, (n) => [String(n % 7), `'d${n % 3}'`]),
  ),
  'CREATE TABLE key_int_many (id INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(20))',
  ...inserts(
    'key_int_many',
    ['b'],
    manyRows(scale.manyRows, (n) => [`'row ${n}'`]),
  ),

  'CREATE TABLE key_gaps (id BIGINT PRIMARY KEY, v INT)',
  'INSERT INTO key_gaps VALUES (-9223372036854775808, 1), (-1, 2), (0, 3), (1, 4), (1000000000000, 5), (9223372036854775807, 6)',
  'CREATE TABLE key_unsigned (id BIGINT UNSIGNED PRIMARY KEY)',
  'INSERT INTO key_unsigned VALUES (0), (9223372036854775807), (9223372036854775808), (18446744073709551615)',
  'CREATE TABLE key_composite (a INT, b VARCHAR(20), c DATE, d INT, PRIMARY KEY (b, a, c))',
  "INSERT INTO key_composite VALUES (1, '', '0000-00-00', 1), (1, 'a', '2024-02-30', 2), (2, 'a', '2024-02-30', 3), (1, 'ß', '9999-12-31', 4)",
  ...inserts(
    'key_composite',
    [],
    manyRows(scale.manyRows, (n) => [String(n), `'k${n % 10}'`, "'2024-01-01'", String(n)]),
  ),
  'CREATE TABLE key_binary (k BINARY(4), v VARBINARY(20), PRIMARY KEY (k, v))',
  "INSERT INTO key_binary VALUES (0x00, ''), (0x00, 0x00), (0x00000001, 0x5c27), (0xffffffff, 0xff), (0x27, 0x0a), (0x5c, 0x1a)",
  'CREATE TABLE key_uuid (id BINARY(16) PRIMARY KEY, n INT)',
  ...inserts(
    'key_uuid',
    [],
    manyRows(Math.min(scale.manyRows, 3000), (n) => [
      `UNHEX(SHA2('${n}', 224))`.replace('UNHEX(', 'LEFT(UNHEX(').concat(', 16)'),
      String(n),
    ]),
  ),
  'CREATE TABLE key_float (f FLOAT, d DOUBLE, PRIMARY KEY (f, d))',
  'INSERT INTO key_float VALUES (0.1, 0.1), (16777215, 1e300), (-1.5e-45, 5e-324), (3.4028234663852886e38, -1e308)',
  'CREATE TABLE key_decimal (d DECIMAL(65,30) PRIMARY KEY)',
  'INSERT INTO key_decimal VALUES (1.10), (-0.000000000000000000000000000001), (99999999999999999999999999999999999.9)',
  `CREATE TABLE key_cased (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, n INT)`,
  "INSERT INTO key_cased VALUES ('a', 1), ('A', 2), ('á', 3), ('', 4), (';\\n', 5), ('a\\\\', 6), ('\\'', 7), ('\\n--', 8), ('😀', 9)",
  'CREATE TABLE key_caseless (k VARCHAR(20) PRIMARY KEY, n INT)',
  "INSERT INTO key_caseless VALUES ('a', 1), ('B', 2), ('c', 3), ('D', 4), ('ß', 5), ('Z', 6), ('é', 7)",
  `CREATE TABLE key_caseless_many (k VARCHAR(40) PRIMARY KEY, n INT)`,
  ...inserts(
    'key_caseless_many',
    [],
    manyRows(scale.manyRows, (n) => [`'${n % 2 === 0 ? 'Key' : 'kEY'}-${n}'`, String(n)]),
  ),
  'CREATE TABLE key_sjis (k VARCHAR(20) CHARACTER SET sjis PRIMARY KEY)',
  "INSERT INTO key_sjis VALUES (_sjis 0x835c), (_sjis 0x5c), (_sjis 0x27), (_sjis 0xb1), ('')",
  "CREATE TABLE key_enum (e ENUM('z', 'a', 'm') PRIMARY KEY, s SET('x', 'y'))",
  "INSERT INTO key_enum VALUES ('a', 'x'), ('z', ''), ('m', 'x,y')",
  'CREATE TABLE key_bit (b BIT(64) PRIMARY KEY)',
  "INSERT INTO key_bit VALUES (b'0'), (b'1'), (0xffffffffffffffff), (0x275c0a1a00000000)",
  'CREATE TABLE key_temporal (t TIMESTAMP(6), d DATE, i TIME(6), y YEAR, PRIMARY KEY (t, d, i, y))',
  "INSERT INTO key_temporal VALUES ('2024-10-27 00:30:00', '0000-00-00', '-838:59:59', 0), ('1970-01-01 00:00:01', '2024-02-30', '00:00:00.000001', 2155)",
  'CREATE TABLE key_nullable_unique (a INT, b INT, UNIQUE KEY ab (a, b))',
  'INSERT INTO key_nullable_unique VALUES (NULL, NULL), (NULL, NULL), (1, NULL), (1, NULL), (1, 1), (NULL, 1)',
  'CREATE TABLE key_unique_only (a INT NOT NULL, b VARCHAR(10) NOT NULL, UNIQUE KEY u (b, a))',
  "INSERT INTO key_unique_only VALUES (1, 'a'), (2, 'a'), (1, 'b')",
  'CREATE TABLE key_prefix (t TEXT NOT NULL, b BLOB, PRIMARY KEY (t(10)), UNIQUE KEY (b(3)), KEY pair (t(5), b(2)))',
  "INSERT INTO key_prefix VALUES ('aaaaaaaaaaX', 0x010203), ('aaaaaaaaab', 0x0102), ('', NULL)",
  'CREATE TABLE key_late (v INT, w INT, id INT NOT NULL, PRIMARY KEY (id), KEY w_v (w, v))',
  'INSERT INTO key_late VALUES (3, 2, 1), (1, 2, 3)',
]);

function manyRows(count: number, row: (n: number) => string[]): string[][] {
  return Array.from({ length: count }, (_, index) => row(index));
}

/** Counters far above the rows, rows with id 0, negative ids, and counters of empty tables. */
export const autoIncrement: CorpusTheme = theme('auto-increment', [
  'CREATE TABLE counter_far (id INT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 1000000',
  'INSERT INTO counter_far (id, v) VALUES (1, 1), (2, 2)',
  'CREATE TABLE counter_empty (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 77',
  'CREATE TABLE counter_zero (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10))',
  "INSERT INTO counter_zero VALUES (0, 'zero'), (1, 'one'), (5, 'five')",
  'CREATE TABLE counter_negative (id INT AUTO_INCREMENT PRIMARY KEY)',
  'INSERT INTO counter_negative VALUES (-5), (-1), (0), (3)',
  'CREATE TABLE counter_last (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)',
  'INSERT INTO counter_last VALUES (254)',
  'CREATE TABLE counter_big (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 18446744073709551610',
  'INSERT INTO counter_big VALUES (NULL)',
  'CREATE TABLE counter_deleted (id INT AUTO_INCREMENT PRIMARY KEY)',
  'INSERT INTO counter_deleted VALUES (1), (2), (99)',
  'DELETE FROM counter_deleted WHERE id = 99',
  'CREATE TABLE counter_second (a INT, id INT AUTO_INCREMENT, KEY (id), PRIMARY KEY (a)) AUTO_INCREMENT = 42',
  insert(
    'counter_second',
    ['a', 'id'],
    [
      ['1', '7'],
      ['2', '0'],
    ],
  ),
  ...inSession({ variables: { auto_increment_increment: '10', auto_increment_offset: '3' } }, [
    'CREATE TABLE counter_step (id INT AUTO_INCREMENT PRIMARY KEY, v INT)',
    'INSERT INTO counter_step (v) VALUES (1), (2), (3)',
  ]),
]);

/** Few of a thousand columns may be text, or the row no longer fits a page. */
function wideColumn(n: number): { type: string; value: string } {
  if (n % 16 === 1) return { type: 'TINYTEXT', value: `'it''s ${n}'` };
  const kinds = [
    { type: 'INT', value: String(n) },
    { type: 'FLOAT', value: '-0e0' },
    { type: 'DATE', value: "'2024-02-30'" },
    { type: 'BIT(3)', value: "b'101'" },
  ];
  return kinds[n % kinds.length] ?? { type: 'INT', value: '0' };
}

/** Shapes of tables: very wide, one column, no rows, all NULL, nothing that an INSERT could list. */
export const shapes = scaledTheme('shapes', (scale) => {
  const columns = Array.from({ length: scale.wideTableColumns }, (_, index) => index);
  return [
    `CREATE TABLE wide (${columns.map((n) => `column_${n} ${wideColumn(n).type}`).join(', ')})`,
    insert(
      'wide',
      [],
      [
        columns.map((n) => wideColumn(n).value),
        columns.map(() => 'NULL'),
        columns.map((n) => (n % 2 === 0 ? 'NULL' : wideColumn(n).value)),
      ],
    ),
    'CREATE TABLE one_column (only_column INT)',
    'INSERT INTO one_column VALUES (NULL), (NULL), (NULL)',
    'CREATE TABLE one_text (t TEXT)',
    `INSERT INTO one_text VALUES (''), (NULL), (${textLiteral('NULL')}), ('')`,
    'CREATE TABLE no_rows (id INT PRIMARY KEY, t TEXT)',
    "CREATE TABLE only_generated (a INT GENERATED ALWAYS AS (1 + 1) VIRTUAL, b VARCHAR(5) GENERATED ALWAYS AS (CONCAT(a, 'x')) STORED)",
    'INSERT INTO only_generated () VALUES (), (), ()',
    'CREATE TABLE all_defaults (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 5, b TEXT)',
    'INSERT INTO all_defaults () VALUES (), ()',
  ];
});
