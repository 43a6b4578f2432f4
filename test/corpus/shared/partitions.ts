import { theme } from '../step.js';

/** Each way of partitioning, with NULLs, borders and text values. */
export const partitions = theme('partitions', [
  `CREATE TABLE part_range (id INT NOT NULL, d DATE NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d)) (
    PARTITION p0 VALUES LESS THAN (2000) COMMENT = 'it''s; "old"', PARTITION p1 VALUES LESS THAN (2024), PARTITION p2 VALUES LESS THAN MAXVALUE)`,
  "INSERT INTO part_range VALUES (1, '1999-12-31'), (2, '2000-01-01'), (3, '2024-02-30'), (4, '0000-00-00'), (5, '9999-12-31')",
  `CREATE TABLE part_range_columns (a INT, b VARCHAR(20), c DATETIME(3)) PARTITION BY RANGE COLUMNS (a, b, c) (
    PARTITION low VALUES LESS THAN (10, 'm', '2024-01-01 00:00:00.000'), PARTITION high VALUES LESS THAN (MAXVALUE, MAXVALUE, MAXVALUE))`,
  "INSERT INTO part_range_columns VALUES (1, 'a', NULL), (NULL, NULL, NULL), (10, 'z', '2025-01-01 00:00:00.001'), (10, 'm', '2023-12-31 23:59:59.999')",
  'CREATE TABLE part_list (a INT) PARTITION BY LIST (a) (PARTITION pn VALUES IN (NULL, 0), PARTITION p1 VALUES IN (-1, 1, 2147483647))',
  'INSERT INTO part_list VALUES (NULL), (NULL), (0), (-1), (1), (2147483647)',
  `CREATE TABLE part_list_columns (s VARCHAR(20) COLLATE utf8mb4_bin) PARTITION BY LIST COLUMNS (s) (
    PARTITION a VALUES IN ('a', 'it''s', 'back\\\\slash', ''), PARTITION b VALUES IN ('ß', NULL, '中'))`,
  "INSERT INTO part_list_columns VALUES ('a'), ('it''s'), ('back\\\\slash'), (''), ('ß'), (NULL), ('中')",
  'CREATE TABLE part_hash (a INT) PARTITION BY HASH (a) PARTITIONS 4',
  'INSERT INTO part_hash VALUES (NULL), (0), (1), (2), (3), (-7)',
  'CREATE TABLE part_linear (a INT, b DATETIME) PARTITION BY LINEAR HASH (YEAR(b)) PARTITIONS 3',
  "INSERT INTO part_linear VALUES (1, '2024-01-01'), (2, NULL), (3, '0000-00-00')",
  'CREATE TABLE part_key (id INT PRIMARY KEY, s VARCHAR(10)) PARTITION BY KEY () PARTITIONS 3',
  "INSERT INTO part_key VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd')",
  'CREATE TABLE part_linear_key (s VARCHAR(10), n INT) PARTITION BY LINEAR KEY ALGORITHM = 1 (s) PARTITIONS 2',
  "INSERT INTO part_linear_key VALUES ('a', 1), ('B', 2), (NULL, 3)",
  `CREATE TABLE part_sub (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (TO_DAYS(d)) (
    PARTITION p0 VALUES LESS THAN (1990) (SUBPARTITION \`s;0\` COMMENT = 'sub', SUBPARTITION s1),
    PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION \`s\`\`3\`))`,
  "INSERT INTO part_sub VALUES (1, '1980-01-01'), (2, '2000-01-01'), (3, NULL)",
  'CREATE TABLE part_sub_count (id INT, d DATE) PARTITION BY LIST (MONTH(d)) SUBPARTITION BY KEY (id) SUBPARTITIONS 2 (PARTITION h1 VALUES IN (1,2,3,4,5,6), PARTITION h2 VALUES IN (7,8,9,10,11,12))',
  "INSERT INTO part_sub_count VALUES (1, '2024-01-31'), (2, '2024-12-31')",
  'CREATE TABLE part_timestamp (t TIMESTAMP NOT NULL) PARTITION BY RANGE (UNIX_TIMESTAMP(t)) (PARTITION a VALUES LESS THAN (1704067200), PARTITION b VALUES LESS THAN (MAXVALUE))',
  "INSERT INTO part_timestamp VALUES ('2023-12-31 23:59:59'), ('2024-01-01 00:00:00')",
]);
