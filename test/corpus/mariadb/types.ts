import { byteRange, hexLiteral, insert, textLiteral } from '../sql-text.js';
import { inSession, since, theme } from '../step.js';

/** Column types and attributes that only MariaDB has. */
export const mariadbTypes = theme('mariadb-types', [
  'CREATE TABLE uuids (id UUID PRIMARY KEY, other UUID DEFAULT UUID(), KEY (other))',
  insert(
    'uuids',
    [],
    [
      ["'00000000-0000-0000-0000-000000000000'", 'NULL'],
      ["'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'123e4567-e89b-12d3-a456-426655440000'"],
      ["'123e4567-e89b-42d3-a456-426655440000'", 'DEFAULT'],
      ["'275c0a0d-001a-5c27-0000-000000000001'", "'5c27275c-0000-7000-8000-0a0d1a000000'"],
    ],
  ),
  "CREATE TABLE inets (a INET6, b INET4, UNIQUE KEY (a, b), c INET6 NOT NULL DEFAULT '::1')",
  insert(
    'inets',
    ['a', 'b'],
    [
      ["'::'", "'0.0.0.0'"],
      ["'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'255.255.255.255'"],
      ["'::ffff:192.168.0.1'", "'127.0.0.1'"],
      ["'2001:db8::ff00:42:8329'", "'39.92.10.26'"],
      ['NULL', 'NULL'],
    ],
  ),
  `CREATE TABLE compressed_columns (id INT PRIMARY KEY, t TEXT COMPRESSED, b LONGBLOB COMPRESSED, v VARCHAR(500) COMPRESSED CHARACTER SET latin1 DEFAULT 'x',
    vb VARBINARY(500) /*!100301 COMPRESSED*/ NOT NULL)`,
  insert(
    'compressed_columns',
    [],
    [
      [
        '1',
        "REPEAT('squeeze; ', 5000)",
        hexLiteral(byteRange(0, 255)),
        "REPEAT('é', 300)",
        `REPEAT(${hexLiteral(byteRange(0, 255).subarray(0, 100))}, 4)`,
      ],
      ['2', "''", "''", "''", "''"],
      ['3', 'NULL', 'NULL', 'NULL', '0x00'],
      ['4', "'x'", '0x275c', 'DEFAULT', '0xff'],
    ],
  ),
  // JSON is LONGTEXT with a CHECK: the text is kept byte for byte, blanks and duplicate keys too.
  "CREATE TABLE json_alias (id INT PRIMARY KEY, j JSON, k JSON NOT NULL DEFAULT '{}', n LONGTEXT CHECK (JSON_VALID(n)), KEY ((id)))".replace(
    ', KEY ((id))',
    '',
  ),
  insert(
    'json_alias',
    [],
    [
      [
        '1',
        textLiteral('{"b": 1.10,  "a":1e400, "a" : -0.0}\n'),
        "'[]'",
        textLiteral('"\\u0000\u007f"'),
      ],
      ['2', 'NULL', 'DEFAULT', "'null'"],
      [
        '3',
        textLiteral('123456789012345678901234567890.10'),
        '\'"😀"\'',
        textLiteral('{"":{"":[[]]}}'),
      ],
    ],
  ),
  ...since('11.7', [
    'CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, VECTOR INDEX (v))',
    "INSERT INTO vectors VALUES (1, Vec_FromText('[1,-0.5,1e-30]'))",
  ]),

  `CREATE TABLE generated_columns (a INT, p INT AS (a + 1) PERSISTENT, v INT AS (a * 2) VIRTUAL, s VARCHAR(50) GENERATED ALWAYS AS (CONCAT('it''s; \\\\', a)) STORED,
    d DATE DEFAULT (CURRENT_DATE), u VARCHAR(40) DEFAULT UUID(), n INT DEFAULT (1 + 2), t TEXT DEFAULT 'text; it''s', b BLOB DEFAULT 0x00ff,
    hidden INT INVISIBLE DEFAULT 5, hidden_generated INT AS (a - 1) VIRTUAL INVISIBLE, KEY (v), UNIQUE KEY (p))`,
  'INSERT INTO generated_columns (a, hidden) VALUES (1, 7), (NULL, NULL), (-5, DEFAULT)',
  ...inSession({ sqlMode: '' }, [
    "CREATE TABLE generated_permissive (a INT, q INT AS (10 DIV a) STORED, cut VARCHAR(3) AS (CONCAT('value', a)) STORED, n TINYINT AS (a * 1000) STORED)",
    'INSERT INTO generated_permissive (a) VALUES (0), (1), (30), (NULL)',
  ]),
  `CREATE TABLE checks_of_columns (id INT CHECK (id > 0), s VARCHAR(20) NOT NULL DEFAULT 'x' CHECK (s <> 'it''s;'), CONSTRAINT \`chk;odd\` CHECK (id < 100))`,
  "INSERT INTO checks_of_columns VALUES (1, 'x')",
  ...inSession({ variables: { check_constraint_checks: '0' } }, [
    "INSERT INTO checks_of_columns VALUES (-1, 'it''s;'), (1000, '')",
  ]),
  'CREATE TABLE ignored_index (id INT PRIMARY KEY, a INT, b INT, KEY ka (a) IGNORED, KEY kb (b DESC), KEY kab (a DESC, b))',
  'INSERT INTO ignored_index VALUES (1, 2, 3)',
  'CREATE TABLE unique_blob (t TEXT, b BLOB, UNIQUE KEY (t), UNIQUE KEY hash_key (b) USING HASH)',
  "INSERT INTO unique_blob VALUES (REPEAT('x', 5000), 0x00), (NULL, NULL), (NULL, NULL), ('', '')",
  'CREATE TABLE text_collations (a VARCHAR(20) COLLATE uca1400_ai_ci, b VARCHAR(20) COLLATE utf8mb4_nopad_bin, c VARCHAR(20) COLLATE latin1_nopad_bin PRIMARY KEY)',
  "INSERT INTO text_collations VALUES ('é ', 'é ', 'x'), ('é', 'é', 'x '), ('', '', '')",
]);

/** Storage options of MariaDB's own. */
export const mariadbEngines = theme('mariadb-engines', [
  'CREATE TABLE aria_crash_safe (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, g GEOMETRY NOT NULL, FULLTEXT KEY (t), SPATIAL KEY (g)) ENGINE = Aria TRANSACTIONAL = 1 AUTO_INCREMENT = 30',
  "INSERT INTO aria_crash_safe (t, g) VALUES ('words here', POINT(1, 2))",
  'CREATE TABLE aria_plain (a INT) ENGINE = Aria TRANSACTIONAL = 0 PAGE_CHECKSUM = 0 ROW_FORMAT = FIXED',
  'INSERT INTO aria_plain VALUES (1), (NULL)',
  'CREATE TABLE innodb_page_compressed (a INT PRIMARY KEY, t TEXT) PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 3',
  "INSERT INTO innodb_page_compressed VALUES (1, REPEAT('x', 10000))",
  "CREATE TABLE option_ietf (a INT) `ENCRYPTED` = NO, COMMENT = 'x'",
]);
