import { inSession, theme } from '../step.js';

/** Oracle mode: packages, and routines in its dialect; and MariaDB's own kinds of routine. */
export const packages = theme('packages', [
  ...inSession({ sqlMode: 'ORACLE' }, [
    `CREATE PACKAGE package_one COMMENT 'it''s; ;; a package' AS
  PROCEDURE p(a INT);
  FUNCTION f(b VARCHAR2(10)) RETURN INT;
END`,
    `CREATE PACKAGE BODY package_one AS
  counter INT := 0; -- ;; state
  FUNCTION f(b VARCHAR2(10)) RETURN INT AS BEGIN RETURN LENGTH(b); END;
  PROCEDURE p(a INT) AS BEGIN counter := counter + a; SELECT 'it''s' || "counter"; END;
BEGIN
  counter := 7;
END`,
    'CREATE PACKAGE "package;`odd" AS PROCEDURE x; END',
    "CREATE PROCEDURE oracle_procedure(a IN INT, b OUT VARCHAR2) AS c INT := 5; BEGIN <<lbl>> LOOP EXIT lbl WHEN c > a; c := c + 1; END LOOP; b := 'x' || c; END",
    'CREATE FUNCTION oracle_function RETURN INT DETERMINISTIC AS BEGIN RETURN 1; EXCEPTION WHEN OTHERS THEN RETURN 2; END',
  ]),
  'CREATE AGGREGATE FUNCTION aggregate_sum(x INT) RETURNS INT DETERMINISTIC BEGIN DECLARE s INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN s; LOOP FETCH GROUP NEXT ROW; SET s = s + x; END LOOP; END',
  'CREATE PROCEDURE typed_by_row() BEGIN DECLARE r ROW TYPE OF integers; DECLARE t TYPE OF integers.s_int; FOR i IN 1..3 DO SET t = i; END FOR; END',
  'CREATE OR REPLACE VIEW view_mariadb AS SELECT VALUE(1) AS a'.replace(
    'VALUE(1)',
    '(VALUES (1)  LIMIT 1)',
  ),
]);
