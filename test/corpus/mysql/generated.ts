import { inSession, since, theme } from '../step.js';

/** Generated, invisible and default-expression columns, and the hidden key that MySQL makes itself. */
export const generated = theme('generated', [
  `CREATE TABLE generated_columns (
    virtual_first INT GENERATED ALWAYS AS (a + b) VIRTUAL COMMENT 'DEFAULT_GENERATED STORED GENERATED',
    a INT, stored_middle BIGINT GENERATED ALWAYS AS (a * 1000000000) STORED NOT NULL, b INT NOT NULL DEFAULT 7,
    t VARCHAR(100), shout VARCHAR(200) GENERATED ALWAYS AS (CONCAT(UPPER(t), ' -- it''s; \\\\ "x" ', _latin1 0xE9)) STORED,
    j JSON, extracted VARCHAR(50) GENERATED ALWAYS AS (j->>'$."it''s".b') VIRTUAL,
    ts TIMESTAMP NULL, hour_of TINYINT GENERATED ALWAYS AS (HOUR(ts)) STORED,
    hidden INT GENERATED ALWAYS AS (a DIV 2) VIRTUAL INVISIBLE,
    last_plain DOUBLE, KEY (virtual_first), KEY (hidden, stored_middle), UNIQUE KEY (extracted))`,
  `INSERT INTO generated_columns (a, b, t, j, ts, last_plain) VALUES
    (1, 2, 'x', '{"it''s": {"b": "deep"}}', '2024-10-27 00:30:00', 0.1), (-5, DEFAULT, NULL, NULL, NULL, -0e0), (0, 0, '', '[]', '2024-03-31 23:30:00', NULL)`,
  'CREATE TABLE generated_key (a INT, id INT GENERATED ALWAYS AS (a + 100) STORED PRIMARY KEY, b INT GENERATED ALWAYS AS (id * 2) VIRTUAL UNIQUE)',
  'INSERT INTO generated_key (a) VALUES (1), (2)',
  // Made under a permissive mode: the expressions fail or cut their value under a strict one.
  ...inSession({ sqlMode: '' }, [
    "CREATE TABLE generated_permissive (a INT, q INT GENERATED ALWAYS AS (10 DIV a) STORED, cut VARCHAR(3) GENERATED ALWAYS AS (CONCAT('value', a)) STORED, n TINYINT GENERATED ALWAYS AS (a * 1000) STORED)",
    'INSERT INTO generated_permissive (a) VALUES (0), (1), (30), (NULL)',
  ]),

  `CREATE TABLE default_expressions (id INT AUTO_INCREMENT PRIMARY KEY, u BINARY(16) DEFAULT (UUID_TO_BIN(UUID())),
    d DATE DEFAULT (CURRENT_DATE + INTERVAL 1 YEAR), t TEXT DEFAULT (CONCAT('it''s; ', '\\\\', "q")), b BLOB DEFAULT (0x00FF),
    j JSON DEFAULT (JSON_ARRAY(1, 'x')), p POINT DEFAULT (POINT(1, 2)), r FLOAT DEFAULT (RAND() * RAND()), n INT DEFAULT (1 + 2),
    other INT DEFAULT (n * 2), c DATETIME(6) DEFAULT (NOW(6)), plain VARCHAR(30) DEFAULT 'it''s \\\\ ; "q" %')`,
  'INSERT INTO default_expressions () VALUES (), ()',
  'INSERT INTO default_expressions (u, d, t, b, j, p, r, n, other, c, plain) VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)',

  "CREATE TABLE invisible_columns (a INT INVISIBLE, b INT, c VARCHAR(10) DEFAULT 'x' INVISIBLE, id INT AUTO_INCREMENT PRIMARY KEY INVISIBLE)",
  "INSERT INTO invisible_columns (a, b, c, id) VALUES (1, 2, 'hid', 10), (NULL, NULL, NULL, 20)",
  'INSERT INTO invisible_columns VALUES (3)',

  ...inSession({ variables: { sql_generate_invisible_primary_key: 'ON' } }, [
    'CREATE TABLE gipk (a INT, b VARCHAR(10))',
    "INSERT INTO gipk VALUES (1, 'x'), (1, 'x'), (NULL, NULL)",
    "INSERT INTO gipk (my_row_id, a, b) VALUES (1000, 9, 'far')",
    'DELETE FROM gipk WHERE my_row_id = 2',
    'CREATE TABLE gipk_empty (a INT)',
    'CREATE TABLE gipk_only_key (g INT GENERATED ALWAYS AS (1) VIRTUAL)',
    'INSERT INTO gipk_only_key () VALUES (), ()',
  ]),
  ...since('8.0', [
    'CREATE TABLE gipk_by_hand (my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE, a INT)',
  ]),
  'INSERT INTO gipk_by_hand (a) VALUES (1), (2)',
]);

/** Each kind of index; their order and their hidden columns must come back as they were. */
export const indexes = theme('indexes', [
  `CREATE TABLE indexes (id INT PRIMARY KEY, a INT, b VARCHAR(100), t TEXT, j JSON, g POINT NOT NULL SRID 0, bl BLOB,
    KEY \`z first\` (a DESC, b ASC), KEY functional ((a + 1)), KEY functional_two ((UPPER(b)), a DESC, (a * -1)),
    UNIQUE KEY functional_unique ((CAST(j->>'$.id' AS UNSIGNED))), KEY multi_valued ((CAST(j->'$.tags' AS UNSIGNED ARRAY))),
    KEY multi_text (a, (CAST(j->'$.names' AS CHAR(20) ARRAY)), b(5)), KEY unseen (b) INVISIBLE, KEY prefix (t(20), bl(7)),
    SPATIAL KEY place (g), FULLTEXT KEY words (t), FULLTEXT KEY words_ngram (b, t) WITH PARSER ngram COMMENT 'it''s; \\\\ "x"',
    KEY hashed (b) USING BTREE KEY_BLOCK_SIZE = 4, KEY long_expression ((CONCAT(b, ' ; -- it''s \\\\ "x" /* */', a))))`,
  `INSERT INTO indexes VALUES
    (1, 1, 'one', 'the first text', '{"id": 1, "tags": [1, 2, 3], "names": ["a", "b"]}', POINT(1, 2), 0x00),
    (2, NULL, NULL, NULL, '{"tags": [], "names": ["ü"]}', POINT(0, 0), NULL), (3, 5, 'x', 'words words', NULL, POINT(-1, 1e10), 0xFF)`,
  'CREATE TABLE index_invisible_primary (id INT NOT NULL, a INT, b INT, UNIQUE KEY u (a) INVISIBLE, PRIMARY KEY (id DESC))',
  'INSERT INTO index_invisible_primary VALUES (1, NULL, 1), (2, 2, 2)',
  'CREATE TABLE index_fulltext_id (FTS_DOC_ID BIGINT UNSIGNED AUTO_INCREMENT NOT NULL PRIMARY KEY, t TEXT, FULLTEXT KEY (t))',
  "INSERT INTO index_fulltext_id (FTS_DOC_ID, t) VALUES (5, 'five'), (100, 'hundred')",
  'CREATE TABLE index_many (id INT PRIMARY KEY, ' +
    Array.from({ length: 20 }, (_, n) => `c${n} INT, KEY k${(n * 7) % 20} (c${n})`).join(', ') +
    ')',

  `CREATE TABLE checks_not_enforced (a INT, CONSTRAINT never CHECK (a > 100) NOT ENFORCED, CONSTRAINT always_so CHECK (a < 1000))`,
  'INSERT INTO checks_not_enforced VALUES (1), (-5), (NULL)',
]);

/** Options and attributes that only MySQL has. */
export const options = theme('options', [
  "CREATE TABLE option_page_compression (a INT PRIMARY KEY, t TEXT) COMPRESSION = 'zlib'",
  "INSERT INTO option_page_compression VALUES (1, REPEAT('x', 20000))",
  'CREATE TABLE option_tablespace (a INT) TABLESPACE = innodb_system',
  'INSERT INTO option_tablespace VALUES (1)',
  'CREATE TABLE option_file_per_table (a INT) TABLESPACE = innodb_file_per_table',
  "CREATE TABLE option_attributes (a INT COLUMN_FORMAT DYNAMIC STORAGE DISK, b INT COLUMN_FORMAT FIXED, c INT NOT SECONDARY) AUTOEXTEND_SIZE = 4M ENCRYPTION = 'N'",
  'CREATE TABLE option_secondary (a INT PRIMARY KEY) SECONDARY_ENGINE = RAPID',
  'INSERT INTO option_secondary VALUES (1)',
  `CREATE TABLE option_engine_attribute (a INT SECONDARY_ENGINE_ATTRIBUTE = '{"k": "it''s"}', KEY (a) SECONDARY_ENGINE_ATTRIBUTE = '{}') SECONDARY_ENGINE_ATTRIBUTE = '{"table": 1}'`,
  "ALTER TABLE option_page_compression COMMENT = 'altered'",
  // A column added and one dropped at once, without a rebuild: rows of several shapes in one table.
  'CREATE TABLE altered_instantly (id INT PRIMARY KEY, gone VARCHAR(10), kept INT)',
  "INSERT INTO altered_instantly VALUES (1, 'x', 1), (2, NULL, 2)",
  "ALTER TABLE altered_instantly ADD COLUMN added VARCHAR(20) NOT NULL DEFAULT 'it''s' FIRST, ALGORITHM = INSTANT",
  'ALTER TABLE altered_instantly DROP COLUMN gone, ALGORITHM = INSTANT',
  "INSERT INTO altered_instantly VALUES ('', 3, NULL)",
]);

/** What MySQL has had only since 9.x: JSON duality views, and libraries for routines. */
export const modern = theme('modern', [
  'CREATE TABLE duality_parent (id INT PRIMARY KEY, name VARCHAR(20))',
  'CREATE TABLE duality_child (id INT PRIMARY KEY, parent INT, x INT, FOREIGN KEY (parent) REFERENCES duality_parent (id))',
  "INSERT INTO duality_parent VALUES (1, 'one'), (2, 'it''s')",
  'INSERT INTO duality_child VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30)',
  ...since('9.4', [
    `CREATE JSON DUALITY VIEW a_duality_view AS SELECT JSON_DUALITY_OBJECT(WITH (INSERT, UPDATE, DELETE) '_id': id, 'it''s': name,
      'children': (SELECT JSON_ARRAYAGG(JSON_DUALITY_OBJECT('id': id, 'x': x)) FROM duality_child WHERE duality_child.parent = duality_parent.id)) FROM duality_parent`,
  ]),
  ...since('9.2', [
    "CREATE LIBRARY library_plain COMMENT 'it''s; -- a library' LANGUAGE JAVASCRIPT AS $$ export function f(n) { return `${n}` + 'x;\\n' } // ;; \n$$",
    "CREATE LIBRARY `library;odd`` ü` LANGUAGE JAVASCRIPT AS $tag$ export const t = '$$'; $tag$",
  ]),
]);
