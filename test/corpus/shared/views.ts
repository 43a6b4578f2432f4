import { quotedLiteral, quoteName } from '../sql-text.js';
import { inSession, scaledTheme, theme } from '../step.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Views in an order that does not load, on functions, with odd aliases, definers and charsets. */
export const views = scaledTheme('views', (_scale, database) => [
  'CREATE TABLE view_base (id INT PRIMARY KEY, s VARCHAR(20), j JSON)',
  `INSERT INTO view_base VALUES (1, 'x', '[1]'), (2, 'it''s', NULL)`,
  "CREATE FUNCTION view_function(n INT) RETURNS VARCHAR(20) CHARACTER SET utf8mb4 DETERMINISTIC RETURN CONCAT('f', n)",
  // Each needs the next: by name, they load in the wrong order.
  'CREATE VIEW view_e AS SELECT id, s FROM view_base',
  'CREATE VIEW view_d AS SELECT e.id, e.s, view_function(e.id) AS f FROM view_e e',
  'CREATE VIEW view_c AS SELECT * FROM view_d JOIN view_e USING (id, s)',
  'CREATE VIEW view_b AS SELECT f FROM view_c WHERE id IN (SELECT id FROM view_d)',
  'CREATE VIEW view_a AS SELECT * FROM view_b',
  'CREATE FUNCTION function_on_view() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM view_a)',
  'CREATE VIEW view_0 AS SELECT function_on_view() AS n',

  `CREATE VIEW view_alias_database AS SELECT ${quoteName(database)}.id, ${quoteName(database)}.s AS ${quoteName(database)} FROM view_base AS ${quoteName(database)}`,
  `CREATE VIEW view_alias_and_call AS SELECT ${quoteName(database)}.view_function(${quoteName(database)}.id) AS f FROM ${quoteName(database)}.view_base AS ${quoteName(database)}`,
  `CREATE VIEW view_qualified AS SELECT ${quoteName(database)}.view_base.id AS a, ${quoteName(database)}.view_function(1) AS b, ${quotedLiteral(`${quoteName(database)}.view_base`)} AS c FROM ${quoteName(database)}.view_base`,
  'CREATE VIEW view_other_database AS SELECT table_name AS n FROM information_schema.tables WHERE 1 = 0',

  'CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW view_merge (`odd;``column`, second) AS SELECT id, s FROM view_base WHERE id > 0 WITH LOCAL CHECK OPTION',
  'CREATE ALGORITHM = TEMPTABLE VIEW view_temptable AS SELECT s, COUNT(*) AS n FROM view_base GROUP BY s WITH ROLLUP',
  'CREATE VIEW view_cascaded AS SELECT * FROM view_merge WITH CASCADED CHECK OPTION',
  "CREATE VIEW view_literals AS SELECT 'it''s; -- \\\\ \"x\" /* */\\n%' AS a, _latin1 0xE9 AS b, 0x00FF AS c, b'101' AS d, 1.10 AS e, 1e300 AS f, DATE '2024-02-29' AS g, 'ü' AS h, '😀' AS i, '' AS j, NULL AS k, TRUE AS l",
  "CREATE VIEW view_collations AS SELECT 'a' COLLATE utf8mb4_bin AS a, CONVERT('x' USING sjis) AS b, CAST('1' AS CHAR CHARACTER SET latin1) AS c, _binary 'z' AS d",
  "CREATE VIEW view_nameless AS SELECT 1 + 1, CONCAT(s, '; -- '), `s` FROM view_base",
  'CREATE VIEW view_union AS (SELECT id FROM view_base ORDER BY id DESC LIMIT 1) UNION ALL SELECT 5 UNION SELECT NULL',
  'CREATE VIEW view_recursive AS WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n, ROW_NUMBER() OVER (ORDER BY n DESC) AS r FROM t',
  "CREATE VIEW `View_A` AS SELECT 'another case' AS c",

  "CREATE DEFINER = 'nobody'@'nowhere.example' SQL SECURITY DEFINER VIEW view_no_definer AS SELECT id FROM view_base",
  "CREATE DEFINER = 'o''dd`user'@'%' SQL SECURITY INVOKER VIEW view_odd_definer AS SELECT id FROM view_base",
  // What the text said in its client's character set must come back in that character set.
  ...inSession({ charset: 'latin1' }, [
    latin1("CREATE VIEW view_latin1 AS SELECT 'caf\xe9 \xa4' AS `\xe9\xe8`"),
  ]),
  ...inSession({ charset: 'gbk' }, [
    Buffer.concat([
      latin1("CREATE VIEW view_gbk AS SELECT '"),
      Buffer.from('815cd55c', 'hex'),
      latin1("' AS c"),
    ]),
  ]),
  ...inSession({ sqlMode: 'ANSI' }, [
    'CREATE VIEW "view_ansi" AS SELECT "id" || \'x\' AS "a""b`c" FROM "view_base"',
  ]),
  ...inSession({ sqlMode: 'NO_BACKSLASH_ESCAPES' }, [
    "CREATE VIEW view_no_backslash AS SELECT 'a\\' AS a, '\\n' AS b, '\\\\' AS c FROM view_base",
  ]),
  ...inSession({ charset: 'utf8mb4 COLLATE utf8mb4_bin' }, [
    "CREATE VIEW view_collation AS SELECT 'x' = 'X' AS c, 'lit' AS l",
  ]),
]);

/** Views that the server itself can no longer open: `mysqldump` stops at the first of them. */
export const brokenViews = theme('broken-views', [
  'CREATE TABLE doomed_table (id INT, gone INT)',
  'CREATE FUNCTION doomed_function() RETURNS INT DETERMINISTIC RETURN 1',
  'CREATE VIEW broken_by_table AS SELECT id, gone FROM doomed_table',
  'CREATE VIEW a_broken_on_broken AS SELECT * FROM broken_by_table',
  'CREATE VIEW broken_by_function AS SELECT doomed_function() AS n',
  'CREATE TABLE doomed_column (id INT, gone INT)',
  "CREATE VIEW `broken ;\n*/ -- by` AS SELECT id, gone, '*/ ;' AS s FROM doomed_column",
  // MySQL 9.7 stores this one so that it cannot parse it again (the 0x5C of ソ); MariaDB can.
  ...inSession({ charset: 'sjis' }, [
    Buffer.concat([
      latin1("CREATE VIEW view_sjis AS SELECT '"),
      Buffer.from('835c', 'hex'),
      latin1("' AS c"),
    ]),
  ]),
  'DROP TABLE doomed_table',
  'DROP FUNCTION doomed_function',
  'ALTER TABLE doomed_column DROP COLUMN gone',
]);
