/** Random changes of definitions. Several writers use the same few names, so many of these fail. */
import type { NamedStatement } from './changes.js';
import type { Dice } from './dice.js';
import type { Writer } from './writer.js';

type Definition = (dice: Dice, writer: Writer) => string | readonly string[];

const table = (dice: Dice): string => `r_dyn_${dice.below(6)}`;

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  create: (dice, { name, comment }) =>
    `CREATE TABLE ${name(table(dice))} (id INT PRIMARY KEY, v VARCHAR(${dice.between(20, 40)}) DEFAULT 'd;') ${dice.pick(['', `COMMENT '${comment}'`, 'CHARACTER SET latin1', 'ENGINE = MyISAM', 'ROW_FORMAT = COMPRESSED'])}`,
  createIfNotThere: (dice, { name }) =>
    `CREATE TABLE IF NOT EXISTS ${name(table(dice))} (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT) AUTO_INCREMENT = ${dice.between(2, 900)}`,
  createLike: (dice, { name }) =>
    `CREATE TABLE ${name(table(dice))} LIKE ${name(dice.pick(['r_item', 'r_parted', 'r_dyn_1', 'r_strings']))}`,
  createSelect: (dice, { name }) =>
    `CREATE TABLE ${name(table(dice))} AS SELECT id, name AS v, f FROM ${name('r_item')} WHERE id % 3 = ${dice.below(3)}`,
  createSelectTyped: (dice, { name }) =>
    `CREATE TABLE ${name(table(dice))} (id INT PRIMARY KEY, extra INT DEFAULT 7) SELECT id, name AS v FROM ${name('r_parent')}`,
  createChild: (dice, { name }) =>
    `CREATE TABLE ${name(table(dice))} (id INT PRIMARY KEY, v VARCHAR(20), p INT, FOREIGN KEY (p) REFERENCES ${name('r_parent')} (id) ON DELETE CASCADE)`,
  fill: (dice, { name }) =>
    `INSERT INTO ${name(table(dice))} (id, v) VALUES (${dice.between(1, 50)}, 'one'), (${dice.between(51, 99)}, 'two')`,
  change: (dice, { name }) =>
    `UPDATE ${name(table(dice))} SET v = 'changed' WHERE id % 3 = ${dice.below(3)}`,
  empty: (dice, { name }) => `DELETE FROM ${name(table(dice))} WHERE id % 2 = ${dice.below(2)}`,
  drop: (dice, { name }) => `DROP TABLE ${name(table(dice))}`,
  dropSeveral: (dice, { name, elsewhere }) =>
    `DROP TABLE IF EXISTS ${name(table(dice))}, ${elsewhere('r_not_there')}, ${name(table(dice))}x`,
  rename: (dice, { name }) => `RENAME TABLE ${name(table(dice))} TO ${name(table(dice))}`,
  swap: (_dice, { name }) =>
    `RENAME TABLE ${name('r_dyn_0')} TO ${name('r_dyn_t')}, ${name('r_dyn_1')} TO ${name('r_dyn_0')}, ${name('r_dyn_t')} TO ${name('r_dyn_1')}`,
  alterRename: (dice, { name }) =>
    `ALTER TABLE ${name(table(dice))} RENAME TO ${name(table(dice))}, ADD moved INT`,
  truncate: (dice, { name }) =>
    `TRUNCATE TABLE ${name(dice.pick([table(dice), table(dice), 'r_strings', 'r_log']))}`,
  addColumn: (dice, { name }) =>
    `ALTER TABLE ${name(table(dice))} ADD COLUMN c${dice.below(4)} ${dice.pick(["VARCHAR(9) DEFAULT 'x'", 'INT NOT NULL DEFAULT 3 FIRST', 'DATETIME(3) NULL AFTER id', "ENUM('p','q') DEFAULT 'q'"])}`,
  dropColumn: (dice, { name }) => `ALTER TABLE ${name(table(dice))} DROP COLUMN c${dice.below(4)}`,
  modify: (dice, { name }) =>
    `ALTER TABLE ${name(table(dice))} MODIFY v ${dice.pick(['VARCHAR(60)', 'TEXT', 'VARCHAR(50) CHARACTER SET latin1'])}`,
  renameColumn: (dice, { name }) => `ALTER TABLE ${name(table(dice))} RENAME COLUMN c1 TO c2`,
  addIndex: (dice, { name }) => `CREATE INDEX i${dice.below(3)} ON ${name(table(dice))} (v(5))`,
  dropIndex: (dice, { name }) => `DROP INDEX i${dice.below(3)} ON ${name(table(dice))}`,
  rebuild: (dice, { name }) => `ALTER TABLE ${name(table(dice))} ENGINE = InnoDB`,
  convert: (dice, { name }) =>
    `ALTER TABLE ${name(table(dice))} CONVERT TO CHARACTER SET ${dice.pick(['latin1', 'utf8mb4'])}`,
  itemColumn: (dice, { name }) =>
    dice.chance(0.5)
      ? `ALTER TABLE ${name('r_item')} ADD COLUMN later INT DEFAULT 1`
      : `ALTER TABLE ${name('r_item')} DROP COLUMN later`,
  itemRebuild: (_dice, { name }) => `ALTER TABLE ${name('r_item')} FORCE`,
  partition: (dice, { name }) => [
    `ALTER TABLE ${name('r_parted')} ${dice.pick(['TRUNCATE PARTITION p0', 'TRUNCATE PARTITION pm', 'REBUILD PARTITION p1', 'REORGANIZE PARTITION p0, p1 INTO (PARTITION p1 VALUES LESS THAN (40))', 'REORGANIZE PARTITION p1 INTO (PARTITION p0 VALUES LESS THAN (20), PARTITION p1 VALUES LESS THAN (40))'])}`,
  ],
  exchange: (dice, { name }) => [
    `DROP TABLE IF EXISTS ${name('r_exchanged')}`,
    `CREATE TABLE ${name('r_exchanged')} LIKE ${name('r_parted')}`,
    `ALTER TABLE ${name('r_exchanged')} REMOVE PARTITIONING`,
    `INSERT INTO ${name('r_exchanged')} VALUES (${dice.between(70, 90)}, 55, 'swapped')`,
    `ALTER TABLE ${name('r_parted')} EXCHANGE PARTITION pm WITH TABLE ${name('r_exchanged')}`,
  ],
  view: (dice, { name }) =>
    dice.chance(0.3)
      ? `DROP VIEW IF EXISTS ${name('r_view')}`
      : `CREATE OR REPLACE VIEW ${name('r_view')} AS SELECT id, name FROM ${name('r_parent')} WHERE id > ${dice.below(9)}`,
  procedure: (dice, { name }) =>
    dice.chance(0.4)
      ? `DROP PROCEDURE IF EXISTS ${name('r_later')}`
      : `CREATE PROCEDURE ${name('r_later')} (IN n INT) COMMENT 'v${dice.below(99)}' BEGIN SELECT n; SELECT ';'; END`,
  procedureComment: (dice, { name }) =>
    `ALTER PROCEDURE ${name('r_later')} COMMENT 'c${dice.below(99)}'`,
  function: (dice, { name }) => [
    `DROP FUNCTION IF EXISTS ${name('r_sum')}`,
    `CREATE FUNCTION ${name('r_sum')} (a INT, b INT) RETURNS INT DETERMINISTIC RETURN a + b + ${dice.below(99)}`,
  ],
  trigger: (dice, { name }) =>
    dice.chance(0.5)
      ? `DROP TRIGGER IF EXISTS ${name('r_strings_added')}`
      : `CREATE TRIGGER ${name('r_strings_added')} BEFORE INSERT ON ${name('r_strings')} FOR EACH ROW SET NEW.v = CONCAT('t${dice.below(9)}', NEW.v)`,
  event: (dice, { name }) =>
    dice.pick([
      `DROP EVENT IF EXISTS ${name('r_event')}`,
      `CREATE EVENT ${name('r_event')} ON SCHEDULE EVERY ${dice.between(1, 9)} YEAR STARTS '2036-01-01' DISABLE DO DELETE FROM ${name('r_log')}`,
      `ALTER EVENT ${name('r_event')} COMMENT 'e${dice.below(99)}'`,
    ]),
  temporary: (dice, { name }) => [
    `CREATE TEMPORARY TABLE ${name('r_temporary')} (id INT PRIMARY KEY, v VARCHAR(20))`,
    `INSERT INTO ${name('r_temporary')} VALUES (${dice.below(50)}, 'temp'), (99, 'temp')`,
    `INSERT IGNORE INTO ${name('r_parent')} SELECT * FROM ${name('r_temporary')}`,
    `DROP TEMPORARY TABLE ${name('r_temporary')}`,
  ],
  rotate: () => 'FLUSH BINARY LOGS',
  analyze: (dice, { name }) =>
    `${dice.pick(['ANALYZE', 'OPTIMIZE', 'CHECK'])} TABLE ${name('r_item')}`,
};

const ON_MARIADB: Readonly<Record<string, Definition>> = {
  createOrReplace: (dice, { name }) =>
    `CREATE OR REPLACE TABLE ${name(table(dice))} (id INT PRIMARY KEY, v VARCHAR(30), w INT INVISIBLE)`,
  replaceSelect: (dice, { name }) =>
    `CREATE OR REPLACE TABLE ${name(table(dice))} AS SELECT id, note AS v FROM ${name('r_child')}`,
  dropMissing: (dice, { name }) => `DROP TABLE IF EXISTS ${name(table(dice))}`,
};

const ON_MYSQL: Readonly<Record<string, Definition>> = {
  // MariaDB's log does not tell which default a session saw that another one's ALTER DATABASE passed by.
  databaseDefault: (dice, { database }) =>
    `ALTER DATABASE ${database} DEFAULT COLLATE ${dice.pick(['utf8mb4_bin', 'utf8mb4_unicode_ci', 'utf8mb4_general_ci'])}`,
  invisible: (dice, { name }) =>
    `ALTER TABLE ${name(table(dice))} ADD COLUMN hidden INT INVISIBLE DEFAULT 4`,
  functional: (dice, { name }) => `ALTER TABLE ${name(table(dice))} ADD INDEX fx ((id + 1))`,
  check: (dice, { name }) => `ALTER TABLE ${name(table(dice))} ADD CONSTRAINT CHECK (id < 100000)`,
  jsonView: (dice, { name }) =>
    `CREATE TABLE ${name(table(dice))} (id INT PRIMARY KEY, v VARCHAR(20), j JSON, k INT AS (j->'$.k') STORED)`,
};

export interface NamedStatements {
  readonly kind: string;
  readonly statements: readonly string[];
}

export function randomDefinition(dice: Dice, writer: Writer): NamedStatements {
  const all = { ...DEFINITIONS, ...(writer.isMySql ? ON_MYSQL : ON_MARIADB) };
  const kinds = Object.keys(all);
  const kind = kinds[dice.below(kinds.length)] ?? '';
  const made = all[kind]?.(dice, writer) ?? [];
  return { kind, statements: typeof made === 'string' ? [made] : made };
}

/** What a writer says before it writes, now and then another thing. */
export function randomSetting(dice: Dice, { isMySql }: Writer): NamedStatement {
  const common = [
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    'SET SESSION sql_mode = DEFAULT',
    "SET SESSION time_zone = '+05:30'",
    'SET SESSION time_zone = DEFAULT',
    'SET SESSION foreign_key_checks = 1',
    'SET SESSION unique_checks = 0',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  ] as const;
  // MariaDB's minimal images lack what a trigger changes under ON DUPLICATE KEY UPDATE.
  const mySql = [
    "SET SESSION binlog_row_image = 'MINIMAL'",
    "SET SESSION binlog_row_image = 'FULL'",
    'SET SESSION binlog_transaction_compression = 1',
    'SET SESSION binlog_transaction_compression = 0',
    "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
    "SET SESSION binlog_row_value_options = ''",
    'SET timestamp = 1700000000.123456',
    'SET timestamp = DEFAULT',
  ] as const;
  return { kind: 'setting', sql: isMySql ? dice.pick([...common, ...mySql]) : dice.pick(common) };
}
