import { quotedLiteral, quoteName } from '../sql-text.js';
import { inSession, scaledTheme } from '../step.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Routines with every mode, character set and text that a DELIMITER-based dump can trip over. */
export const routines = scaledTheme('routines', (_scale, database) => [
  'CREATE TABLE routine_table (id INT PRIMARY KEY, note TEXT)',
  'CREATE PROCEDURE routine_one_line() SELECT 1',
  `CREATE PROCEDURE routine_block(IN a INT, OUT b VARCHAR(20) CHARACTER SET sjis, INOUT c DECIMAL(65,30))
    SQL SECURITY INVOKER MODIFIES SQL DATA COMMENT 'it''s; ;; -- \\\\ "x" // $$ DELIMITER ;'
BEGIN
  -- ;; a comment with the usual delimiters // $$ ;
  DECLARE done INT DEFAULT FALSE; # another comment ;;
  DECLARE cur CURSOR FOR SELECT id FROM routine_table;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE;
  /* DELIMITER ;
  DELIMITER ;;
  */
  OPEN cur;
  looped: LOOP
    FETCH cur INTO a;
    IF done THEN LEAVE looped; END IF;
    SET b = CONCAT('x;;', "y//", '\\'', 'DELIMITER $$');
  END LOOP looped;
  CLOSE cur;
END`,
  "CREATE PROCEDURE routine_delimiter_line()\nBEGIN\n  SELECT '\nDELIMITER ;;\n;;\n//\n';\nEND",
  'CREATE PROCEDURE routine_ends_in_comment() SELECT 1 -- no newline after this',
  'CREATE PROCEDURE routine_ends_in_hash() SELECT 1 # nor after this ;;',
  'CREATE PROCEDURE routine_crlf()\r\nBEGIN\r\n\tSELECT 1;\r\n\r\nEND',
  'CREATE PROCEDURE routine_hint() BEGIN SELECT /*! STRAIGHT_JOIN */ 1; SELECT /*!99999 unknown */ 2; SELECT /*+ NO_ICP(t) */ 3 FROM routine_table t; END',
  `CREATE PROCEDURE routine_long() BEGIN ${"SELECT 'a rather long body; with it''s quotes';\n".repeat(2500)} END`,
  "CREATE PROCEDURE routine_emoji() COMMENT 'comment ü' SELECT '😀 中文 ü'",
  `CREATE PROCEDURE routine_qualified() BEGIN INSERT INTO ${quoteName(database)}.routine_table VALUES (1, ${quotedLiteral(`${quoteName(database)}.routine_table`)}); CALL ${quoteName(database)}.routine_one_line(); /* ${quoteName(database).replaceAll('*/', '')}.x */ END`,
  `CREATE PROCEDURE ${quoteName(database)}.routine_own_name_qualified() SELECT 1`,
  'CREATE FUNCTION routine_one_line() RETURNS INT NO SQL RETURN 1',
  "CREATE FUNCTION routine_types(a ENUM('x', 'it''s'), b SET('p', 'q'), c BIT(3), d YEAR, e DATETIME(6), f JSON, g VARCHAR(10) CHARACTER SET ucs2) RETURNS LONGTEXT CHARACTER SET latin1 COLLATE latin1_bin DETERMINISTIC CONTAINS SQL RETURN CONCAT(a, b)",
  'CREATE FUNCTION routine_real(a FLOAT(7,3), b DOUBLE UNSIGNED, c DECIMAL(65,30)) RETURNS DOUBLE DETERMINISTIC RETURN a + b + c',
  "CREATE DEFINER = 'nobody'@'nowhere.example' PROCEDURE routine_no_definer() SELECT CURRENT_USER()",
  "CREATE DEFINER = 'o''dd`user'@'%' FUNCTION routine_odd_definer() RETURNS INT DETERMINISTIC RETURN 2",

  ...inSession({ sqlMode: 'ANSI_QUOTES' }, [
    'CREATE PROCEDURE "routine_ansi;`x"("arg" INT) BEGIN SELECT "arg", \'a"b\' FROM "routine_table"; END',
    `CREATE PROCEDURE routine_ansi_qualified() SELECT "id" FROM "${database.replaceAll('"', '""')}"."routine_table"`,
  ]),
  ...inSession({ sqlMode: 'NO_BACKSLASH_ESCAPES' }, [
    "CREATE PROCEDURE routine_no_backslash() COMMENT 'c:\\' SELECT '\\', 'c:\\dir\\', '\\n', ';;'",
    "CREATE FUNCTION routine_no_backslash() RETURNS VARCHAR(10) DETERMINISTIC RETURN '\\'",
  ]),
  ...inSession(
    { sqlMode: 'PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,NO_UNSIGNED_SUBTRACTION' },
    [
      "CREATE PROCEDURE routine_modes() SELECT 'a' || 'b', NOT 1 BETWEEN -5 AND 5, COUNT (*) FROM routine_table",
    ],
  ),
  ...inSession({ sqlMode: '' }, ['CREATE PROCEDURE routine_no_mode() SELECT "text", 1 || 0']),
  ...inSession({ charset: 'latin1' }, [
    latin1(
      "CREATE PROCEDURE `routine_latin1_\xe9`(`\xe0` INT) COMMENT 'caf\xe9' SELECT '\xe9\xa4\xff', `\xe0` -- end",
    ),
    latin1(
      "CREATE FUNCTION routine_latin1() RETURNS VARCHAR(10) CHARACTER SET latin1 DETERMINISTIC RETURN '\xe9'",
    ),
  ]),
  ...inSession({ charset: 'sjis' }, [
    Buffer.concat([
      latin1("CREATE PROCEDURE routine_sjis() SELECT '"),
      Buffer.from('835c955c', 'hex'),
      latin1("', ';;'"),
    ]),
  ]),
  ...inSession({ charset: 'cp1251' }, [
    latin1("CREATE PROCEDURE routine_cp1251() SELECT '\xc6\xe0\xff'"),
  ]),
  ...inSession({ charset: 'utf8mb4 COLLATE utf8mb4_bin' }, [
    "CREATE PROCEDURE routine_collation() SELECT 'a' = 'A'",
  ]),
  ...inSession({ charset: 'binary' }, [
    latin1("CREATE PROCEDURE routine_binary() SELECT 'ascii only'"),
  ]),
  // Made while the database had another collation, which the routine keeps.
  `ALTER DATABASE ${quoteName(database)} CHARACTER SET cp1251 COLLATE cp1251_bin`,
  "CREATE PROCEDURE routine_other_database_collation(a VARCHAR(10)) BEGIN DECLARE b VARCHAR(5); SELECT a = 'x'; END",
  'CREATE FUNCTION routine_other_database_collation(a VARCHAR(10)) RETURNS VARCHAR(10) DETERMINISTIC RETURN a',
  `ALTER DATABASE ${quoteName(database)} CHARACTER SET utf8mb4`,
]);
