import { theme, withEngine } from '../step.js';

/** Engines without transactions, and table options that show in the definition. */
export const engines = theme('engines', [
  `CREATE TABLE engine_myisam (id INT AUTO_INCREMENT, a VARCHAR(20), t TEXT, PRIMARY KEY (id), FULLTEXT KEY words (t), KEY (a))
    ENGINE = MyISAM AUTO_INCREMENT = 500 CHECKSUM = 1 DELAY_KEY_WRITE = 1 PACK_KEYS = 1 MIN_ROWS = 10 MAX_ROWS = 1000000 AVG_ROW_LENGTH = 100 ROW_FORMAT = DYNAMIC`,
  "INSERT INTO engine_myisam (a, t) VALUES ('x', 'some words; here'), (NULL, NULL)",
  'CREATE TABLE engine_myisam_fixed (a CHAR(10), b FLOAT) ENGINE = MyISAM ROW_FORMAT = FIXED',
  "INSERT INTO engine_myisam_fixed VALUES ('a', 0.1), ('', -0e0), (NULL, NULL)",
  'CREATE TABLE engine_myisam_grouped (grp INT NOT NULL, id INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (grp, id)) ENGINE = MyISAM',
  'INSERT INTO engine_myisam_grouped (grp) VALUES (1), (1), (2), (2), (1)',
  'CREATE TABLE engine_memory (id INT, s VARCHAR(20), PRIMARY KEY (id) USING BTREE, KEY h (s) USING HASH) ENGINE = MEMORY MAX_ROWS = 100',
  "INSERT INTO engine_memory VALUES (1, 'a'), (2, NULL)",
  ...withEngine('ARCHIVE', [
    'CREATE TABLE engine_archive (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT) ENGINE = ARCHIVE AUTO_INCREMENT = 40',
    "INSERT INTO engine_archive (t) VALUES (REPEAT('archive ', 1000)), (NULL)",
  ]),
  'CREATE TABLE engine_csv (a INT NOT NULL, t TEXT NOT NULL, b VARCHAR(20) NOT NULL) ENGINE = CSV',
  `INSERT INTO engine_csv VALUES (1, 'comma, "quote" and \\n newline \\\\', ''), (2, '', ' x ')`,
  ...withEngine('BLACKHOLE', [
    'CREATE TABLE engine_blackhole (id INT PRIMARY KEY, t TEXT) ENGINE = BLACKHOLE',
    "INSERT INTO engine_blackhole VALUES (1, 'gone')",
  ]),
  'CREATE TABLE merge_one (id INT NOT NULL, s CHAR(5), KEY (id)) ENGINE = MyISAM',
  'CREATE TABLE merge_two (id INT NOT NULL, s CHAR(5), KEY (id)) ENGINE = MyISAM',
  "INSERT INTO merge_one VALUES (1, 'a'), (2, 'b')",
  "INSERT INTO merge_two VALUES (1, 'c')",
  // Its name sorts before its parts' names, and restoring its rows as well would double them.
  'CREATE TABLE merge_all (id INT NOT NULL, s CHAR(5), KEY (id)) ENGINE = MERGE UNION = (merge_one, merge_two) INSERT_METHOD = LAST',

  'CREATE TABLE option_compact (a INT) ROW_FORMAT = COMPACT',
  'CREATE TABLE option_redundant (a INT) ROW_FORMAT = REDUNDANT',
  'CREATE TABLE option_dynamic (a INT) ROW_FORMAT = DYNAMIC STATS_PERSISTENT = 1 STATS_AUTO_RECALC = 0 STATS_SAMPLE_PAGES = 50',
  'CREATE TABLE option_compressed (a INT PRIMARY KEY, t TEXT) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8',
  "INSERT INTO option_compressed VALUES (1, REPEAT('squeeze', 1000))",
  "CREATE TABLE option_charset (a VARCHAR(10), b VARCHAR(10) CHARACTER SET latin1, c VARCHAR(10) COLLATE utf8mb4_bin) CHARACTER SET cp1251 COLLATE cp1251_bin COMMENT = 'table''s \\\\ comment; -- \\n */'",
  "INSERT INTO option_charset VALUES ('Ж', 'é', '😀')",
  `CREATE TABLE option_comments (a INT COMMENT '${'c'.repeat(1024)}') COMMENT = '${'t'.repeat(2048)}'`,
  "CREATE TABLE option_connection (a INT) CONNECTION = 'mysql://user:secret@nowhere/db/t' MAX_ROWS = 5 PACK_KEYS = 0",
]);
